// What checks at EL0 share besides user/support/support.h. They run in process 1 of a machine of their own.
#pragma once

#include <string>

// The machine stands still while the grader looks at it from outside: page tables, links of processes. `what` are the words that the
// check's kind of look (`look:` in lab.yaml, labs/grader/look.py) takes.
void let_the_grader_look(const std::string& what);

// The command's status in the guest's shell, -1 if there was none.
int shell(const char* command);

// What the system has at hand, by kind: processes, pages, elements of zones. Runs `work` once to warm it up and then again; the text says
// what the second time took and did not give back, and is empty if nothing is missing.
std::string lost_by(void (*work)());
