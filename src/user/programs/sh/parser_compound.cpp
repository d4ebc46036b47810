// The parser's second half: commands made of commands, and redirections.
#include "user/programs/sh/parser.h"

Parser::NodeRef Parser::parse_if() {
    NodeRef node(new Node(NodeKind::If));
    do {
        lexer_.take();      // if, elif
        node->children.add(parse_list());
        if (failed() || !skip_reserved("then")) {
            return node;
        }
        node->children.add(parse_list());
        if (failed()) {
            return node;
        }
    } while (at_reserved("elif"));
    if (at_reserved("else")) {
        lexer_.take();
        node->children.add(parse_list());
    }
    if (!failed()) {
        skip_reserved("fi");
    }
    return node;
}

Parser::NodeRef Parser::parse_do_body() {
    if (!skip_reserved("do")) {
        return NodeRef();
    }
    NodeRef body = parse_list();
    if (!failed()) {
        skip_reserved("done");
    }
    return body;
}

Parser::NodeRef Parser::parse_loop(NodeKind kind) {
    lexer_.take();
    NodeRef node(new Node(kind));
    node->children.add(parse_list());
    if (!failed()) {
        node->children.add(parse_do_body());
    }
    return node;
}

Parser::NodeRef Parser::parse_for() {
    lexer_.take();
    NodeRef node(new Node(NodeKind::For));
    if (lexer_.peek().kind != TokenKind::Word) {
        return fail_at_token("a variable's name");
    }
    node->words.add(lexer_.take().text);
    skip_newlines();
    if (at_reserved("in")) {
        lexer_.take();
        while (lexer_.peek().kind == TokenKind::Word) {
            node->words.add(lexer_.take().text);
        }
    } else {
        node->over_arguments = true;
    }
    if (at_operator(";")) {
        lexer_.take();
    }
    skip_newlines();
    node->children.add(parse_do_body());
    return node;
}

Parser::NodeRef Parser::parse_case() {
    lexer_.take();
    NodeRef node(new Node(NodeKind::Case));
    if (lexer_.peek().kind != TokenKind::Word) {
        return fail_at_token("a word");
    }
    node->words.add(lexer_.take().text);
    skip_newlines();
    if (!skip_reserved("in")) {
        return node;
    }
    skip_newlines();
    while (!failed() && !at_reserved("esac")) {
        if (at_operator("(")) {
            lexer_.take();
        }
        List<String> patterns;
        do {
            if (at_operator("|")) {
                lexer_.take();
            }
            if (lexer_.peek().kind != TokenKind::Word) {
                return fail_at_token("a pattern");
            }
            patterns.add(lexer_.take().text);
        } while (at_operator("|"));
        if (!at_operator(")")) {
            return fail_at_token(")");
        }
        lexer_.take();
        skip_newlines();
        node->patterns.add(moved(patterns));
        const bool empty = at_operator(";;") || at_reserved("esac");
        node->children.add(empty ? NodeRef(new Node(NodeKind::Sequence)) : parse_list());
        if (at_operator(";;")) {
            lexer_.take();
        } else if (!at_reserved("esac")) {
            return fail_at_token("';;' or 'esac'");
        }
        skip_newlines();
    }
    if (!failed()) {
        skip_reserved("esac");
    }
    return node;
}

Parser::NodeRef Parser::parse_bracketed(NodeKind kind, const char* close) {
    lexer_.take();
    NodeRef node(new Node(kind));
    node->children.add(parse_list());
    if (failed()) {
        return node;
    }
    if (!at_operator(close) && !at_reserved(close)) {
        return fail_at_token(close);
    }
    lexer_.take();
    return node;
}

static bool is_redirection(const String& text) {
    return text[0] == '<' || text[0] == '>';
}

// The mark of a here-text without its quotes; whether there were any.
static bool unquote_mark(String& mark) {
    String plain;
    for (int i = 0; i < mark.length(); ++i) {
        if (mark[i] != '\'' && mark[i] != '"' && mark[i] != '\\') {
            plain.add(mark[i]);
        }
    }
    const bool quoted = plain.length() != mark.length();
    mark = moved(plain);
    return quoted;
}

// `fd` is the number before the operator, -1 if there was none. False if there is no redirection here.
bool Parser::parse_redirection(Node& node, int fd) {
    if (lexer_.peek().kind != TokenKind::Operator || !is_redirection(lexer_.peek().text)) {
        return false;
    }
    const String text = lexer_.take().text;
    Redirection redirection = {fd >= 0 ? fd : text[0] == '<' ? 0 : 1, RedirectionKind::Read, String(), {}};
    if (text.equals(">") || text.equals(">|")) {
        redirection.kind = RedirectionKind::Write;
    } else if (text.equals(">>")) {
        redirection.kind = RedirectionKind::Append;
    } else if (text.equals("<>")) {
        redirection.kind = RedirectionKind::ReadWrite;
    } else if (text.equals(">&") || text.equals("<&")) {
        redirection.kind = RedirectionKind::Duplicate;
    } else if (text.equals("<<")) {
        redirection.kind = RedirectionKind::Here;
    }
    if (lexer_.peek().kind != TokenKind::Word) {
        fail_at_token(redirection.kind == RedirectionKind::Duplicate ? "a descriptor" : "a file");
        return true;
    }
    redirection.word = lexer_.take().text;
    if (redirection.kind == RedirectionKind::Here) {
        redirection.here = Shared<HereText>(new HereText);
        redirection.here->expands = !unquote_mark(redirection.word);
        redirection.here->mark = redirection.word;
        lexer_.expect_here_text(redirection.here);
    }
    node.redirections.add(moved(redirection));
    return true;
}

void Parser::parse_redirections(Node& node) {
    for (;;) {
        long fd;
        if (lexer_.peek().kind == TokenKind::Word && lexer_.peek().glued &&
            parse_number(lexer_.peek().text.c_str(), fd) && fd >= 0 && fd < 256) {
            lexer_.take();
            parse_redirection(node, static_cast<int>(fd));
        } else if (!parse_redirection(node, -1)) {
            return;
        }
        if (failed()) {
            return;
        }
    }
}
