#include "user/programs/sh/expand.h"

#include <ctype.h>

#include "user/programs/sh/expander.h"
#include "user/programs/sh/pattern.h"
#include "user/programs/sh/variables.h"

namespace {

bool is_separator(char c) {
    const char* separators = variables::get("IFS");
    return strchr(separators != nullptr ? separators : " \t\n", c) != nullptr;
}

// "~" and "~/..." begin with $HOME.
int tilde_length(const String& raw) {
    return raw[0] == '~' && (raw[1] == '\0' || raw[1] == '/') && variables::get("HOME") != nullptr ? 1 : 0;
}

}  // namespace

void Expander::add_value(const char* value, bool quoted) {
    for (; *value != '\0'; ++value) {
        add(*value, quoted ? Kind::Quoted : Kind::Splitting);
    }
}

// Between double quotes a backslash counts before $ ` " \ and newline only.
bool Expander::add_text(const char* raw, int length, bool quoted) {
    for (int i = 0; i < length; ++i) {
        const char c = raw[i];
        if (c == '$' || c == '`') {
            const int used = c == '$' ? add_dollar(raw + i + 1, length - i - 1, quoted)
                                      : add_backquotes(raw + i + 1, length - i - 1, quoted);
            if (used < 0) {
                return false;
            }
            i += used;
        } else if (c == '\\' && i + 1 < length) {
            if (quoted && strchr("$`\"\\\n", raw[i + 1]) == nullptr) {
                add(c, Kind::Quoted);
            } else if (raw[++i] != '\n') {
                add(raw[i], Kind::Quoted);
            }
        } else if (c == '\'' && !quoted) {
            add('\0', Kind::Mark);
            for (++i; i < length && raw[i] != '\''; ++i) {
                add(raw[i], Kind::Quoted);
            }
        } else if (c == '"' && !quoted) {
            // Up to the twin; a quote inside $(...) or ${...} is not it.
            int depth = 0, end = i + 1;
            for (; end < length && (raw[end] != '"' || depth > 0); ++end) {
                if (raw[end] == '\\' && end + 1 < length) {
                    ++end;
                } else if (raw[end] == '$' && end + 1 < length && (raw[end + 1] == '(' || raw[end + 1] == '{')) {
                    ++depth;
                    ++end;
                } else if (depth > 0 && (raw[end] == ')' || raw[end] == '}')) {
                    --depth;
                }
            }
            const int before = text_.length();
            const bool only_arguments = end == i + 3 && raw[i + 1] == '$' && raw[i + 2] == '@';
            if (!add_text(raw + i + 1, end - i - 1, true)) {
                return false;
            }
            if (text_.length() == before && !only_arguments) {
                add('\0', Kind::Mark);
            }
            i = end;
        } else {
            add(c, quoted ? Kind::Quoted : Kind::Literal);
        }
    }
    return true;
}

String Expander::plain() const {
    String result;
    for (int i = 0; i < text_.length(); ++i) {
        if (kind(i) == Kind::Break) {
            result.add(' ');
        } else if (kind(i) != Kind::Mark) {
            result.add(text_[i]);
        }
    }
    return result;
}

String Expander::pattern() const {
    String result;
    for (int i = 0; i < text_.length(); ++i) {
        if (kind(i) == Kind::Mark) {
            continue;
        }
        if (kind(i) == Kind::Quoted && strchr("*?[]\\!-", text_[i]) != nullptr) {
            result.add('\\');
        }
        result.add(kind(i) == Kind::Break ? ' ' : text_[i]);
    }
    return result;
}

void Expander::finish_field(const String& pattern, bool any, List<String>& result) const {
    if (!any) {
        return;
    }
    if (pattern_has_magic(pattern.c_str())) {
        List<String> files = pattern_files(pattern.c_str());
        if (!files.empty()) {
            for (String& file : files) {
                result.add(moved(file));
            }
            return;
        }
    }
    result.add(pattern_plain(pattern.c_str()));
}

void Expander::fields(List<String>& result) const {
    String field;
    bool any = false;
    for (int i = 0; i < text_.length(); ++i) {
        const char c = text_[i];
        switch (kind(i)) {
        case Kind::Mark:
            any = true;
            continue;
        case Kind::Break:
            finish_field(field, true, result);
            field.clear();
            any = true;
            continue;
        case Kind::Splitting:
            if (is_separator(c)) {
                finish_field(field, any, result);
                field.clear();
                any = false;
                continue;
            }
            if (c == '\\') {
                field.add('\\');
            }
            break;
        case Kind::Quoted:
            if (strchr("*?[\\", c) != nullptr) {
                field.add('\\');
            }
            break;
        case Kind::Literal:
            break;
        }
        field.add(c);
        any = true;
    }
    finish_field(field, any, result);
}

namespace expand {

static bool fill(Expander& expander, const String& raw) {
    const int tilde = tilde_length(raw);
    if (tilde > 0) {
        String home("\"$HOME\"");
        if (!expander.add_text(home.c_str(), home.length(), false)) {
            return false;
        }
    }
    return expander.add_text(raw.c_str() + tilde, raw.length() - tilde, false);
}

bool word(const String& raw, List<String>& fields) {
    Expander expander;
    if (!fill(expander, raw)) {
        return false;
    }
    expander.fields(fields);
    return true;
}

bool words(const List<String>& raw, List<String>& fields) {
    for (const String& one : raw) {
        if (!word(one, fields)) {
            return false;
        }
    }
    return true;
}

bool single(const String& raw, String& result) {
    Expander expander;
    if (!fill(expander, raw)) {
        return false;
    }
    result = expander.plain();
    return true;
}

bool pattern(const String& raw, String& result) {
    Expander expander;
    if (!fill(expander, raw)) {
        return false;
    }
    result = expander.pattern();
    return true;
}

bool here_text(const String& text, String& result) {
    Expander expander;
    if (!expander.add_text(text.c_str(), text.length(), true)) {
        return false;
    }
    result = expander.plain();
    return true;
}

}  // namespace expand
