// The reference solution of lab 2.
//
// `uses` says what each number is used for; `taken` is a tree of bitmaps over it, 64 children a word, whose set bit
// means "no free number below". A search looks at one word a level, so its cost does not depend on how full the space is.
// Lock: `pid_lock` guards everything but the two counters.
#include "kernel/proc/pid.h"

#include <algorithm>
#include <atomic>
#include <bit>

#include "base/failpoint.h"
#include "machine/spin_lock.h"

namespace {

constexpr size_t bits_per_word = 64;
constexpr size_t words_over(size_t bits) { return (bits + bits_per_word - 1) / bits_per_word; }

constexpr size_t numbers = largest_pid_max;
constexpr size_t number_words = words_over(numbers);
constexpr size_t middle_words = words_over(number_words);
static_assert(words_over(middle_words) == 1);

SpinLock pid_lock{LockRank::Pids, "pids"};
uint8_t uses[numbers] GUARDED_BY(pid_lock);
uint64_t taken_numbers[number_words] GUARDED_BY(pid_lock);
uint64_t taken_middle[middle_words] GUARDED_BY(pid_lock);
uint64_t taken_top[1] GUARDED_BY(pid_lock);

// The tree from its leaves up. A word of one level is a bit of the next.
struct Level {
    uint64_t* taken;
    size_t words;
};
constexpr Level tree[] = {{taken_numbers, number_words}, {taken_middle, middle_words}, {taken_top, 1}};

int32_t maximum GUARDED_BY(pid_lock) = largest_pid_max;
int32_t next_candidate GUARDED_BY(pid_lock) = 1;
size_t in_use GUARDED_BY(pid_lock) = 0;

std::atomic<uint64_t> unique_ids{0};
std::atomic<uint32_t> id_versions{0};

// A level's last word is never full, for its bits beyond the level's end stay clear: so the ways up the tree, below, end.
static_assert(numbers % bits_per_word != 0 && number_words % bits_per_word != 0 && middle_words % bits_per_word != 0);

// Marks a number as taken, and each word above that became full.
void mark(size_t i) REQUIRES(pid_lock) {
    for (const Level* level = tree;; ++level) {
        uint64_t& word = level->taken[i / bits_per_word];
        word |= uint64_t{1} << (i % bits_per_word);
        if (word != ~uint64_t{0}) {
            return;
        }
        i /= bits_per_word;
    }
}

// Marks a number as free; every word above it has room from now on.
void unmark(size_t i) REQUIRES(pid_lock) {
    for (const Level& level : tree) {
        level.taken[i / bits_per_word] &= ~(uint64_t{1} << (i % bits_per_word));
        i /= bits_per_word;
    }
}

// The first number at or behind `from` that is not taken: up the tree until a word has room there, then down along first
// clear bits. Numbers beyond the largest look free; callers compare with their maximum.
size_t first_free(size_t from) REQUIRES(pid_lock) {
    size_t i = from;
    unsigned level = 0;
    uint64_t room = 0;
    while ((room = ~tree[level].taken[i / bits_per_word] >> (i % bits_per_word)) == 0) {
        i = i / bits_per_word + 1;
        ++level;
    }
    i += static_cast<size_t>(std::countr_zero(room));
    while (level-- > 0) {
        i = i * bits_per_word + static_cast<size_t>(std::countr_one(tree[level].taken[i]));
    }
    return i;
}

size_t index_of(Pid pid) REQUIRES(pid_lock) {
    ASSERT(number(pid) >= 0 && number(pid) < maximum);
    return static_cast<size_t>(number(pid));
}

}  // namespace

Result<> pid_init(int32_t new_maximum) {
    if (new_maximum < smallest_pid_max || new_maximum > largest_pid_max) {
        return Error::Invalid;
    }
    SpinGuard guard(pid_lock);
    maximum = new_maximum;
    next_candidate = 1;
    in_use = 0;
    std::fill(uses, uses + numbers, uint8_t{0});
    for (const Level& level : tree) {
        std::fill(level.taken, level.taken + level.words, uint64_t{0});
    }
    uses[0] = static_cast<uint8_t>(PidUse::Process);    // the kernel's own, made by hand
    mark(0);
    ++in_use;
    return {};
}

Result<Pid> pid_allocate() {
    if (failpoint::should_fail()) {
        return Error::TryAgain;
    }
    SpinGuard guard(pid_lock);
    size_t limit = static_cast<size_t>(maximum);
    size_t found = first_free(static_cast<size_t>(next_candidate));
    if (found >= limit) {
        found = first_free(first_recycled_pid);
    }
    if (found >= limit) {
        return Error::TryAgain;
    }
    uses[found] = static_cast<uint8_t>(PidUse::Process);
    mark(found);
    ++in_use;
    next_candidate = static_cast<int32_t>(found) + 1;
    if (next_candidate >= maximum) {
        next_candidate = first_recycled_pid;
    }
    return static_cast<Pid>(found);
}

void pid_take(Pid pid, PidUse use) {
    SpinGuard guard(pid_lock);
    uint8_t& flags = uses[index_of(pid)];
    ASSERT(flags != 0 && (flags & static_cast<uint8_t>(use)) == 0);
    flags |= static_cast<uint8_t>(use);
}

void pid_release(Pid pid, PidUse use) {
    SpinGuard guard(pid_lock);
    size_t i = index_of(pid);
    ASSERT((uses[i] & static_cast<uint8_t>(use)) != 0);
    uses[i] &= static_cast<uint8_t>(~static_cast<uint8_t>(use));
    if (uses[i] == 0) {
        unmark(i);
        --in_use;
    }
}

bool pid_in_use(Pid pid) {
    SpinGuard guard(pid_lock);
    return number(pid) >= 0 && number(pid) < maximum && uses[index_of(pid)] != 0;
}

int32_t pid_maximum() {
    SpinGuard guard(pid_lock);
    return maximum;
}

size_t pids_in_use() {
    SpinGuard guard(pid_lock);
    return in_use;
}

uint64_t next_unique_id() { return unique_ids.fetch_add(1, std::memory_order_relaxed) + 1; }

uint32_t next_id_version() { return id_versions.fetch_add(1, std::memory_order_relaxed) + 1; }
