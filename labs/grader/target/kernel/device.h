// /dev/grader: how the program at EL0 gets its orders and gives its verdicts. Reading gives the seed and the names of the checks,
// a line each; a write is one command: `begin CHECK`, `pass`, `fail TEXT`, `look TEXT`, `missing CHECK`, `end`.
#pragma once

void make_grader_device();
