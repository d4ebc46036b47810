// From characters to words and operators. A word is kept raw, with its quotes and dollars; only its end is found here.
#pragma once

#include "user/programs/sh/node.h"

enum class TokenKind { Word, Operator, Newline, End };

struct Token {
    TokenKind kind = TokenKind::End;
    String text;            // of a word or an operator
    int start = 0, end = 0; // in the input
    bool glued = false;     // nothing between it and the next: "2" of "2>"
};

class Lexer {
public:
    explicit Lexer(const char* input) : input_(input) {}

    const Token& peek();
    Token take();
    int position();         // of the next token
    const char* input() const { return input_; }

    // A quote, a bracket or a here-text has no end: more lines may bring it.
    bool incomplete() const { return incomplete_; }
    const char* missing() const { return missing_; }

    // The text begins after the current line and is filled in when the lexer gets there.
    void expect_here_text(const Shared<HereText>& here) { here_texts_.add(here); }

private:
    void skip_blanks();
    void read_token();
    void read_word();
    int operator_length() const;
    void read_here_texts();
    bool skip_quoted(char quote);
    bool skip_dollar();
    bool skip_balanced(char open, char close);
    void lacks(const char* what);

    const char* input_;
    int at_ = 0;
    bool have_token_ = false;
    bool incomplete_ = false;
    const char* missing_ = "";
    Token token_;
    List<Shared<HereText>> here_texts_;
};
