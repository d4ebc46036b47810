// System V shared memory. See shared_segment.h.
#include "kernel/proc/shared_segment.h"

#include "kernel/proc/proc.h"
#include "kernel/time_values.h"
#include "kernel/timer.h"
#include "machine/clock.h"

SpinLock segments_lock{LockRank::Segments, "segments"};

namespace {

// A number is place + generation * places: one of a segment that is gone names nothing for long.
constexpr int32_t places = FORKLORE_SEGMENTS_MAX;
constexpr int32_t generations = (1 << 30) / places;
Ref<SharedSegment> segments[places] GUARDED_BY(segments_lock);
int32_t generation[places] GUARDED_BY(segments_lock);

ForkloreTime time_now() { return time_of(machine_clock::now() + realtime_offset()); }

}  // namespace

Zone& SharedSegment::zone() {
    static Zone& zone = zone_create({.name = "segments", .element_size = sizeof(SharedSegment)}).value();
    return zone;
}

SharedSegment::SharedSegment(int64_t key, uint64_t size, uint32_t mode, const Identity& maker, Ref<SharedMemory> pages)
    : bytes(size), pages_(std::move(pages)),
      status_{.key = key, .bytes = size, .attachments = 0,
              .uid = maker.uid, .gid = maker.gid,
              .maker_uid = maker.uid, .maker_gid = maker.gid, .mode = mode & 0777,
              .maker = number(current_proc().pid), .last = 0, .attached = {}, .detached = {}, .changed = time_now()} {}

void SharedSegment::last_reference_gone() { ZoneDelete<SharedSegment>{}(*this); }

Result<Ref<SharedSegment>> SharedSegment::create(int64_t key, uint64_t bytes, uint32_t mode, const Identity& maker) {
    if (bytes == 0 || bytes > FORKLORE_SEGMENT_BYTES_MAX) {
        return Error::Invalid;
    }
    Ref<SharedMemory> pages = TRY(SharedMemory::create(PageCount::covering(bytes)));
    auto segment = TRY(zone_new<SharedSegment>({}, key, bytes, mode, maker, std::move(pages)));
    return Ref<SharedSegment>::adopt(*segment.release());
}

// --- the table ---

// All together, as nobody's end gives them back: a quarter of the memory (other systems' SHMALL).
bool SharedSegment::room_for_locked(uint64_t more) {
    for (const Ref<SharedSegment>& segment : segments) {
        more += segment ? segment->bytes : 0;
    }
    return more <= pages::stats().total.bytes() / 4;
}

Result<int32_t> SharedSegment::put_locked(Ref<SharedSegment>& fresh) {
    if (!room_for_locked(fresh->bytes)) {
        return Error::NoMemory;
    }
    for (int32_t place = 0; place < places; ++place) {
        if (!segments[place]) {
            generation[place] = (generation[place] + 1) % generations;
            fresh->id_ = place + generation[place] * places;
            segments[place] = std::move(fresh);
            return segments[place]->id_;
        }
    }
    return Error::NoSpace;
}

Result<int32_t> SharedSegment::get(int64_t key, uint64_t bytes, uint32_t flags, const Identity& who) {
    Ref<SharedSegment> fresh;       // made without the lock: somebody may be faster
    for (;;) {
        {
            SpinGuard guard(segments_lock);
            for (Ref<SharedSegment>& segment : segments) {
                if (key != FL_IPC_PRIVATE && segment && segment->status_.key == key) {
                    return segment->found_locked(bytes, flags, who);
                }
            }
            if (fresh) {
                return put_locked(fresh);
            }
        }
        if (key != FL_IPC_PRIVATE && (flags & FL_IPC_CREAT) == 0) {
            return Error::NoEntry;
        }
        fresh = TRY(create(key, bytes, flags, who));
    }
}

Result<int32_t> SharedSegment::found_locked(uint64_t wanted, uint32_t flags, const Identity& who) {
    if ((flags & FL_IPC_CREAT) != 0 && (flags & FL_IPC_EXCL) != 0) {
        return Error::Exists;
    }
    TRY(check_locked(flags & 0600, who));
    return wanted <= bytes ? Result<int32_t>(id_) : Error::Invalid;
}

Result<Ref<SharedSegment>> SharedSegment::find(int32_t id, uint32_t permission, const Identity& who) {
    if (id < 0) {
        return Error::Invalid;
    }
    SpinGuard guard(segments_lock);
    Ref<SharedSegment>& segment = segments[id % places];
    if (!segment || segment->id_ != id) {
        return Error::Invalid;
    }
    TRY(segment->check_locked(permission, who));
    return segment;
}

Result<int32_t> SharedSegment::id_in_place(uint64_t place) {
    SpinGuard guard(segments_lock);
    return place < places && segments[place] ? Result<int32_t>(segments[place]->id_) : Error::Invalid;
}

// --- who may what ---

Result<> SharedSegment::check_locked(uint32_t permission, const Identity& who) {
    const bool owns = who.uid == status_.uid || who.uid == status_.maker_uid;
    const bool shares = who.member_of(status_.gid) || who.member_of(status_.maker_gid);
    const uint32_t granted = owns ? status_.mode : shares ? status_.mode << 3 : status_.mode << 6;
    return who.root() || (permission & ~granted) == 0 ? Result<>{} : Error::AccessDenied;
}

bool SharedSegment::controlled_by_locked(const Identity& who) {
    return who.root() || who.uid == status_.uid || who.uid == status_.maker_uid;
}

Result<> SharedSegment::change(const ForkloreSegment& wanted, const Identity& who) {
    SpinGuard guard(segments_lock);
    if (!controlled_by_locked(who)) {
        return Error::NotPermitted;
    }
    status_.uid = wanted.uid;
    status_.gid = wanted.gid;
    status_.mode = wanted.mode & 0777;
    status_.changed = time_now();
    return {};
}

Result<> SharedSegment::remove(const Identity& who) {
    Ref<SharedSegment> removed;     // dropped after the lock
    SpinGuard guard(segments_lock);
    if (!controlled_by_locked(who)) {
        return Error::NotPermitted;
    }
    if (Ref<SharedSegment>& place = segments[id_ % places]; place.get() == this) {
        std::swap(removed, place);
    }
    return {};
}

// --- attachments ---

ForkloreSegment SharedSegment::status() {
    SpinGuard guard(segments_lock);
    return status_;
}

void SharedSegment::attached_by(Pid pid) {
    SpinGuard guard(segments_lock);
    status_.last = number(pid);
    status_.attached = time_now();
}

void SharedSegment::ref_source() {
    ref();
    SpinGuard guard(segments_lock);
    ++status_.attachments;
}

void SharedSegment::unref_source() {
    {
        SpinGuard guard(segments_lock);
        --status_.attachments;
        status_.detached = time_now();
    }
    if (unref()) {
        last_reference_gone();
    }
}
