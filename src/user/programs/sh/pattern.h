// Patterns with * ? and [...]; a backslash takes the next character as it is.
#pragma once

#include "user/programs/sh/text.h"

bool pattern_matches(const char* pattern, const char* text);
bool pattern_has_magic(const char* pattern);
// The pattern's meaning if it has no magic: without its backslashes.
String pattern_plain(const char* pattern);
// The files that a pattern names, in order; none if there are none.
List<String> pattern_files(const char* pattern);
