// The built-in commands that have a file of their own; builtins.cpp holds the table and the rest.
#pragma once

#include "user/programs/sh/text.h"

// builtin_jobs.cpp
int do_jobs(const List<String>& words);
int do_fg(const List<String>& words);
int do_bg(const List<String>& words);
int do_wait(const List<String>& words);
int do_kill(const List<String>& words);
// builtin_test.cpp
int do_test(const List<String>& words);
