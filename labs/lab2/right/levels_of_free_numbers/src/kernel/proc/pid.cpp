// Lab 2: process identifiers. The contract is pid.h, the handout labs/lab2/README.md.
//
// Two tables under one lock: what each number is used for, and which numbers may be given. A number is in the second one
// only if it has no use, and leaves it in the critical section that found it. Numbers below first_recycled_pid are put
// into it once, by pid_init, and never come back; so "the first one behind the last, else the first one of all that can
// be recycled" is the whole rule, before and after the wrap.
// Counterpart in the original: the nextpid loop of forkproc.
#include "kernel/proc/pid.h"

#include <atomic>
#include <bit>

#include "base/failpoint.h"
#include "machine/spin_lock.h"

namespace {

constexpr size_t bits_per_word = 64;

// With room for the position behind the last bit, where a search may begin.
constexpr size_t words_for(size_t bits) { return bits / bits_per_word + 1; }

// A set of numbers from 0 to largest_pid_max - 1. Level 0 has a bit for each number; a bit of a higher level says that
// the word below it is not zero. The way to the next number goes up until a word has something left, then down again:
// two words a level at most, however full the set is.
//
//     level 2                       1                 one word
//     level 1         0     1       0   ...           a bit for each word of level 0
//     level 0   000..0 010..1 000..0    ...           a bit for each number
class NumberSet {
public:
    static constexpr size_t none = ~size_t{0};

    // The numbers from..to-1 and no others.
    void assign(size_t from, size_t to) {
        for (uint64_t& word : words_) {
            word = 0;
        }
        for (size_t i = from; i < to; ++i) {
            insert(i);
        }
    }

    void insert(size_t i) {
        for (size_t level = 0; level < levels; ++level, i /= bits_per_word) {
            uint64_t& word = word_of(level, i);
            const bool was_empty = word == 0;
            word |= bit_of(i);
            if (!was_empty) {
                return;     // the levels above know of this word
            }
        }
    }

    void remove(size_t i) {
        for (size_t level = 0; level < levels; ++level, i /= bits_per_word) {
            uint64_t& word = word_of(level, i);
            word &= ~bit_of(i);
            if (word != 0) {
                return;
            }
        }
    }

    // The smallest member that is at least `from` (at most largest_pid_max), or none.
    size_t first_from(size_t from) const {
        size_t i = from;
        for (size_t level = 0; level < levels; ++level) {
            const uint64_t rest = word_of(level, i) & ~(bit_of(i) - 1);
            if (rest != 0) {
                return lowest_below(level, i / bits_per_word * bits_per_word + lowest_bit(rest));
            }
            i = i / bits_per_word + 1;      // nothing left in this word: what lies behind it?
        }
        return none;
    }

private:
    static constexpr size_t levels = 3;
    static constexpr size_t words_at_0 = words_for(largest_pid_max);
    static constexpr size_t words_at_1 = words_for(words_at_0);
    static_assert(words_for(words_at_1) == 1, "the highest level is one word");
    static constexpr size_t begin_of[levels] = {0, words_at_0, words_at_0 + words_at_1};

    static uint64_t bit_of(size_t i) { return uint64_t{1} << (i % bits_per_word); }
    static size_t lowest_bit(uint64_t word) { return static_cast<size_t>(std::countr_zero(word)); }
    uint64_t& word_of(size_t level, size_t i) { return words_[begin_of[level] + i / bits_per_word]; }
    const uint64_t& word_of(size_t level, size_t i) const { return words_[begin_of[level] + i / bits_per_word]; }

    // The smallest member below bit `i` of `level`, which is set.
    size_t lowest_below(size_t level, size_t i) const {
        for (; level > 0; --level) {
            i = i * bits_per_word + lowest_bit(words_[begin_of[level - 1] + i]);
        }
        return i;
    }

