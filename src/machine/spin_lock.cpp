// The message of a lock taken out of order.
#include "machine/spin_lock.h"

#include "base/format.h"

void SpinLock::report_order(const SpinLock& innermost) const {
    TextBuffer<160> text;
    text.add("lock order: \"{}\" (rank {}) taken while holding \"{}\" (rank {})", name_, rank_, innermost.name_,
             innermost.rank_);
    panic(text.c_str());
}
