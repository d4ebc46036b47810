#include "user/programs/sh/parser.h"

#include <ctype.h>

static constexpr const char* closing_words[] = {"then", "elif", "else", "fi", "do", "done", "esac", "}"};

ParseResult Parser::next_line(Shared<Node>& line) {
    failed_ = false;
    if (lexer_.peek().kind == TokenKind::End && !lexer_.incomplete()) {
        return ParseResult::End;
    }
    if (lexer_.peek().kind == TokenKind::Newline) {
        lexer_.take();
        return lexer_.incomplete() ? ParseResult::Incomplete : ParseResult::Empty;
    }
    NodeRef node = parse_sequence(false);
    if (!failed() && lexer_.peek().kind != TokenKind::Newline && lexer_.peek().kind != TokenKind::End) {
        fail_at_token(nullptr);
    }
    if (lexer_.peek().kind == TokenKind::Newline && !failed()) {
        lexer_.take();      // reads the here-texts
    }
    if (lexer_.incomplete()) {
        message_ = "the input ends before ";
        message_.append(lexer_.missing());
        return ParseResult::Incomplete;
    }
    if (failed()) {
        return lexer_.peek().kind == TokenKind::End ? ParseResult::Incomplete : ParseResult::Error;
    }
    line = node;
    return ParseResult::Command;
}

Parser::NodeRef Parser::fail_at_token(const char* expected) {
    if (!failed_) {
        failed_ = true;
        const Token& token = lexer_.peek();
        const bool end = token.kind == TokenKind::End, newline = token.kind == TokenKind::Newline;
        message_ = end ? "the input ends" : newline ? "the line ends" : "unexpected '";
        if (!end && !newline) {
            message_.append(token.text);
            message_.add('\'');
        }
        if (expected != nullptr) {
            message_.append(end || newline ? " before " : ", expected ");
            message_.append(expected);
        }
    }
    return NodeRef();
}

bool Parser::at_operator(const char* text) {
    return lexer_.peek().kind == TokenKind::Operator && lexer_.peek().text.equals(text);
}

bool Parser::at_reserved(const char* word) {
    return lexer_.peek().kind == TokenKind::Word && lexer_.peek().text.equals(word);
}

bool Parser::skip_reserved(const char* word) {
    if (!at_reserved(word)) {
        fail_at_token(word);
        return false;
    }
    lexer_.take();
    return true;
}

void Parser::skip_newlines() {
    while (lexer_.peek().kind == TokenKind::Newline) {
        lexer_.take();
    }
}

bool Parser::at_list_end() {
    if (lexer_.peek().kind == TokenKind::End || at_operator(")") || at_operator(";;")) {
        return true;
    }
    for (const char* word : closing_words) {
        if (at_reserved(word)) {
            return true;
        }
    }
    return false;
}

Parser::NodeRef Parser::parse_list() {
    skip_newlines();
    return at_list_end() ? fail_at_token("a command") : parse_sequence(true);
}

Parser::NodeRef Parser::parse_sequence(bool newlines_separate) {
    NodeRef sequence(new Node(NodeKind::Sequence));
    while (!failed()) {
        NodeRef node = parse_and_or();
        if (failed()) {
            break;
        }
        const bool background = at_operator("&");
        if (background) {
            NodeRef wrapped(new Node(NodeKind::Background));
            wrapped->text = node->text;
            wrapped->children.add(node);
            node = wrapped;
        }
        sequence->children.add(node);
        const bool separated = background || at_operator(";");
        if (separated) {
            lexer_.take();
        }
        const bool newline = lexer_.peek().kind == TokenKind::Newline;
        if (newlines_separate) {
            skip_newlines();
        }
        if (at_list_end() || (newline && !newlines_separate) || (!separated && !newline)) {
            break;
        }
    }
    return sequence;
}

