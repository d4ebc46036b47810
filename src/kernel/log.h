// The kernel log: a ring of text, shown on the console as it comes unless `quiet` was asked for.
//
// Lock: `log` (LockRank::Log) for the ring. The console is not written under it: one core at a time carries what is
// new over; with a spin lock held nothing is carried, and the next caller without one, or an idle core, does it.
#pragma once

#include "base/format.h"

void vlog(std::string_view format, const FormatArgument* arguments, size_t count);

// One line; the newline is added. Any context but inside the log itself.
template <typename... Arguments>
void log(std::string_view format, const Arguments&... arguments) {
    const FormatArgument list[sizeof...(arguments) + 1] = {FormatArgument(arguments)..., FormatArgument(0)};
    vlog(format, list, sizeof...(arguments));
}

// The same for what programs cause as often as they like: beyond a burst some lines a second, and a line that says how many are
// left out.
void vlog_of_program(std::string_view format, const FormatArgument* arguments, size_t count);
template <typename... Arguments>
void log_of_program(std::string_view format, const Arguments&... arguments) {
    const FormatArgument list[sizeof...(arguments) + 1] = {FormatArgument(arguments)..., FormatArgument(0)};
    vlog_of_program(format, list, sizeof...(arguments));
}

bool log_set_quiet(bool quiet);             // keep the lines, do not show them; what it was before
size_t log_read(char* to, size_t capacity); // the newest lines that fit, oldest first
void log_show();                            // shows what was not shown yet, if no spin lock is held
bool log_show_piece();                      // the same, a line's length of it: is there more for the caller to show?

// Who shows it from now on: console::put at first, later the UART's driver. Does not sleep.
void log_set_output(void (*put)(std::string_view text));
