// Queues of events. See kqueue.h.
#include "kernel/proc/kqueue.h"

#include "kernel/fs/poll.h"
#include "kernel/proc/proc.h"
#include "machine/clock.h"
#include "mm/user_copy.h"

namespace {

// What a program may say in a change; the rest of the flags are the kernel's.
constexpr unsigned change_flags = FL_EV_ADD | FL_EV_DELETE | FL_EV_ENABLE | FL_EV_DISABLE | FL_EV_ONESHOT | FL_EV_CLEAR | FL_EV_RECEIPT;
constexpr uint32_t process_notes = FL_NOTE_EXIT | FL_NOTE_FORK | FL_NOTE_EXEC;

bool is_of_file(const ForkloreKevent& wish) { return wish.filter == FL_EVFILT_READ || wish.filter == FL_EVFILT_WRITE; }

Result<Nanoseconds> interval_of(const ForkloreKevent& wish) {
    constexpr int64_t longest = int64_t{1} << 60;       // in nanoseconds: 36 years
    int64_t unit = 1'000'000;
    switch (wish.fflags) {
    case 0:
        break;
    case FL_NOTE_SECONDS:
        unit = 1'000'000'000;
        break;
    case FL_NOTE_USECONDS:
        unit = 1'000;
        break;
    case FL_NOTE_NSECONDS:
        unit = 1;
        break;
    default:
        return Error::Invalid;
    }
    if (wish.data < 0 || wish.data > longest / unit) {
        return Error::Invalid;
    }
    constexpr Nanoseconds shortest = 100'000;           // leaves time for programs
    const auto asked = static_cast<Nanoseconds>(wish.data * unit);
    return asked > shortest ? asked : shortest;
}

}  // namespace

// --- notes ---

Zone& Note::zone() {
    static Zone& zone = zone_create({.name = "knotes", .element_size = sizeof(Note)}).value();
    return zone;
}

Note::~Note() { timer_.cancel(); }

Result<> Note::add(const ForkloreKevent& wish, FileTable& files) {
    switch (wish.filter) {
    case FL_EVFILT_READ:
    case FL_EVFILT_WRITE:
        TRY(mark_file(wish, files));
        break;
    case FL_EVFILT_PROC:
        if ((wish.fflags & ~process_notes) != 0 || wish.fflags == 0) {
            return Error::Invalid;
        }
        TRY(process_.start(wish.ident <= largest_pid_max ? static_cast<Pid>(wish.ident) : Pid::None, wish.fflags));
        break;
    case FL_EVFILT_TIMER: {
        const Nanoseconds interval = TRY(interval_of(wish));
        start_timer(interval, (wish.flags & FL_EV_ONESHOT) == 0);
        break;
    }
    default:
        return Error::Invalid;
    }
    wish_ = wish;
    enabled_ = (wish.flags & FL_EV_DISABLE) == 0;
    return {};
}

Result<> Note::mark_file(const ForkloreKevent& wish, FileTable& files) {
    if ((wish.flags & FL_EV_CLEAR) != 0 || wish.fflags != 0) {
        return Error::NotSupported;     // files are looked at, not told of: that one is ready does not clear
    }
    FileUse file = TRY(files.use(wish.ident < FileTable::capacity ? static_cast<int>(wish.ident) : -1));
    if (file->vnode().kind() == VnodeKind::Queue) {
        return Error::NotSupported;     // a queue of queues could wait for itself
    }
    file_ = {&*file, file->vnode().inode()};
    return {};
}

void Note::start_timer(Nanoseconds interval, bool repeats) {
    timer_.cancel();
    rang_.store(0, std::memory_order_relaxed);
    interval_ = repeats ? interval : 0;
    due_ = machine_clock::now() + interval;
    timer_.arm(due_);
}

void Note::timer_rings(void* context) {
    Note& self = *static_cast<Note*>(context);
    uint64_t rings = 1;
    if (self.interval_ != 0) {
        const Nanoseconds now = machine_clock::now();
        rings += now > self.due_ ? (now - self.due_) / self.interval_ : 0;      // those that were missed
        self.due_ += rings * self.interval_;
        self.timer_.arm(self.due_);
    }
    // Who looks announces itself first, then reads by an exchange: it gets this ring, or its announcement is seen below.
    self.rang_.fetch_add(rings, std::memory_order_acq_rel);
    poll_notify();
}

bool Note::look_at_file(ForkloreKevent& event, FileTable& files, bool& over) {
    Result<FileUse> used = files.use(static_cast<int>(wish_.ident));
    if (!used.ok() || &*used.value() != file_.file || used.value()->vnode().inode() != file_.inode) {
        over = true;        // closed by the program
        return false;
    }
    File& file = *used.value();
    const bool reads = wish_.filter == FL_EVFILT_READ;
    const auto wanted = static_cast<short>((reads ? FL_POLLIN : FL_POLLOUT) | FL_POLLHUP | FL_POLLERR);
    const int ready = file.vnode().poll(wanted, file.flags()) & wanted;
    if ((ready & (FL_POLLHUP | FL_POLLERR)) != 0) {
        event.flags |= FL_EV_EOF;
    }
    event.data = reads ? static_cast<int64_t>(file.vnode().available()) : 0;
    return ready != 0;
}

