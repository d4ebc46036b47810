// ThreadLoan: the state of a thread that vfork lent to a child, as one value, present or absent.
//
//      parent's thread --- vfork ---> runs as the child --- exec, exit or death ---> runs as the parent again
//             `-- the loan keeps registers, signal mask and identity of the parent --'
//
// Counterpart in the original: UT_VFORK, uu_userstate, uu_vforkmask, uu_proc, and the flags that had to be cleared together.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "abi/forklore.h"
#include "base/panic.h"
#include "base/ref.h"
#include "kernel/fs/vnode.h"
#include "kernel/proc/credentials.h"
#include "machine/fp.h"
#include "machine/user_frame.h"

class Proc;

class ThreadLoan {
public:
    // What the parent's thread has at the call of vfork, and gets back.
    struct Saved {
        UserFrame frame;
        uint64_t thread_pointer;    // TPIDR_EL0
        uint32_t mask;              // SignalSet
        uint32_t pending;           // signals for this very thread,
        ForkloreSiginfo fault;      // and what it knows of one that it raised by a fault
        Ref<Credentials> assumed;   // its set-id state, and
        Ref<Vnode> directory;       // its own directory: put aside, so that the child's are the process's
        bool uses_fp;
        FpState fp;                 // if uses_fp: d8 to d15 belong to the caller of vfork (AAPCS64 6.1.2)
    };

    // `saved`: a Saved, or its members in order.
    template <typename... Members>
    explicit ThreadLoan(Proc& the_child, Members&&... saved) : child_(&the_child), saved_{std::forward<Members>(saved)...} {}
    ThreadLoan(const ThreadLoan&) = delete;
    ~ThreadLoan() { ASSERT(child_ == nullptr); }

    Proc& child() const { return *child_; }
    const Saved& saved() const { return saved_; }

    // Ends the loan and gives what the parent's thread must have again: good until UThread::loan is reset. Until then
    // current_proc() still names the child.
    Saved&& give_back() && {
        ASSERT(child_ != nullptr);
        child_ = nullptr;
        return std::move(saved_);
    }

private:
    Proc* child_;               // none once given back
    Saved saved_;
};

// A thread's loan, present while the thread runs as the child of its vfork, and with it whom the thread acts as: its owner,
// or the child until the loan is reset. One load for whoever asks, which every system call does.
class OptionalLoan : public std::optional<ThreadLoan> {
public:
    explicit OptionalLoan(Proc& owner) : owner_(&owner), acting_as_(&owner) {}

    template <typename... Members>
    ThreadLoan& emplace(Proc& child, Members&&... saved) {
        acting_as_ = &child;
        return optional::emplace(child, std::forward<Members>(saved)...);
    }
    void reset() {
        optional::reset();
        acting_as_ = owner_;
    }
    OptionalLoan& operator=(std::nullopt_t) {
        reset();
        return *this;
    }
    Proc& acting_as() const { return *acting_as_; }

private:
    Proc* owner_;
    Proc* acting_as_;
};
