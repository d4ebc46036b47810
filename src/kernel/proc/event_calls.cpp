// kqueue and kevent: the doors to queues of events.
#include "kernel/proc/calls.h"
#include "kernel/proc/kqueue.h"
#include "kernel/proc/proc.h"
#include "kernel/time_values.h"
#include "machine/clock.h"
#include "mm/user_copy.h"

Result<uint64_t> sys_kqueue(UserFrame&) {
    auto fd = TRY(current_proc().files->reserve(current_limit(FL_RLIMIT_NOFILE)));
    Ref<Vnode> queue = Ref<Vnode>::adopt(*TRY(zone_new<Kqueue>({})).release());
    Ref<File> file = TRY(File::open(std::move(queue), FL_O_RDWR | FL_O_CLOFORK));
    return static_cast<uint64_t>(std::move(fd).fill(std::move(file), false));
}

Result<uint64_t> sys_kevent(UserFrame& frame) {
    constexpr uint64_t most = 4096;     // changes, or events, of one call
    if (frame.x[2] > most || frame.x[4] > most) {
        return Error::Invalid;
    }
    FileTable& files = *current_proc().files;
    Ref<File> file = TRY(files.get(frame.x[0] < FileTable::capacity ? static_cast<int>(frame.x[0]) : -1));
    if (file->vnode().kind() != VnodeKind::Queue) {
        return Error::BadDescriptor;
    }
    KeventRequest request{.changes = UserAddr(frame.x[1]), .events = UserAddr(frame.x[3]),
                          .change_count = static_cast<unsigned>(frame.x[2]), .event_count = static_cast<unsigned>(frame.x[4]),
                          .deadline = never};
    if (UserAddr timeout_at(frame.x[5]); !timeout_at.null()) {
        auto timeout = TRY(copy_in_value<ForkloreTime>(timeout_at));
        request.deadline = machine_clock::now() + TRY(nanoseconds_asked(timeout));
    }
    return uint64_t{TRY(static_cast<Kqueue&>(file->vnode()).kevent(request, files))};
}