Parser::NodeRef Parser::parse_and_or() {
    NodeRef left = parse_pipeline();
    while (!failed() && (at_operator("&&") || at_operator("||"))) {
        NodeRef node(new Node(at_operator("&&") ? NodeKind::And : NodeKind::Or));
        lexer_.take();
        skip_newlines();
        node->children.add(left);
        node->children.add(parse_pipeline());
        node->text = left->text;
        left = node;
    }
    return left;
}

Parser::NodeRef Parser::parse_pipeline() {
    const int start = lexer_.position();
    bool negated = false;
    while (at_reserved("!")) {
        lexer_.take();
        negated = !negated;
    }
    NodeRef pipeline(new Node(NodeKind::Pipeline));
    int end = start;
    for (;;) {
        pipeline->children.add(parse_command());
        if (failed()) {
            return NodeRef();
        }
        end = lexer_.position();
        if (!at_operator("|")) {
            break;
        }
        lexer_.take();
        skip_newlines();
    }
    while (end > start && isspace(static_cast<unsigned char>(lexer_.input()[end - 1]))) {
        --end;
    }
    pipeline->text = String(lexer_.input() + start, end - start);
    if (!negated) {
        return pipeline;
    }
    NodeRef node(new Node(NodeKind::Not));
    node->text = pipeline->text;
    node->children.add(pipeline);
    return node;
}

static bool is_name(const String& word) {
    if (word.empty() || isdigit(static_cast<unsigned char>(word[0]))) {
        return false;
    }
    for (int i = 0; i < word.length(); ++i) {
        if (!isalnum(static_cast<unsigned char>(word[i])) && word[i] != '_') {
            return false;
        }
    }
    return true;
}

static bool is_assignment(const String& word) {
    const char* equals = strchr(word.c_str(), '=');
    return equals != nullptr && is_name(word.part(0, static_cast<int>(equals - word.c_str())));
}

Parser::NodeRef Parser::parse_command() {
    NodeRef node;
    if (at_reserved("if")) {
        node = parse_if();
    } else if (at_reserved("while")) {
        node = parse_loop(NodeKind::While);
    } else if (at_reserved("until")) {
        node = parse_loop(NodeKind::Until);
    } else if (at_reserved("for")) {
        node = parse_for();
    } else if (at_reserved("case")) {
        node = parse_case();
    } else if (at_reserved("{")) {
        node = parse_bracketed(NodeKind::Group, "}");
    } else if (at_operator("(")) {
        node = parse_bracketed(NodeKind::Subshell, ")");
    } else {
        return parse_simple();
    }
    if (!failed()) {
        parse_redirections(*node);
    }
    return node;
}

Parser::NodeRef Parser::parse_simple() {
    if (at_list_end() && lexer_.peek().kind == TokenKind::Word) {
        return fail_at_token("a command");
    }
    NodeRef node(new Node(NodeKind::Simple));
    while (!failed()) {
        if (lexer_.peek().kind == TokenKind::Word) {
            Token word = lexer_.take();
            long fd;
            if (word.glued && parse_number(word.text.c_str(), fd) && fd >= 0 && fd < 256) {
                parse_redirection(*node, static_cast<int>(fd));
            } else if (node->words.empty() && is_assignment(word.text)) {
                node->assignments.add(word.text);
            } else if (node->words.empty() && at_operator("(") && (is_name(word.text) || word.text.equals(":"))) {
                return parse_function(moved(word));
            } else {
                node->words.add(word.text);
            }
        } else if (!parse_redirection(*node, -1)) {
            break;
        }
    }
    if (!failed() && node->words.empty() && node->assignments.empty() && node->redirections.empty()) {
        return fail_at_token("a command");
    }
    return node;
}

Parser::NodeRef Parser::parse_function(Token name) {
    lexer_.take();
    if (!at_operator(")")) {
        return fail_at_token(")");
    }
    lexer_.take();
    skip_newlines();
    NodeRef node(new Node(NodeKind::Function));
    node->words.add(name.text);
    node->children.add(parse_command());
    return node;
}
