// What must be the same at the end of a schedule as before it.
#pragma once

#include <cstddef>

#include "mm/page.h"

namespace explorer {

// Pages by use, live elements of each zone, pids, process slots, processes in the table, kernel stacks. The pages that zones
// hold are not compared: an empty slab may stay.
class Ledger {
public:
    Ledger();
    void expect_equal() const;      // fails the schedule, naming what differs

private:
    static constexpr size_t uses = static_cast<size_t>(PageUse::Count);
    static constexpr size_t most_zones = 64;
    size_t pages_[uses] = {};
    size_t zones_ = 0;
    size_t live_[most_zones] = {};
    size_t pids_, slots_, processes_, stacks_;
};

}  // namespace explorer