    uint64_t words_[words_at_0 + words_at_1 + 1];
};

// One lock for all numbers. Whoever finds a number free takes it before letting go of the lock.
SpinLock pid_lock{LockRank::Pids, "pids"};

// What each number is used for: bits of PidUse, none for a free one.
uint8_t uses[largest_pid_max] GUARDED_BY(pid_lock);

// The numbers that may be given. A free number is missing here only if it is too low to be recycled.
NumberSet available GUARDED_BY(pid_lock);

int32_t maximum GUARDED_BY(pid_lock) = largest_pid_max;
int32_t last_given GUARDED_BY(pid_lock) = 0;
size_t in_use_count GUARDED_BY(pid_lock) = 0;

std::atomic<uint64_t> unique_ids{0};
std::atomic<uint32_t> id_versions{0};

constexpr uint8_t bit_of(PidUse use) { return static_cast<uint8_t>(use); }

bool can_exist_locked(Pid pid) REQUIRES(pid_lock) { return number(pid) >= 0 && number(pid) < maximum; }

bool has_use_locked(Pid pid, PidUse use) REQUIRES(pid_lock) { return (uses[number(pid)] & bit_of(use)) != 0; }

}  // namespace

Result<> pid_init(int32_t wanted) {
    if (wanted < smallest_pid_max || wanted > largest_pid_max) {
        return Error::Invalid;
    }
    SpinGuard guard(pid_lock);
    for (uint8_t& use : uses) {
        use = 0;
    }
    uses[number(Pid::Kernel)] = bit_of(PidUse::Process);
    available.assign(static_cast<size_t>(number(Pid::Init)), static_cast<size_t>(wanted));
    maximum = wanted;
    last_given = number(Pid::Kernel);
    in_use_count = 1;
    return {};
}

Result<Pid> pid_allocate() {
    if (failpoint::should_fail()) {
        return Error::TryAgain;
    }
    SpinGuard guard(pid_lock);
    size_t found = available.first_from(static_cast<size_t>(last_given) + 1);
    if (found == NumberSet::none) {
        found = available.first_from(first_recycled_pid);
    }
    if (found == NumberSet::none) {
        return Error::TryAgain;
    }
    ASSERT(uses[found] == 0);
    available.remove(found);
    uses[found] = bit_of(PidUse::Process);
    ++in_use_count;
    last_given = static_cast<int32_t>(found);
    return Pid{last_given};
}

void pid_take(Pid pid, PidUse use) {
    SpinGuard guard(pid_lock);
    ASSERT(can_exist_locked(pid));
    ASSERT(uses[number(pid)] != 0);
    ASSERT(!has_use_locked(pid, use));
    uses[number(pid)] |= bit_of(use);
}

void pid_release(Pid pid, PidUse use) {
    SpinGuard guard(pid_lock);
    ASSERT(can_exist_locked(pid));
    ASSERT(has_use_locked(pid, use));
    ASSERT(pid != Pid::Kernel || use != PidUse::Process);       // the kernel's own process does not end
    uint8_t& left = uses[number(pid)];
    left &= static_cast<uint8_t>(~bit_of(use));
    if (left != 0) {
        return;
    }
    --in_use_count;
    if (number(pid) >= first_recycled_pid) {
        available.insert(static_cast<size_t>(number(pid)));
    }
}

bool pid_in_use(Pid pid) {
    SpinGuard guard(pid_lock);
    return can_exist_locked(pid) && uses[number(pid)] != 0;
}

int32_t pid_maximum() {
    SpinGuard guard(pid_lock);
    return maximum;
}

size_t pids_in_use() {
    SpinGuard guard(pid_lock);
    return in_use_count;
}

// These two need no lock, and no order with anything else: one step both adds and reads.
uint64_t next_unique_id() { return unique_ids.fetch_add(1, std::memory_order_relaxed) + 1; }

uint32_t next_id_version() { return id_versions.fetch_add(1, std::memory_order_relaxed) + 1; }
