// $name, ${...}, $(...), $((...)), `...`.
#include <ctype.h>
#include <errno.h>
#include <unistd.h>

#include "user/programs/sh/arithmetic.h"
#include "user/programs/sh/execute.h"
#include "user/programs/sh/expand.h"
#include "user/programs/sh/expander.h"
#include "user/programs/sh/pattern.h"
#include "user/programs/sh/shell.h"
#include "user/programs/sh/variables.h"

bool parameter_value(const String& name, String& value) {
    long number;
    if (parse_number(name.c_str(), number)) {
        if (number == 0) {
            value = shell.name;
            return true;
        }
        if (number > variables::arguments.count()) {
            return false;
        }
        value = variables::arguments[static_cast<int>(number - 1)];
        return true;
    }
    if (name.length() == 1) {
        switch (name[0]) {
        case '?': value = number_text(shell.last_status); return true;
        case '$': value = number_text(shell.pid); return true;
        case '#': value = number_text(variables::arguments.count()); return true;
        case '!':
            if (shell.last_background == 0) {
                return false;
            }
            value = number_text(shell.last_background);
            return true;
        case '@':
        case '*':
            value.clear();
            for (const String& argument : variables::arguments) {
                if (!value.empty()) {
                    value.add(' ');
                }
                value.append(argument);
            }
            return !variables::arguments.empty();
        }
    }
    const char* found = variables::get(name.c_str());
    if (found != nullptr) {
        value = found;
    }
    return found != nullptr;
}

// The length of the name at `raw`: letters, one digit, or one special character.
static int name_length(const char* raw, int length, bool braces) {
    if (length == 0) {
        return 0;
    }
    if (isdigit(static_cast<unsigned char>(raw[0]))) {
        int used = 1;
        while (braces && used < length && isdigit(static_cast<unsigned char>(raw[used]))) {
            ++used;
        }
        return used;
    }
    if (strchr("?$#!@*", raw[0]) != nullptr) {
        return 1;
    }
    int used = 0;
    while (used < length && (isalnum(static_cast<unsigned char>(raw[used])) || raw[used] == '_')) {
        ++used;
    }
    return used;
}

// The length up to the bracket that closes the one at raw[0], both included; 0 if there is none.
static int bracketed_length(const char* raw, int length, char open, char close) {
    int depth = 0;
    char quote = '\0';
    for (int i = 0; i < length; ++i) {
        const char c = raw[i];
        if (c == '\\' && quote != '\'') {
            ++i;
        } else if (quote != '\0') {
            quote = c == quote ? '\0' : quote;
        } else if (c == '\'' || c == '"') {
            quote = c;
        } else {
            depth += c == open;
            depth -= c == close;
            if (depth == 0) {
                return i + 1;
            }
        }
    }
    return 0;
}

void Expander::add_arguments(bool separate, bool quoted) {
    for (int i = 0; i < variables::arguments.count(); ++i) {
        if (i > 0) {
            add(' ', quoted ? (separate ? Kind::Break : Kind::Quoted) : Kind::Splitting);
        }
        if (quoted) {
            add('\0', Kind::Mark);
        }
        add_value(variables::arguments[i].c_str(), quoted);
    }
}

bool Expander::add_command(const String& command, bool quoted) {
    String output;
    if (!capture_output(command.c_str(), output)) {
        return false;
    }
    int length = output.length();
    while (length > 0 && output[length - 1] == '\n') {
        --length;
    }
    output.cut(length);
    add_value(output.c_str(), quoted);
    return true;
}

int Expander::add_dollar(const char* raw, int length, bool quoted) {
    if (length > 1 && raw[0] == '(') {
        const int whole = bracketed_length(raw, length, '(', ')');
        if (whole == 0) {
            complain("$(", "a closing ) is missing");
            return -1;
        }
        if (raw[1] == '(' && whole > 3 && raw[whole - 2] == ')') {
            Expander inner;
            long value;
            if (!inner.add_text(raw + 2, whole - 4, true) || !evaluate_arithmetic(inner.plain().c_str(), value)) {
                return -1;
            }
            add_value(number_text(value).c_str(), quoted);
            return whole;
        }
        return add_command(String(raw + 1, whole - 2), quoted) ? whole : -1;
    }
    if (length > 1 && raw[0] == '{') {
        return add_braces(raw, length, quoted);
    }
    const int used = name_length(raw, length, false);
    if (used == 0) {
        add('$', quoted ? Kind::Quoted : Kind::Literal);
        return 0;
    }
    if (raw[0] == '@' || raw[0] == '*') {
        add_arguments(raw[0] == '@', quoted);
    } else {
        String value;
        parameter_value(String(raw, used), value);
        add_value(value.c_str(), quoted);
    }
    return used;
}

