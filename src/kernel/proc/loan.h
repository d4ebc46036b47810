// ThreadLoan: the state of a thread that vfork lent to a child, as one value, present or absent.
//
//      parent's thread --- vfork ---> runs as the child --- exec, exit or death ---> runs as the parent again
//             `-- the loan keeps registers, signal mask and identity of the parent --'
//
// Counterpart in the original: UT_VFORK, uu_userstate, uu_vforkmask, uu_proc, and the flags that had to be cleared together.
#pragma once

#include <cstdint>

#include "base/panic.h"
#include "base/ref.h"
#include "kernel/proc/credentials.h"
#include "machine/user_frame.h"

class Proc;

class ThreadLoan {
public:
    ThreadLoan(Proc& the_child, const UserFrame& frame, uint32_t mask, Ref<Credentials> assumed)
        : child_(&the_child), frame_(frame), mask_(mask), assumed_(std::move(assumed)) {}
    ThreadLoan(const ThreadLoan&) = delete;
    ~ThreadLoan() { ASSERT(child_ == nullptr); }

    Proc& child() const { return *child_; }

    struct Saved {
        UserFrame frame;
        uint32_t mask;
        Ref<Credentials> assumed;
    };
    // Ends the loan: what the parent's thread must have again.
    Saved give_back() && {
        ASSERT(child_ != nullptr);
        child_ = nullptr;
        return {frame_, mask_, std::move(assumed_)};
    }

private:
    Proc* child_;               // none once given back
    UserFrame frame_;
    uint32_t mask_;
    Ref<Credentials> assumed_;
};
