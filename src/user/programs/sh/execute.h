// Runs what the parser made.
#pragma once

#include "user/programs/sh/node.h"

// The exit status; $? is set too.
int execute(const Shared<Node>& node);
// In a process of its own that is this shell's copy: runs and ends it.
[[noreturn]] void execute_and_exit(const Shared<Node>& node);
// Replaces the process by a program; ends it with 126 or 127 if it can not.
[[noreturn]] void execute_program(const List<String>& words, const List<String>& assignments);
// What a command prints, without the newlines at its end. False if no process could be made.
bool capture_output(const char* command, String& output);
