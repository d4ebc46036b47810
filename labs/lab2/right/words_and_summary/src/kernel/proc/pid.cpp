// Lab 2, of another make: counts of uses by kind in one byte, a bitmap of free numbers, and one summary word for each 64 words.
// A set bit means "free" here. The search walks the words of one summary and then the summaries.
#include "kernel/proc/pid.h"

#include <atomic>
#include <bit>

#include "base/failpoint.h"
#include "machine/spin_lock.h"

namespace {

constexpr int32_t word_bits = 64;
constexpr int32_t words = (largest_pid_max + word_bits - 1) / word_bits;
constexpr int32_t summaries = (words + word_bits - 1) / word_bits;

struct Numbers {
    uint8_t kinds[largest_pid_max];
    uint64_t free[words];           // a bit a number
    uint64_t has_free[summaries];   // a bit a word
    int32_t end = largest_pid_max;
    int32_t last = 0;               // given last
    size_t used = 0;

    void set_free(int32_t n, bool is_free) {
        const uint64_t bit = uint64_t{1} << (n % word_bits);
        uint64_t& word = free[n / word_bits];
        word = is_free ? word | bit : word & ~bit;
        const int32_t w = n / word_bits;
        const uint64_t summary_bit = uint64_t{1} << (w % word_bits);
        uint64_t& summary = has_free[w / word_bits];
        summary = word != 0 ? summary | summary_bit : summary & ~summary_bit;
    }

    // The first free number at or behind n; `end` if there is none.
    int32_t at_or_behind(int32_t n) const {
        if (n >= end) {
            return end;
        }
        const int32_t w = n / word_bits;
        if (const uint64_t here = free[w] >> (n % word_bits)) {
            return n + std::countr_zero(here);
        }
        int32_t next = w + 1;
        for (int32_t s = next / word_bits; s < summaries; ++s) {
            const int32_t from = s == next / word_bits ? next % word_bits : 0;
            if (const uint64_t some = has_free[s] >> from << from) {
                const int32_t found = s * word_bits + std::countr_zero(some);
                return found * word_bits + std::countr_zero(free[found]);
            }
        }
        return end;
    }
};

constinit SpinLock lock{LockRank::Pids, "pids"};
constinit Numbers all GUARDED_BY(lock){};
constinit std::atomic<uint64_t> last_id{0};
constinit std::atomic<uint32_t> last_version{0};

constexpr uint8_t bit_of(PidUse use) { return static_cast<uint8_t>(use); }

bool exists(Pid pid) REQUIRES(lock) { return number(pid) >= 0 && number(pid) < all.end; }

}  // namespace

Result<> pid_init(int32_t maximum) {
    if (maximum < smallest_pid_max || maximum > largest_pid_max) {
        return Error::Invalid;
    }
    SpinGuard guard(lock);
    all.end = maximum;
    all.last = 0;
    all.used = 1;
    for (uint64_t& summary : all.has_free) {
        summary = 0;
    }
    for (uint64_t& word : all.free) {
        word = 0;
    }
    for (int32_t n = 0; n < largest_pid_max; ++n) {
        all.kinds[n] = 0;
        if (n > 0 && n < maximum) {
            all.set_free(n, true);
        }
    }
    all.kinds[0] = bit_of(PidUse::Process);
    return {};
}

Result<Pid> pid_allocate() {
    if (failpoint::should_fail()) {
        return Error::TryAgain;
    }
    SpinGuard guard(lock);
    int32_t found = all.at_or_behind(all.last + 1);
    if (found >= all.end) {
        found = all.at_or_behind(first_recycled_pid);
    }
    if (found >= all.end) {
        return Error::TryAgain;
    }
    all.set_free(found, false);
    all.kinds[found] = bit_of(PidUse::Process);
    all.last = found;
    ++all.used;
    return static_cast<Pid>(found);
}

void pid_take(Pid pid, PidUse use) {
    SpinGuard guard(lock);
    ASSERT(exists(pid));
    uint8_t& kinds = all.kinds[number(pid)];
    ASSERT(kinds != 0);
    ASSERT((kinds & bit_of(use)) == 0);
    kinds = static_cast<uint8_t>(kinds | bit_of(use));
}

void pid_release(Pid pid, PidUse use) {
    SpinGuard guard(lock);
    ASSERT(exists(pid));
    uint8_t& kinds = all.kinds[number(pid)];
    ASSERT((kinds & bit_of(use)) != 0);
    kinds = static_cast<uint8_t>(kinds ^ bit_of(use));
    if (kinds == 0) {
        all.set_free(number(pid), true);
        --all.used;
    }
}

bool pid_in_use(Pid pid) {
    SpinGuard guard(lock);
    return exists(pid) && all.kinds[number(pid)] != 0;
}

int32_t pid_maximum() {
    SpinGuard guard(lock);
    return all.end;
}

size_t pids_in_use() {
    SpinGuard guard(lock);
    return all.used;
}

uint64_t next_unique_id() { return ++last_id; }

uint32_t next_id_version() { return ++last_version; }
