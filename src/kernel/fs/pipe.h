// Pipe: bytes from writers to readers through a ring.
//
// Invariant: written_ - read_ <= ring size; both are 0 when the ring is empty, so that small talk stays in one page.
// Locks: `lock_` (a mutex: copying to a program may sleep) for the ring; `wait_lock_` for the sleepers.
#pragma once

#include "kernel/fs/file.h"

struct PipeEnds {
    Ref<File> reader, writer;
};
// `flags`: O_NONBLOCK for both. NoMemory.
Result<PipeEnds> make_pipe(unsigned flags);

Zone& pipe_zone();
