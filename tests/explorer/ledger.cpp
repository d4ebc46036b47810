// The ledger's lines.
#include "explorer/ledger.h"

#include "explorer/explorer.h"
#include "kernel/proc/family.h"
#include "kernel/stack.h"

namespace explorer {

Ledger::Ledger() {
    const pages::Stats stats = pages::stats();
    for (size_t use = 0; use < uses; ++use) {
        pages_[use] = stats.by_use[use].value;
    }
    for (Zone* zone = zone_next(nullptr); zone != nullptr && zones_ < most_zones; zone = zone_next(zone)) {
        live_[zones_++] = zone_stats(*zone).live;
    }
    pids_ = pids_in_use();
    slots_ = process_slots_taken();
    stacks_ = stack_stats().live;
    SpinGuard guard(families_lock);
    processes_ = process_count_locked();
}

void Ledger::expect_equal() const {
    const Ledger now;
    for (PageUse use : {PageUse::Reserved, PageUse::Kernel, PageUse::PageTable, PageUse::Anonymous, PageUse::File}) {
        const auto i = static_cast<size_t>(use);
        if (pages_[i] != now.pages_[i]) {
            fail("ledger: %s pages: %zu before, %zu now", name_of(use), pages_[i], now.pages_[i]);
        }
    }
    // The first zone holds the others: one that was made meanwhile is an element more.
    size_t i = 1;
    for (Zone* zone = zone_next(zone_next(nullptr)); zone != nullptr; zone = zone_next(zone), ++i) {
        const size_t before = i < zones_ ? live_[i] : 0;
        if (before != now.live_[i]) {
            fail("ledger: elements of zone \"%s\": %zu before, %zu now", zone_stats(*zone).name, before, now.live_[i]);
        }
    }
    const struct {
        const char* name;
        size_t before, after;
    } lines[] = {{"pids in use", pids_, now.pids_},
                 {"process slots", slots_, now.slots_},
                 {"processes", processes_, now.processes_},
                 {"kernel stacks", stacks_, now.stacks_}};
    for (const auto& line : lines) {
        if (line.before != line.after) {
            fail("ledger: %s: %zu before, %zu now", line.name, line.before, line.after);
        }
    }
}

}  // namespace explorer
