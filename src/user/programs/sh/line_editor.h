// A line from a terminal, with editing and history.
#pragma once

#include "user/programs/sh/text.h"

enum class LineResult { Line, Interrupted, End };
LineResult edit_line(const char* prompt, String& line);
