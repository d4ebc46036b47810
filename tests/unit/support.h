// What the unit tests share: the ledger, the failure sweep, and the value of a Result that must be one.
// Works on both machines: no exceptions, no hosted library.
#pragma once

#include "CppUTest/TestHarness.h"

#include "base/failpoint.h"
#include "mm/page.h"
#include "mm/zone.h"

// What must be the same after a test as before it: pages by use and live elements of every zone. The pages that zones
// hold are not compared: a slab stays while another core has one of its elements at hand.
class Ledger {
public:
    Ledger() {
        pages::Stats stats = pages::stats();
        for (size_t use = 0; use < uses; ++use) {
            pages_[use] = stats.by_use[use].value;
        }
        for (Zone* zone = zone_next(nullptr); zone != nullptr; zone = zone_next(zone)) {
            live_ += zone_stats(*zone).live;
        }
    }
    // Fails the test, naming what differs, if the ledger reads otherwise now.
    void check() const {
        Ledger now;
        for (PageUse use : {PageUse::Reserved, PageUse::Kernel, PageUse::PageTable, PageUse::Anonymous, PageUse::File}) {
            size_t i = static_cast<size_t>(use);
            UNSIGNED_LONGS_EQUAL_TEXT(pages_[i], now.pages_[i], name_of(use));
        }
        UNSIGNED_LONGS_EQUAL_TEXT(live_, now.live_, "elements of zones");
    }

private:
    static constexpr size_t uses = static_cast<size_t>(PageUse::Count);
    size_t pages_[uses] = {};
    size_t live_ = 0;
};

// The value, or the test fails.
template <typename T>
T must(Result<T> result) {
    if (!result.ok()) {
        LONGS_EQUAL_TEXT(0, static_cast<int>(result.error()), "an error where a value was due");
    }
    return std::move(result).value();
}
template <typename T>
T& must(Result<T&> result) {
    CHECK_TRUE_TEXT(result.ok(), "an error where a value was due");
    return result.value();
}
inline void must(Result<> result) {
    if (!result.ok()) {
        LONGS_EQUAL_TEXT(0, static_cast<int>(result.error()), "an error where none was due");
    }
}

// The test fails unless the result is that error.
template <typename T>
void must_fail(Error error, const Result<T>& result) {
    CHECK_FALSE_TEXT(result.ok(), "a value where an error was due");
    LONGS_EQUAL(static_cast<int>(error), static_cast<int>(result.error()));
}

// Lets step 0, 1, 2, ... of `call` (which returns a Result) fail until it succeeds: each failure must be NoMemory and
// leave the ledger as it was. The number of steps that can fail; undo() takes the success back, and that is checked too.
template <typename Call, typename Undo>
uint64_t sweep_failures(Call call, Undo undo) {
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
            UNSIGNED_LONGS_EQUAL_TEXT(step, failpoint::steps(), "steps that were asked");
            before.check();
            return step;
        }
        LONGS_EQUAL(static_cast<int>(Error::NoMemory), static_cast<int>(error));
        before.check();
    }
}
template <typename Call>
uint64_t sweep_failures(Call call) {
    return sweep_failures(call, [](auto&) {});
}
