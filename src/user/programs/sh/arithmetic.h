// $((...)): whole numbers, with C's operators: ?: || && | ^ & == != < <= > >= << >> + - * / % ! ~ - ( ), and = of a name.
#pragma once

#include "user/programs/sh/text.h"

// False after a complaint.
bool evaluate_arithmetic(const char* text, long& value);
