// Records of what checks found, for the grader, over the second serial line: numbered, and signed with this run's key.
//
//     <number> <kind> <check> <text> <signature>
//
// A board has one line: there a record stands between the characters 0x02 and 0x03, amid what the console says.
// Kinds: begin, look, pass, fail, late, end. Numbers begin with 0 at each boot. One thread of control makes them: the
// runner's, or that of the program at EL0.
#pragma once

#include <string_view>

namespace records {

// Texts are cut to what fits; line ends in them become 0x1e.
void put(std::string_view kind, std::string_view check, std::string_view text = {});

// A check begins: from now on it has orders.patience of guest time. Without an end by then, the run ends with a record
// and with what every thread was doing.
void begin(std::string_view check);
void pass();
// The machine stops here: what a failed check leaves behind is nobody's business.
[[noreturn]] void fail(std::string_view text);
[[noreturn]] void end();
// The machine stands still until the grader, at the debug port, has seen what it wants; `text` says what to look at.
void look(std::string_view text);

}  // namespace records
