// Variables, positional parameters, functions.
#pragma once

#include "user/programs/sh/node.h"

namespace variables {

void take_environment(char** environment);

const char* get(const char* name);      // null if it is not set
void set(const char* name, const char* value);
// "NAME=value"
void assign(const char* assignment);
void export_name(const char* name);
void unset(const char* name);
bool is_name(const char* text);

// The exported ones as "NAME=value", sorted; all of them if asked.
List<String> list(bool exported_only);

// For the environment of a program: null-ended, good until a variable changes.
class Environment {
public:
    explicit Environment(const List<String>& additions);
    char** vector() { return pointers_.begin(); }

private:
    List<String> entries_;
    List<char*> pointers_;
};

// $1, $2, ...
extern List<String> arguments;

void define_function(const char* name, const Shared<Node>& body);
Shared<Node> find_function(const char* name);
void undefine_function(const char* name);
void each_function(void (*visit)(const char* name, void* context), void* context);

}  // namespace variables
