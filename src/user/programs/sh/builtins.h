// Commands that the shell runs itself, because they change the shell.
#pragma once

#include "user/programs/sh/text.h"

using Builtin = int (*)(const List<String>& words);
Builtin find_builtin(const char* name);     // nullptr if it is none
void each_builtin(void (*visit)(const char* name, void* context), void* context);
