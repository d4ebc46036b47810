// What must be the same after a test as before it, as the kernel and this process's descriptors tell it.
//
// Exact: elements are counted by zone and pages by use, so what the kernel keeps at hand for the next time (slabs of
// zones, waiting stacks, free frames of a core) is no difference.
#pragma once

#include "CppUTest/TestHarness.h"
#include "CppUTest/TestPlugin.h"

#include "forklore/forklore.h"

class Ledger {
public:
    static Ledger now();
    // Writes what differs from `before` to `text`; false if nothing does.
    bool differs(const Ledger& before, char* text, unsigned long size) const;
    // Waits until nothing moves any more: who started this program, and what ran before it, have their last steps to take.
    static void settle();

private:
    static constexpr int max_zones = 64;
    ForkloreSysinfo system_;
    ForkloreZoneInfo zones_[max_zones];
    int zone_count_;
    bool open_[FORKLORE_OPEN_MAX];
};

// Compares the ledgers around each test, and ends what a failed test left, so that the next one begins as it should.
class LedgerPlugin : public TestPlugin {
public:
    LedgerPlugin() : TestPlugin("ledger") {}
    void preTestAction(UtestShell& test, TestResult& result) override;
    void postTestAction(UtestShell& test, TestResult& result) override;

private:
    unsigned long failures_before_ = 0;
};
