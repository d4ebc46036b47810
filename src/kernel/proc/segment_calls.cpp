// shmget, shmat, shmdt, shmctl: the doors to shared segments.
#include "kernel/proc/calls.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/shared_segment.h"
#include "mm/user_copy.h"

namespace {

AddressSpace& current_space() { return *cpu::current_thread()->task->space; }

// As much as the caller asked for, where it asked for it.
Result<UserAddr> attach(AddressSpace& space, SharedSegment& segment, UserAddr wanted, bool read_only) {
    const Protection protection{.read = true, .write = !read_only, .execute = false};
    const UserAddr at = TRY(space.map_source(wanted, segment.bytes, protection, segment, 0, {.shared = true, .read_only = read_only}));
    if (!wanted.null() && at != wanted) {
        TRY(space.unmap_whole(at));
        return Error::Invalid;      // something else is there
    }
    return at;
}

}  // namespace

Result<uint64_t> sys_shmget(UserFrame& frame) {
    const auto flags = static_cast<uint32_t>(frame.x[2]);
    const auto key = static_cast<int64_t>(frame.x[0]);
    return static_cast<uint64_t>(TRY(SharedSegment::get(key, frame.x[1], flags, current_credentials()->identity())));
}

Result<uint64_t> sys_shmat(UserFrame& frame) {
    UserAddr wanted(frame.x[1]);
    const bool read_only = (frame.x[2] & FL_SHM_RDONLY) != 0;
    if ((frame.x[2] & FL_SHM_RND) != 0) {
        wanted = wanted.page_down();
    }
    if (!wanted.page_aligned()) {
        return Error::Invalid;
    }
    Ref<SharedSegment> segment =
        TRY(SharedSegment::find(static_cast<int32_t>(frame.x[0]), read_only ? 0400 : 0600, current_credentials()->identity()));
    const UserAddr at = TRY(attach(current_space(), *segment, wanted, read_only));
    segment->attached_by(current_proc().pid);
    return at.value;
}

Result<uint64_t> sys_shmdt(UserFrame& frame) {
    TRY(current_space().unmap_whole(UserAddr(frame.x[0])));
    return 0;
}

Result<uint64_t> sys_shmctl(UserFrame& frame) {
    const Ref<Credentials> credentials = current_credentials();
    const Identity who = credentials->identity();
    UserAddr status_at(frame.x[2]);
    auto id = static_cast<int32_t>(frame.x[0]);
    const uint64_t command = frame.x[1];
    if (command == FL_SHM_STAT) {
        id = TRY(SharedSegment::id_in_place(frame.x[0]));
    }
    const bool looks = command == FL_IPC_STAT || command == FL_SHM_STAT;
    Ref<SharedSegment> segment = TRY(SharedSegment::find(id, looks ? 0400 : 0, who));
    if (looks) {
        TRY(copy_out_value(status_at, segment->status()));
        return command == FL_SHM_STAT ? static_cast<uint64_t>(id) : 0;
    }
    switch (command) {
    case FL_IPC_RMID:
        TRY(segment->remove(who));
        return 0;
    case FL_IPC_SET: {
        auto wanted = TRY(copy_in_value<ForkloreSegment>(status_at));
        TRY(segment->change(wanted, who));
        return 0;
    }
    default:
        return Error::Invalid;
    }
}