int Expander::add_backquotes(const char* raw, int length, bool quoted) {
    String command;
    for (int i = 0; i < length; ++i) {
        if (raw[i] == '`') {
            return add_command(command, quoted) ? i + 1 : -1;
        }
        if (raw[i] == '\\' && i + 1 < length && strchr("$`\\", raw[i + 1]) != nullptr) {
            ++i;
        }
        command.add(raw[i]);
    }
    complain("`", "a closing ` is missing");
    return -1;
}

// ${name}, ${#name}, ${name<operation>}.
int Expander::add_braces(const char* raw, int length, bool quoted) {
    const int whole = bracketed_length(raw, length, '{', '}');
    const String inside = whole > 2 ? String(raw + 1, whole - 2) : String();
    const bool wants_length = inside[0] == '#' && inside.length() > 1;
    const char* name_start = inside.c_str() + wants_length;
    const int used = name_length(name_start, inside.length() - wants_length, true);
    if (used == 0) {
        complain(String(raw - 1, whole + 1).c_str(), "not a parameter");
        return -1;
    }
    const String name(name_start, used);
    const char* operation = name_start + used;
    if (wants_length) {
        String value;
        parameter_value(name, value);
        add_value(number_text(value.length()).c_str(), quoted);
        return whole;
    }
    if (*operation == '\0' && (name.equals("@") || name.equals("*"))) {
        add_arguments(name.equals("@"), quoted);
        return whole;
    }
    return add_operation(name, operation, quoted) ? whole : -1;
}

// Cuts the shortest or longest beginning (or end) that matches.
static String without_match(const String& value, const String& pattern, bool beginning, bool longest) {
    const int length = value.length();
    for (int step = 0; step <= length; ++step) {
        const int cut = longest ? length - step : step;
        const String part = beginning ? value.part(0, cut) : value.part(length - cut, cut);
        if (pattern_matches(pattern.c_str(), part.c_str())) {
            return beginning ? value.part(cut, length - cut) : value.part(0, length - cut);
        }
    }
    return value;
}

// :- := :+ :? and the same without the colon; # ## % %%.
bool Expander::add_operation(const String& name, const char* operation, bool quoted) {
    String value;
    const bool is_set = parameter_value(name, value);
    if (*operation == '\0') {
        add_value(value.c_str(), quoted);
        return true;
    }
    if (*operation == '#' || *operation == '%') {
        const bool longest = operation[1] == operation[0];
        String pattern;
        if (!expand::pattern(String(operation + 1 + longest), pattern)) {
            return false;
        }
        add_value(without_match(value, pattern, *operation == '#', longest).c_str(), quoted);
        return true;
    }
    const bool present = is_set && (*operation != ':' || !value.empty());
    operation += *operation == ':';
    const char kind = *operation;
    const char* alternative = operation + 1;
    if (kind == '\0' || strchr("-=+?", kind) == nullptr) {
        complain(name.c_str(), "no such operation in ${}");
        return false;
    }
    if (present != (kind == '+')) {
        add_value(kind == '+' ? "" : value.c_str(), quoted);
        return true;
    }
    if (kind == '-' || kind == '+') {
        return add_text(alternative, static_cast<int>(strlen(alternative)), quoted);
    }
    String text;
    if (!expand::single(alternative, text)) {
        return false;
    }
    if (kind == '?') {
        complain(name.c_str(), text.empty() ? "is not set" : text.c_str());
        return false;
    }
    variables::set(name.c_str(), text.c_str());
    add_value(text.c_str(), quoted);
    return true;
}
