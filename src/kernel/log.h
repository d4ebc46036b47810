// The kernel log: a ring of text, shown on the console as it comes unless `quiet` was asked for.
#pragma once

#include "base/format.h"

void vlog(std::string_view format, const FormatArgument* arguments, size_t count);

// One line; the newline is added. Any context but inside the log itself.
template <typename... Arguments>
void log(std::string_view format, const Arguments&... arguments) {
    const FormatArgument list[sizeof...(arguments) + 1] = {FormatArgument(arguments)..., FormatArgument(0)};
    vlog(format, list, sizeof...(arguments));
}

void log_set_quiet(bool quiet);             // keep the lines, do not show them
size_t log_read(char* to, size_t capacity); // the newest lines that fit, oldest first
