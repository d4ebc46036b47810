// File: an open file description: a vnode, the flags it was opened with, an offset. Shared by dup and fork.
//
// Lock: the offset of a seekable vnode, for the length of one transfer; the flags are one atomic word.
// Counterpart: struct fileglob.
#pragma once

#include <atomic>

#include "kernel/fs/vnode.h"
#include "machine/mutex.h"
#include "mm/zone.h"

class File final : public RefCounted {
public:
    static Zone& zone();

    // `flags` are FL_O_*; permission was checked. NoMemory, and what Vnode::opened says. A directory wants O_RDONLY.
    static Result<Ref<File>> open(Ref<Vnode> vnode, unsigned flags);
    File(Ref<Vnode> vnode, unsigned flags);

    Vnode& vnode() const { return *vnode_; }
    unsigned flags() const { return flags_.load(std::memory_order_relaxed); }
    void set_flags(unsigned flags);         // O_APPEND and O_NONBLOCK are taken over, the rest stays
    bool readable() const { return (flags() & FL_O_ACCMODE) != FL_O_WRONLY; }
    bool writable() const { return (flags() & FL_O_ACCMODE) != FL_O_RDONLY; }

    // BadDescriptor if not opened for it; IsDirectory; else as Vnode says. `size_limit` is RLIMIT_FSIZE.
    Result<size_t> read(const IoBuffer& buffer);
    Result<size_t> write(const IoBuffer& buffer, uint64_t size_limit = ~0ull);
    Result<uint64_t> seek(int64_t offset, unsigned whence);     // IllegalSeek, Invalid, Overflow
    // Fills the buffer with ForkloreDirent records; 0 at the end. NotDirectory, Invalid (not even one fits).
    Result<size_t> list(const IoBuffer& buffer);

    void last_reference_gone();             // tells the vnode, and is gone

private:
    Ref<Vnode> vnode_;
    std::atomic<unsigned> flags_;
    Mutex offset_lock_{LockRank::FileOffset, "file offset"};
    std::atomic<uint64_t> offset_{0};       // written under offset_lock_
};
