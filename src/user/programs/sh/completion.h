// What Tab offers for the word in front of the cursor: commands at the beginning of a command, else files.
#pragma once

#include "user/programs/sh/text.h"

struct Completion {
    int start = 0;              // where the part of the word that is completed begins
    List<String> candidates;    // sorted, each once; folders end with a slash
    // What all candidates begin with.
    String common() const;
};
Completion complete(const String& line, int cursor);

// A name as the shell reads it back: what means something to it gets a backslash.
String quoted_name(const String& name);
