// Limits and process slots. Lock: `slots_lock` guards the total and every UserAccount::processes, so that the test
// against a limit and the taking of a place are one critical section.
#include "kernel/proc/limits.h"

#include "base/failpoint.h"
#include "machine/spin_lock.h"

namespace {

SpinLock slots_lock{LockRank::ProcLimits, "process slots"};
size_t slots_taken GUARDED_BY(slots_lock) = 0;
size_t slots_maximum GUARDED_BY(slots_lock) = 1000;

constexpr uint64_t default_stack_limit = 8ull << 20;

}  // namespace

void process_limit_init(size_t maximum) {
    SpinGuard guard(slots_lock);
    slots_maximum = maximum;
}

size_t process_maximum() {
    SpinGuard guard(slots_lock);
    return slots_maximum;
}

size_t process_slots_taken() {
    SpinGuard guard(slots_lock);
    return slots_taken;
}

Result<ProcSlot> ProcSlot::reserve(const Credentials& credentials, uint64_t user_limit) {
    if (failpoint::should_fail()) {
        return Error::TryAgain;
    }
    UserAccount& account = *credentials.account;
    bool root = credentials.real_uid == root_uid;
    SpinGuard guard(slots_lock);
    // The last place is root's, so that there is a way to look at a full machine.
    if (slots_taken + (root ? 0 : 1) >= slots_maximum) {
        return Error::TryAgain;
    }
    if (!root && account.processes >= user_limit) {
        return Error::TryAgain;
    }
    ++slots_taken;
    ++account.processes;
    ProcSlot slot;
    slot.account_ = credentials.account;
    return slot;
}

ProcSlot::~ProcSlot() {
    if (!account_) {
        return;
    }
    SpinGuard guard(slots_lock);
    ASSERT(slots_taken > 0 && account_->processes > 0);
    --slots_taken;
    --account_->processes;
}

void ProcSlot::move_to(Ref<UserAccount> account) {
    SpinGuard guard(slots_lock);
    ASSERT(account_);
    --account_->processes;
    ++account->processes;
    std::swap(account_, account);       // the old one is dropped after the lock
}

Zone& Limits::zone() {
    static Zone& zone = zone_create({.name = "limits", .element_size = sizeof(Limits)}).value();
    return zone;
}

Result<Ref<Limits>> Limits::defaults() {
    auto limits = TRY(zone_new<Limits>({.wait = false}));
    for (ForkloreLimit& limit : limits->values) {
        limit = {FL_RLIM_INFINITY, FL_RLIM_INFINITY};
    }
    limits->values[FL_RLIMIT_STACK].current = default_stack_limit;
    limits->values[FL_RLIMIT_NOFILE] = {FORKLORE_OPEN_MAX, FORKLORE_OPEN_MAX};
    limits->values[FL_RLIMIT_CORE] = {0, 0};
    return Ref<Limits>::adopt(*limits.release());
}

Result<Ref<Limits>> Limits::copy() const {
    auto limits = TRY(zone_new<Limits>({.wait = false}));
    for (unsigned i = 0; i < FL_RLIMIT_COUNT; ++i) {
        limits->values[i] = values[i];
    }
    return Ref<Limits>::adopt(*limits.release());
}

void Limits::last_reference_gone() { ZoneDelete<Limits>{}(*this); }
