// Kqueue: a queue of events that a program asked for: a process forks, execs, exits; a file can be read or written; time
// has passed.
//
// A note is one such wish. What can be looked at is looked at when the program asks (files, as poll does); what happens once
// is noted where it happens (processes, timers) and counted until it is asked for. Sleeping is poll's. A queue is not inherited
// by fork, and kept over exec. Lock: the queue's own mutex for its notes; families_lock for what a note knows of a process.
// Counterpart in the original: kern_event.c, proc_knote.
#pragma once

#include "kernel/fs/file_table.h"
#include "kernel/proc/proc_watch.h"
#include "kernel/timer.h"

struct KeventRequest {
    UserAddr changes, events;
    unsigned change_count, event_count;
    Nanoseconds deadline;
};

// One wish of a program. Belongs to its queue's list.
class Note {
public:
    static Zone& zone();
    ~Note();

    bool is_of(const ForkloreKevent& wish) const { return wish.ident == wish_.ident && wish.filter == wish_.filter; }
    // It is about that from now on. Invalid: no such filter, or no such notes for it; NotSupported; BadDescriptor; NoProcess.
    Result<> add(const ForkloreKevent& wish, FileTable& files);
    void enable(bool on) { enabled_ = on; }

    // What there is to tell, if there is something: it is told by that. `over`: the note is of no use any more.
    bool take(ForkloreKevent& event, FileTable& files, bool& over);
    bool ready(FileTable& files);       // the same, without telling

    ListNode link;                      // Kqueue::notes_

private:
    // A file is meant, not its number: these tell whether the program closed it.
    struct FileMark {
        const File* file = nullptr;
        uint64_t inode = 0;
    };

    Result<> mark_file(const ForkloreKevent& wish, FileTable& files);
    void start_timer(Nanoseconds interval, bool repeats);
    bool look_at_file(ForkloreKevent& event, FileTable& files, bool& over);
    static void timer_rings(void* note);

    ForkloreKevent wish_{};
    bool enabled_ = true;
    FileMark file_;
    ProcWatch process_;                 // guarded by families_lock
    Timer timer_{&Note::timer_rings, this};
    Nanoseconds interval_ = 0, due_ = 0;    // written while the timer is not armed, and by it
    std::atomic<uint64_t> rang_{0};
};

class Kqueue final : public Vnode {
public:
    static Zone& zone();
    Kqueue() : Vnode(VnodeKind::Queue, {.mode = 0600}) {}
    ~Kqueue();
    void last_reference_gone() override;

    // Makes the changes, then waits until there is something to tell; how many events were told. As kevent(2): a change that
    // fails is told as an event with EV_ERROR if there is room for it, else its error is the call's.
    Result<unsigned> kevent(const KeventRequest& request, FileTable& files);
    short poll(short wanted, unsigned open_flags) override;

private:
    static constexpr unsigned most_notes = 256;     // a program may have as many queues as descriptors

    Result<unsigned> make_changes(const KeventRequest& request, FileTable& files) EXCLUDES(lock_);
    Result<> change(const ForkloreKevent& wish, FileTable& files) EXCLUDES(lock_);
    Result<> add_locked(const ForkloreKevent& wish, FileTable& files) REQUIRES(lock_);
    void remove_locked(Note& note) REQUIRES(lock_);
    Result<unsigned> collect(const KeventRequest& request, FileTable& files) EXCLUDES(lock_);
    Note* find_locked(const ForkloreKevent& wish) REQUIRES(lock_);

    Mutex lock_{LockRank::Kqueue, "kqueue"};
    List<Note, &Note::link> notes_ GUARDED_BY(lock_);
    unsigned count_ GUARDED_BY(lock_) = 0;
};
