// A greeting for the boot log. The contract of lab 0; `greeting.cpp` is the lab.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"

// Writes "Hello, NAME!" for `name` into `to`, with a zero at its end, and returns the text's length without the zero.
// At most `capacity` bytes of `to` are written. Invalid if the name is empty, NameTooLong if the text with its zero does
// not fit: then nothing is written. Takes no lock and allocates nothing.
Result<size_t> greet(std::string_view name, char* to, size_t capacity);
