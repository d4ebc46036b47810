// The console before and under the drivers: polled output that works from any context, panic included.
#pragma once

#include <string_view>

namespace console {

void put(std::string_view text);    // "\n" is sent as CR LF
void flush();                       // returns when the last character has left the machine

}  // namespace console
