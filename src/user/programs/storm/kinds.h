// The kinds of events that a storm is made of. Each makes at least one process, or is refused one, and leaves none behind
// but orphans, which init collects.
#pragma once

#include "board.h"

namespace storm {

struct Kind {
    const char* name;
    unsigned weight;
    void (*run)(Random& random);
};
extern const Kind process_kinds[];      // each list ends with a kind without a name
extern const Kind vfork_kinds[];
extern const Kind signal_kinds[];
extern const Kind thread_kinds[];

// What an exec'ed copy of this program does: `storm as-child STATUS MASK`.
int exec_child(int argc, char** argv);
// exec of that; returns only on failure.
void become_exec_child(int status);

}  // namespace storm
