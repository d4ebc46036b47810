#include "user/programs/sh/variables.h"

#include <ctype.h>

namespace variables {

namespace {

struct Variable {
    String name, value;
    bool exported;
};
struct FunctionEntry {
    String name;
    Shared<Node> body;
};

List<Variable> all;
List<FunctionEntry> functions;

Variable* find(const char* name) {
    for (Variable& variable : all) {
        if (variable.name.equals(name)) {
            return &variable;
        }
    }
    return nullptr;
}

String entry_of(const Variable& variable) {
    String entry = variable.name;
    entry.add('=');
    entry.append(variable.value);
    return entry;
}

}  // namespace

List<String> arguments;

void take_environment(char** environment) {
    for (; *environment != nullptr; ++environment) {
        const char* equals = strchr(*environment, '=');
        if (equals != nullptr) {
            const String name(*environment, static_cast<int>(equals - *environment));
            set(name.c_str(), equals + 1);
            export_name(name.c_str());
        }
    }
}

const char* get(const char* name) {
    const Variable* variable = find(name);
    return variable != nullptr ? variable->value.c_str() : nullptr;
}

void set(const char* name, const char* value) {
    if (Variable* variable = find(name)) {
        variable->value = value;
    } else {
        all.add({name, value, false});
    }
}

void assign(const char* assignment) {
    const char* equals = strchr(assignment, '=');
    set(String(assignment, static_cast<int>(equals - assignment)).c_str(), equals + 1);
}

void export_name(const char* name) {
    if (find(name) == nullptr) {
        set(name, "");
    }
    find(name)->exported = true;
}

void unset(const char* name) {
    for (int i = 0; i < all.count(); ++i) {
        if (all[i].name.equals(name)) {
            all.remove(i);
            return;
        }
    }
}

bool is_name(const char* text) {
    if (*text == '\0' || isdigit(static_cast<unsigned char>(*text))) {
        return false;
    }
    for (; *text != '\0'; ++text) {
        if (!isalnum(static_cast<unsigned char>(*text)) && *text != '_') {
            return false;
        }
    }
    return true;
}

List<String> list(bool exported_only) {
    List<String> entries;
    for (const Variable& variable : all) {
        if (variable.exported || !exported_only) {
            entries.add(entry_of(variable));
        }
    }
    sort_strings(entries);
    return entries;
}

Environment::Environment(const List<String>& additions) {
    for (const Variable& variable : all) {
        bool replaced = !variable.exported;
        for (const String& addition : additions) {
            replaced |= strncmp(addition.c_str(), variable.name.c_str(), static_cast<size_t>(variable.name.length())) == 0 &&
                        addition[variable.name.length()] == '=';
        }
        if (!replaced) {
            entries_.add(entry_of(variable));
        }
    }
    for (const String& addition : additions) {
        entries_.add(addition);
    }
    for (const String& entry : entries_) {
        pointers_.add(const_cast<char*>(entry.c_str()));
    }
    pointers_.add(nullptr);
}

void define_function(const char* name, const Shared<Node>& body) {
    undefine_function(name);
    functions.add({name, body});
}

Shared<Node> find_function(const char* name) {
    for (const FunctionEntry& function : functions) {
        if (function.name.equals(name)) {
            return function.body;
        }
    }
    return {};
}

void undefine_function(const char* name) {
    for (int i = 0; i < functions.count(); ++i) {
        if (functions[i].name.equals(name)) {
            functions.remove(i);
            return;
        }
    }
}

void each_function(void (*visit)(const char* name, void* context), void* context) {
    for (const FunctionEntry& function : functions) {
        visit(function.name.c_str(), context);
    }
}

}  // namespace variables
