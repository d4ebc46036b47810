// SharedSegment: System V shared memory: pages that stay until they are removed, attached to processes by number.
//
// The segment is the source of the regions that attach it, so that what becomes of regions becomes of attachments: fork copies
// them, exec and exit drop them, with no step of their own. A removed segment is found no more and goes with its last
// attachment. Lock: segments_lock for the table and the status. Counterpart in the original: sysv_shm.c, shmfork, shmexec.
#pragma once

#include "abi/forklore.h"
#include "kernel/fs/vnode.h"
#include "mm/shared_memory.h"

extern SpinLock segments_lock;

class SharedSegment final : public PageSource, public RefCounted {
public:
    static Zone& zone();
    SharedSegment(int64_t key, uint64_t bytes, uint32_t mode, const Identity& maker, Ref<SharedMemory> pages);
    void last_reference_gone();

    // The segment of that key, made if `flags` say so: its number. NoEntry, Exists, AccessDenied, Invalid (its size), NoSpace
    // (there are as many as may be), NoMemory (also: all together would be too large).
    static Result<int32_t> get(int64_t key, uint64_t bytes, uint32_t flags, const Identity& who);
    // By number; `permission` (0400 to read, 0200 to write) must be granted. Invalid, AccessDenied.
    static Result<Ref<SharedSegment>> find(int32_t id, uint32_t permission, const Identity& who);
    // The segment in that place of the table, for lists: by its number from there on. Invalid: the place is empty.
    static Result<int32_t> id_in_place(uint64_t place);

    const uint64_t bytes;
    ForkloreSegment status() EXCLUDES(segments_lock);
    // Another owner and other permissions. NotPermitted: `who` neither owns it nor made it.
    Result<> change(const ForkloreSegment& wanted, const Identity& who) EXCLUDES(segments_lock);
    // It is found no more. NotPermitted as above.
    Result<> remove(const Identity& who) EXCLUDES(segments_lock);
    // A program attached it by a call.
    void attached_by(Pid pid) EXCLUDES(segments_lock);

    // As a PageSource: each region that refers to it is an attachment.
    Result<PhysAddr> page(uint64_t index) override { return pages_->page(index); }
    uint64_t unmapped_whole() const override { return bytes; }
    void ref_source() override EXCLUDES(segments_lock);
    void unref_source() override EXCLUDES(segments_lock);

private:
    static Result<Ref<SharedSegment>> create(int64_t key, uint64_t bytes, uint32_t mode, const Identity& maker);
    static bool room_for_locked(uint64_t more) REQUIRES(segments_lock);
    static Result<int32_t> put_locked(Ref<SharedSegment>& fresh) REQUIRES(segments_lock);
    Result<int32_t> found_locked(uint64_t bytes, uint32_t flags, const Identity& who) REQUIRES(segments_lock);
    Result<> check_locked(uint32_t permission, const Identity& who) REQUIRES(segments_lock);
    bool controlled_by_locked(const Identity& who) REQUIRES(segments_lock);

    const Ref<SharedMemory> pages_;
    ForkloreSegment status_ GUARDED_BY(segments_lock);
    int32_t id_ GUARDED_BY(segments_lock) = -1;
};
