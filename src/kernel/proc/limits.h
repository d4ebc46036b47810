// Resource limits of a process, and the two process counts: all processes, and those of one user.
#pragma once

#include "abi/forklore.h"
#include "base/ref.h"
#include "base/result.h"
#include "kernel/proc/credentials.h"
#include "mm/address_space.h"

// Shared by reference between parent and child until one of them writes: then the writer gets its own.
class Limits : public RefCounted {
public:
    static Zone& zone();
    static Result<Ref<Limits>> defaults();
    Result<Ref<Limits>> copy() const;
    void last_reference_gone();

    uint64_t current(ForkloreResource resource) const { return values[resource].current; }
    SpaceLimits for_memory() const {
        return {.total = current(FL_RLIMIT_AS), .data = current(FL_RLIMIT_DATA), .stack = current(FL_RLIMIT_STACK)};
    }

    ForkloreLimit values[FL_RLIMIT_COUNT];
};

// One process's place in both counts. Taken by a test and a taking that are one critical section; given back by the
// destructor.
class [[nodiscard]] ProcSlot {
public:
    // TryAgain if there are `maximum` processes (one less for users other than root), or if the user has as many as its
    // RLIMIT_NPROC allows (root is exempt).
    static Result<ProcSlot> reserve(const Credentials& credentials, uint64_t user_limit);

    ProcSlot() = default;
    ProcSlot(ProcSlot&& other) : account_(std::move(other.account_)) {}
    ProcSlot& operator=(ProcSlot&& other) {
        std::swap(account_, other.account_);
        return *this;
    }
    ~ProcSlot();

    // The process has another real user: its place counts for that account from now on. Never fails. Proc::lock may be held.
    void move_to(Ref<UserAccount> account);

private:
    Ref<UserAccount> account_;  // none: holds no place
};

void process_limit_init(size_t maximum);
size_t process_maximum();
size_t process_slots_taken();
