// What the unit tests share: the ledger, the failure sweep, and the value of a Result that must be one.
// Works on both machines: no exceptions, no hosted library.
#pragma once

#include "CppUTest/TestHarness.h"

#include "base/failpoint.h"
#include "kernel/proc/family.h"
#include "mm/page.h"
#include "unit/error_name.h"

// What must be the same after a test as before it: pages by use, live elements of each zone, kernel stacks, pids, process
// slots, what root has of them, processes that can be seen; and no lock is held at either moment. The pages that zones hold
// are not compared: a slab stays while another core has one of its elements at hand.
class Ledger {
public:
    Ledger() {
        pages::Stats stats = pages::stats();
        for (size_t use = 0; use < uses; ++use) {
            pages_[use] = stats.by_use[use].value;
        }
        for (Zone* zone = zone_next(nullptr); zone != nullptr; zone = zone_next(zone)) {
            CHECK_TRUE_TEXT(zone_count_ < most_zones, "more zones than the ledger has lines");
            ZoneStats of = zone_stats(*zone);
            zones_[zone_count_++] = {zone, of.name, of.live};
        }
        stacks_ = stack_stats().live;
        pids_ = pids_in_use();
        slots_ = process_slots_taken();
        root_slots_ = processes_of_root();
        SpinGuard guard(families_lock);
        visible_ = process_count_locked();
    }
    // Fails the test, naming what differs, if the ledger reads otherwise now.
    void check() const {
        check_no_lock();
        Ledger now;
        for (PageUse use : {PageUse::Reserved, PageUse::Kernel, PageUse::PageTable, PageUse::Anonymous, PageUse::File}) {
            size_t i = static_cast<size_t>(use);
            UNSIGNED_LONGS_EQUAL_TEXT(pages_[i], now.pages_[i], name_of(use));
        }
        for (size_t i = 0; i < now.zone_count_; ++i) {
            check_zone(now.zones_[i]);
        }
        UNSIGNED_LONGS_EQUAL_TEXT(stacks_, now.stacks_, "kernel stacks");
        UNSIGNED_LONGS_EQUAL_TEXT(pids_, now.pids_, "pids in use");
        UNSIGNED_LONGS_EQUAL_TEXT(slots_, now.slots_, "process slots");
        UNSIGNED_LONGS_EQUAL_TEXT(root_slots_, now.root_slots_, "processes of root");
        UNSIGNED_LONGS_EQUAL_TEXT(visible_, now.visible_, "processes that can be seen");
    }

private:
    struct Line {
        Zone* zone;
        const char* name;
        size_t live;
    };

    // A zone that is made when it is first used is new in the list, and one more element of the zone of zones, if there is one: it
    // is the first then.
    void check_zone(const Line& now) const {
        size_t made_since = 0, live = 0;
        for (Zone* zone = zone_next(nullptr); zone != nullptr; zone = zone_next(zone)) {
            ++made_since;
        }
        made_since -= zone_count_;
        for (size_t i = 0; i < zone_count_; ++i) {
            live = zones_[i].zone == now.zone ? zones_[i].live : live;
        }
        if (now.zone == zones_[0].zone && now.live == live + made_since) {
            return;
        }
        UNSIGNED_LONGS_EQUAL_TEXT(live, now.live, now.name);
    }
    // Root always has an account: the kernel's own process is his.
    static size_t processes_of_root() {
        Result<Ref<UserAccount>> root = UserAccount::find(root_uid);
        CHECK_TRUE_TEXT(root.ok(), "no memory for a look at root's account");
        return root.value()->processes;
    }
    static void check_no_lock() {
        CHECK_TRUE_TEXT(cpu::interrupts_on(), "interrupts are off");
        InterruptGuard stay_on_core;
        CHECK_TRUE_TEXT(cpu::current().held.none(), "a spin lock is held");
        CHECK_TRUE_TEXT(held_mutexes_of(*cpu::current_thread()).none(), "a mutex is held");
    }

    static constexpr size_t uses = static_cast<size_t>(PageUse::Count);
    static constexpr size_t most_zones = 64;
    size_t pages_[uses] = {};
    Line zones_[most_zones] = {};
    size_t zone_count_ = 0;
    size_t stacks_ = 0, pids_ = 0, slots_ = 0, root_slots_ = 0, visible_ = 0;
};

// Fails the test: in words what was due, and the error's name or words for what came.
[[noreturn]] inline void fail_for(const char* due, const char* came) {
    FAIL(StringFromFormat("expected %s\ncame     %s", due, came).asCharString());
    __builtin_unreachable();
}

// The value, or the test fails.
template <typename T>
T must(Result<T> result) {
    if (!result.ok()) {
        fail_for("a value", name_of(result.error()));
    }
    return std::move(result).value();
}
template <typename T>
T& must(Result<T&> result) {
    if (!result.ok()) {
        fail_for("a value", name_of(result.error()));
    }
    return result.value();
}
inline void must(Result<> result) {
    if (!result.ok()) {
        fail_for("success", name_of(result.error()));
    }
}

inline void expect_error(Error due, Error came, const char* what = "") {
    if (due != came) {
        fail_for(StringFromFormat("%s %s", name_of(due), what).asCharString(), name_of(came));
    }
}

// The test fails unless the result is that error.
template <typename T>
void must_fail(Error error, const Result<T>& result) {
    if (result.ok()) {
        fail_for(name_of(error), "success");
    }
    expect_error(error, result.error());
}

// Lets step 0, 1, 2, ... of `call` (which returns a Result) fail until it succeeds. After each failure, failed(step, error)
// looks at it, and the ledger must be as it was. The number of steps that can fail; undo() takes the success back, and that
// is checked too.
template <typename Call, typename Undo, typename Failed>
uint64_t sweep(Call call, Undo undo, Failed failed) {
    Ledger before;
    for (uint64_t step = 0;; ++step) {
        failpoint::arm(step);
        bool ok;
        Error error{};
        {
            auto result = call();
            failpoint::disarm();
            ok = result.ok();
            if (!ok) {
                error = result.error();
            } else {
                undo(result);
            }
        }
        if (ok) {
            // Fewer than before are none lost: the attempt before may have left its zone a page.
            CHECK_TRUE_TEXT(failpoint::steps() <= step, "a step failed, and the call succeeded all the same");
            before.check();
            return step;
        }
        failed(step, error);
        before.check();
    }
}

// Each failure must be NoMemory.
template <typename Call, typename Undo>
uint64_t sweep_failures(Call call, Undo undo) {
    return sweep(call, undo, [](uint64_t, Error error) {
        expect_error(Error::NoMemory, error);
    });
}
template <typename Call>
uint64_t sweep_failures(Call call) {
    return sweep_failures(call, [](auto&) {});
}

// The steps of a call that can fail, in order: a new one must be written down where the call is tested.
struct Step {
    const char* what;
    Error error;
};
template <size_t Count, typename Call, typename Undo>
void expect_steps(const Step (&steps)[Count], Call call, Undo undo) {
    uint64_t found = sweep(call, undo, [&](uint64_t step, Error error) {
        CHECK_TRUE_TEXT(step < Count, "a step that is not in the list failed");
        expect_error(steps[step].error, error, steps[step].what);
    });
    UNSIGNED_LONGS_EQUAL_TEXT(Count, found, "steps that can fail");
}
