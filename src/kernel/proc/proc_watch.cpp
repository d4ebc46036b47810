// Watches of processes. See proc_watch.h.
#include "kernel/proc/proc_watch.h"

#include "kernel/fs/poll.h"
#include "kernel/proc/family.h"

Result<> ProcWatch::start(Pid pid, uint32_t wanted) {
    SpinGuard guard(families_lock);
    wanted_ = wanted;
    if (proc_ != nullptr) {
        return {};
    }
    Proc* proc = find_process_locked(pid);
    if (proc == nullptr || proc->state == ProcState::Zombie) {
        return Error::NoProcess;
    }
    proc_ = proc;
    proc->watches.push_back(*this);
    return {};
}

void ProcWatch::stop() {
    SpinGuard guard(families_lock);
    if (proc_ != nullptr) {
        proc_->watches.remove(*this);
        proc_ = nullptr;
    }
}

ProcWatch::Happened ProcWatch::take() {
    SpinGuard guard(families_lock);
    return std::exchange(happened_, {});
}

bool ProcWatch::anything() {
    SpinGuard guard(families_lock);
    return happened_.what != 0;
}

void tell_watchers_locked(Proc& proc, uint32_t what, int64_t data) {
    bool told = false;
    for (ProcWatch& watch : proc.watches) {
        if ((watch.wanted_ & what) != 0) {
            watch.happened_ = {watch.happened_.what | what, data};
            told = true;
        }
        if (what == FL_NOTE_EXIT) {
            proc.watches.remove(watch);
            watch.proc_ = nullptr;
        }
    }
    if (told) {
        poll_notify();
    }
}
