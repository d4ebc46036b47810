#include "user/programs/sh/lexer.h"

static constexpr const char* operators[] = {"&&", "||", ";;", "<<", ">>", ">&", "<&", "<>", ">|",
                                            "|",  "&",  ";",  "<",  ">",  "(",  ")"};

const Token& Lexer::peek() {
    if (!have_token_) {
        read_token();
        have_token_ = true;
    }
    return token_;
}

Token Lexer::take() {
    peek();
    have_token_ = false;
    return moved(token_);
}

int Lexer::position() { return peek().start; }

void Lexer::lacks(const char* what) {
    if (!incomplete_) {
        missing_ = what;
    }
    incomplete_ = true;
}

void Lexer::skip_blanks() {
    for (;;) {
        if (input_[at_] == ' ' || input_[at_] == '\t' || input_[at_] == '\r') {
            ++at_;
        } else if (input_[at_] == '\\' && input_[at_ + 1] == '\n') {
            at_ += 2;
            if (input_[at_] == '\0') {
                lacks("the rest of the line");
            }
        } else if (input_[at_] == '#') {
            while (input_[at_] != '\0' && input_[at_] != '\n') {
                ++at_;
            }
        } else {
            return;
        }
    }
}

int Lexer::operator_length() const {
    for (const char* candidate : operators) {
        const int length = static_cast<int>(strlen(candidate));
        if (strncmp(input_ + at_, candidate, static_cast<size_t>(length)) == 0) {
            return length;
        }
    }
    return 0;
}

void Lexer::read_token() {
    skip_blanks();
    token_ = Token();
    token_.start = at_;
    if (input_[at_] == '\0') {
        token_.kind = TokenKind::End;
        if (!here_texts_.empty()) {
            lacks("the end of a here-text");
        }
    } else if (input_[at_] == '\n') {
        token_.kind = TokenKind::Newline;
        ++at_;
        read_here_texts();
    } else if (const int length = operator_length()) {
        token_.kind = TokenKind::Operator;
        token_.text = String(input_ + at_, length);
        at_ += length;
    } else {
        token_.kind = TokenKind::Word;
        read_word();
        token_.text = String(input_ + token_.start, at_ - token_.start);
    }
    token_.end = at_;
    token_.glued = input_[at_] == '<' || input_[at_] == '>';
}

void Lexer::read_word() {
    for (;;) {
        const char c = input_[at_];
        if (c == '\0' || c == '\n' || c == ' ' || c == '\t' || c == '\r' || operator_length() > 0) {
            return;
        }
        if (c == '\\') {
            if (input_[at_ + 1] == '\0') {
                ++at_;
                return;
            }
            at_ += 2;
        } else if (c == '\'' || c == '"' || c == '`') {
            if (!skip_quoted(c)) {
                return;
            }
        } else if (c == '$') {
            if (!skip_dollar()) {
                return;
            }
        } else {
            ++at_;
        }
    }
}

// At a quote: past its twin. Inside double quotes dollars and backslashes still count.
bool Lexer::skip_quoted(char quote) {
    for (++at_; input_[at_] != quote;) {
        if (input_[at_] == '\0') {
            lacks(quote == '\'' ? "a closing '" : quote == '"' ? "a closing \"" : "a closing `");
            return false;
        }
        if (quote != '\'' && input_[at_] == '\\' && input_[at_ + 1] != '\0') {
            at_ += 2;
        } else if (quote == '"' && input_[at_] == '$') {
            if (!skip_dollar()) {
                return false;
            }
        } else if (quote == '"' && input_[at_] == '`') {
            if (!skip_quoted('`')) {
                return false;
            }
        } else {
            ++at_;
        }
    }
    ++at_;
    return true;
}

bool Lexer::skip_dollar() {
    ++at_;
    if (input_[at_] == '(') {
        return skip_balanced('(', ')');
    }
    if (input_[at_] == '{') {
        return skip_balanced('{', '}');
    }
    return true;
}

bool Lexer::skip_balanced(char open, char close) {
    int depth = 0;
    for (;;) {
        const char c = input_[at_];
        if (c == '\0') {
            lacks(close == ')' ? "a closing )" : "a closing }");
            return false;
        }
        if (c == '\\' && input_[at_ + 1] != '\0') {
            at_ += 2;
            continue;
        }
        if (c == '\'' || c == '"' || c == '`') {
            if (!skip_quoted(c)) {
                return false;
            }
            continue;
        }
        depth += c == open;
        depth -= c == close;
        ++at_;
        if (depth == 0) {
            return true;
        }
    }
}

void Lexer::read_here_texts() {
    for (Shared<HereText>& here : here_texts_) {
        here->text.clear();
        for (;;) {
            if (input_[at_] == '\0') {
                lacks("the end of a here-text");
                return;
            }
            const char* line = input_ + at_;
            const char* newline = strchr(line, '\n');
            const int length = newline != nullptr ? static_cast<int>(newline - line) : static_cast<int>(strlen(line));
            at_ += length + (newline != nullptr);
            if (length == here->mark.length() && strncmp(line, here->mark.c_str(), static_cast<size_t>(length)) == 0) {
                break;
            }
            here->text.append(line, length);
            here->text.add('\n');
        }
    }
    here_texts_.clear();
}