bool Note::take(ForkloreKevent& event, FileTable& files, bool& over) {
    over = false;
    if (!enabled_) {
        return false;
    }
    event = wish_;
    event.data = 0;
    bool happened = false;
    if (is_of_file(wish_)) {
        happened = look_at_file(event, files, over);
    } else if (wish_.filter == FL_EVFILT_TIMER) {
        event.fflags = 0;
        event.data = static_cast<int64_t>(rang_.exchange(0, std::memory_order_acq_rel));
        happened = event.data != 0;
    } else {
        const ProcWatch::Happened what = process_.take();
        event.fflags = what.what;
        event.data = what.data;
        happened = what.what != 0;
        if ((what.what & FL_NOTE_EXIT) != 0) {
            event.flags |= FL_EV_EOF | FL_EV_ONESHOT;
        }
    }
    over |= happened && (event.flags & FL_EV_ONESHOT) != 0;
    return happened;
}

bool Note::ready(FileTable& files) {
    bool over = false;
    ForkloreKevent event{};
    return enabled_ && (is_of_file(wish_) ? look_at_file(event, files, over)
                        : wish_.filter == FL_EVFILT_TIMER ? rang_.fetch_add(0, std::memory_order_acq_rel) != 0 : process_.anything());
}

// --- the queue ---

Zone& Kqueue::zone() {
    static Zone& zone = zone_create({.name = "kqueue", .element_size = sizeof(Kqueue)}).value();
    return zone;
}

void Kqueue::last_reference_gone() { ZoneDelete<Kqueue>{}(*this); }

// Nobody else knows the queue any more.
Kqueue::~Kqueue() NO_THREAD_SAFETY_ANALYSIS {
    while (Note* note = notes_.pop_front()) {
        ZoneDelete<Note>{}(*note);
    }
}

Note* Kqueue::find_locked(const ForkloreKevent& wish) {
    for (Note& note : notes_) {
        if (note.is_of(wish)) {
            return &note;
        }
    }
    return nullptr;
}

Result<> Kqueue::add_locked(const ForkloreKevent& wish, FileTable& files) {
    if (count_ == most_notes) {
        return Error::NoMemory;
    }
    auto fresh = TRY(zone_new<Note>({}));
    TRY(fresh->add(wish, files));
    notes_.push_back(*fresh.release());
    ++count_;
    return {};
}

void Kqueue::remove_locked(Note& note) {
    notes_.remove(note);
    --count_;
    ZoneDelete<Note>{}(note);
}

Result<> Kqueue::change(const ForkloreKevent& wish, FileTable& files) {
    if ((wish.flags & ~change_flags) != 0) {
        return Error::Invalid;
    }
    MutexGuard guard(lock_);
    Note* note = find_locked(wish);
    if ((wish.flags & FL_EV_ADD) != 0) {
        return note != nullptr ? note->add(wish, files) : add_locked(wish, files);
    }
    if (note == nullptr) {
        return Error::NoEntry;
    }
    if ((wish.flags & FL_EV_DELETE) != 0) {
        remove_locked(*note);
    } else if ((wish.flags & (FL_EV_ENABLE | FL_EV_DISABLE)) != 0) {
        note->enable((wish.flags & FL_EV_ENABLE) != 0);
    }
    return {};
}

Result<unsigned> Kqueue::make_changes(const KeventRequest& request, FileTable& files) {
    unsigned told = 0;
    for (unsigned i = 0; i < request.change_count; ++i) {
        auto wish = TRY(copy_in_value<ForkloreKevent>(request.changes + i * sizeof(ForkloreKevent)));
        const Result<> done = change(wish, files);
        if (done.ok() && (wish.flags & FL_EV_RECEIPT) == 0) {
            continue;
        }
        if (told == request.event_count) {
            if (!done.ok()) {
                return done.error();
            }
            continue;
        }
        wish.flags = FL_EV_ERROR;
        wish.data = done.ok() ? 0 : static_cast<int64_t>(done.error());
        TRY(copy_out_value(request.events + told * sizeof wish, wish));
        ++told;
    }
    return told;
}

// Each note is looked at once, and goes behind the others: none is forgotten for the sake of those before it.
Result<unsigned> Kqueue::collect(const KeventRequest& request, FileTable& files) {
    MutexGuard guard(lock_);
    unsigned told = 0;
    for (unsigned left = count_; left != 0 && told < request.event_count; --left) {
        Note& note = *notes_.pop_front();
        notes_.push_back(note);
        ForkloreKevent event{};
        bool over = false;
        const bool happened = note.take(event, files, over);
        if (over) {
            remove_locked(note);
        }
        if (happened) {
            TRY(copy_out_value(request.events + told * sizeof event, event));
            ++told;
        }
    }
    return told;
}

Result<unsigned> Kqueue::kevent(const KeventRequest& request, FileTable& files) {
    const unsigned told = TRY(make_changes(request, files));
    if (told != 0 || request.event_count == 0) {
        return told;
    }
    Poller poller;
    for (;;) {
        const uint64_t seen = poller.changes();
        if (const unsigned found = TRY(collect(request, files)); found != 0) {
            return found;
        }
        if (!TRY(poller.sleep(seen, request.deadline))) {
            return 0u;
        }
    }
}

short Kqueue::poll(short wanted, unsigned) {
    FileTable& files = *current_proc().files;
    MutexGuard guard(lock_);
    for (Note& note : notes_) {
        if (note.ready(files)) {
            return static_cast<short>(wanted & FL_POLLIN);
        }
    }
    return 0;
}
