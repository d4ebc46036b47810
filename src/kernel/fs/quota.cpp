// One count for all. See quota.h.
#include "kernel/fs/quota.h"

#include <atomic>

namespace file_quota {

namespace {

std::atomic<uint64_t> bytes_used{0};
std::atomic<uint64_t> bytes_limit{~uint64_t{0}};

}  // namespace

void set_limit(PageCount limit) { bytes_limit.store(limit.bytes(), std::memory_order_relaxed); }
PageCount limit() { return PageCount(bytes_limit.load(std::memory_order_relaxed) >> page_shift); }
PageCount used() { return PageCount::covering(bytes_used.load(std::memory_order_relaxed)); }

Result<> take(uint64_t bytes) {
    const uint64_t before = bytes_used.fetch_add(bytes, std::memory_order_relaxed);
    if (before + bytes > bytes_limit.load(std::memory_order_relaxed)) {
        give(bytes);
        return Error::NoSpace;
    }
    return {};
}

void give(uint64_t bytes) { bytes_used.fetch_sub(bytes, std::memory_order_relaxed); }

}  // namespace file_quota
