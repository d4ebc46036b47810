// From words and operators to a tree.
//
//   line      = and_or { (";" | "&") and_or } [";" | "&"]  newline
//   and_or    = pipeline { ("&&" | "||") pipeline }
//   pipeline  = ["!"] command { "|" command }
//   command   = simple | compound { redirection } | name "(" ")" compound
//   compound  = "if" | "while" | "until" | "for" | "case" | "{" list "}" | "(" list ")"
#pragma once

#include "user/programs/sh/lexer.h"

enum class ParseResult { Command, Empty, End, Incomplete, Error };

class Parser {
public:
    explicit Parser(const char* input) : lexer_(input) {}

    // The next line of the input; `line` is set if the result is Command.
    ParseResult next_line(Shared<Node>& line);
    // After Error or Incomplete: what is wrong.
    const String& message() const { return message_; }

private:
    using NodeRef = Shared<Node>;

    bool failed() const { return failed_; }
    NodeRef fail_at_token(const char* expected);
    bool at_operator(const char* text);
    bool at_reserved(const char* word);
    bool at_list_end();
    bool skip_reserved(const char* word);
    void skip_newlines();

    NodeRef parse_list();           // until a closing word or operator
    NodeRef parse_sequence(bool newlines_separate);
    NodeRef parse_and_or();
    NodeRef parse_pipeline();
    NodeRef parse_command();
    NodeRef parse_simple();
    NodeRef parse_function(Token name);
    NodeRef parse_if();
    NodeRef parse_loop(NodeKind kind);
    NodeRef parse_for();
    NodeRef parse_case();
    NodeRef parse_bracketed(NodeKind kind, const char* close);
    NodeRef parse_do_body();
    bool parse_redirection(Node& node, int fd);
    void parse_redirections(Node& node);

    Lexer lexer_;
    bool failed_ = false;
    String message_;
};
