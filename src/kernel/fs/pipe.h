// Pipe: bytes from writers to readers through a ring of a few pages, made as they are needed.
//
// Invariant: written_ - read_ <= capacity; both are 0 when the ring is empty, so that small talk stays in one page.
// Locks: `lock_`, a mutex (copying to a program may sleep), for ring and ends; `sleep_lock_` for the sleepers. Nobody is
// woken while the mutex is held, so that the one who wakes finds it free. Counterpart: struct pipe.
#pragma once

#include "kernel/fs/file.h"

struct PipeEnds {
    Ref<File> reader, writer;
};
void make_pipe_zone();
// `flags`: O_NONBLOCK for both ends. NoMemory.
Result<PipeEnds> make_pipe(unsigned flags, const Identity& owner);
