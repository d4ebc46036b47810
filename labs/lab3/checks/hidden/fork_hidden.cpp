// Lab 3: what the visible checks ask, by other values and in other orders.
#include <optional>

#include "kernel/proc/calls.h"
#include "lab3/checks/fork_check.h"
#include "mm/page_table_copy.h"

TEST_GROUP_BASE(ForkHidden, Shell) {
    CheckRandom random{3};

    uint64_t word_at(AddressSpace& of, UserAddr address) {
        uint64_t word = 0;
        must(of.load(&word, address, sizeof word));
        return word;
    }
    void put(AddressSpace& of, UserAddr address, uint64_t word) { must(of.store(address, &word, sizeof word)); }

    void three_generations(bool parent_writes_first) {
        const UserAddr place = data + random.below(data_pages) * page_size + random.below(500) * 8;
        put(space(), place, 1);
        AddressSpace& childs = *fork_child().task->space;
        if (parent_writes_first) {
            put(space(), place, 2);
        }
        put(childs, place, 3);
        UNSIGNED_LONGS_EQUAL_TEXT(parent_writes_first ? 2 : 1, word_at(space(), place), "the parent's, when the child has written");
        put(space(), place, 2);
        UNSIGNED_LONGS_EQUAL_TEXT(3, word_at(childs, place), "the child's, when the parent has written");
        const Ref<AddressSpace> grandchilds = must(childs.clone(fork_copy_mode()));
        put(childs, place, 4);
        UNSIGNED_LONGS_EQUAL_TEXT(2, word_at(space(), place), "the parent's");
        UNSIGNED_LONGS_EQUAL_TEXT(4, word_at(childs, place), "the child's");
        UNSIGNED_LONGS_EQUAL_TEXT(3, word_at(*grandchilds, place), "the grandchild's, as of its making");
        const uint64_t word = random.next();
        put(*grandchilds, shared, word);
        UNSIGNED_LONGS_EQUAL_TEXT(word, word_at(space(), shared), "shared memory is one");
    }
};

TEST(ForkHidden, copies_a_table_of_any_pattern) {
    constexpr size_t most = 1100;       // pages, in three tables
    const UserAddr start{0x4000'0000 + random.below(512) * page_size};
    const size_t count = 600 + random.below(most - 600);
    std::optional<PageTable> parent(must(PageTable::create())), child(must(PageTable::create()));
    static PhysAddr frames[most];
    static Descriptor before[most];
    size_t present = 0;
    for (size_t i = 0; i < count; ++i) {
        frames[i] = PhysAddr(0);
        if (random.below(3) == 0) {
            continue;
        }
        PageRef page = must(PageRef::allocate(PageUse::Anonymous));
        page.at<uint64_t>()[random.below(8)] = random.next();
        frames[i] = page.address();
        const Protection protections[] = {Protection::read_only(), Protection::read_write(), Protection::read_execute()};
        must(parent->map(start + i * page_size, std::move(page), protections[random.below(3)], random.below(4) == 0, false));
        before[i] = *parent->find(start + i * page_size);
        ++present;
    }
    must(copy_page_tables(*child, *parent, start, start + count * page_size, CopyMode::Eager));
    for (size_t i = 0; i < count; ++i) {
        Descriptor* found = child->find(start + i * page_size);
        const bool has = found != nullptr && found->valid();
        CHECK_TRUE_TEXT(has == (frames[i] != PhysAddr(0)), "the child has a page exactly where the parent has one");
        if (!has) {
            continue;
        }
        CHECK_TRUE_TEXT(parent->find(start + i * page_size)->bits == before[i].bits, "the parent's entry as it was");
        Descriptor same = *found;
        same.bits = (same.bits & ~Descriptor::Frame::mask) | (before[i].bits & Descriptor::Frame::mask);
        CHECK_TRUE_TEXT(same.bits == before[i].bits, "all bits but the frame as the parent's");
        CHECK_TRUE_TEXT((found->address() == frames[i]) == before[i].shared(), "shared pages are shared, private ones are not");
        UNSIGNED_LONGS_EQUAL(before[i].shared() ? 2 : 1, pages::references(found->address()));
        CHECK_TRUE_TEXT(memcmp(ram::at<void>(found->address()), ram::at<void>(frames[i]), page_size) == 0, "the same bytes");
    }
    child.reset();
    for (size_t i = 0; i < count; ++i) {
        UNSIGNED_LONGS_EQUAL(frames[i] != PhysAddr(0) ? 1 : 0, frames[i] != PhysAddr(0) ? pages::references(frames[i]) : 0);
    }
}

// In either mode, whoever of parent and child writes first: a copy that is still shared may belong to either.
TEST(ForkHidden, copies_a_copy) {
    map_memory();
    for (const CopyMode mode : {CopyMode::Eager, CopyMode::CopyOnWrite}) {
        set_fork_copy_mode(mode);
        three_generations(true);
        three_generations(false);
    }
}

TEST(ForkHidden, hands_on_what_a_process_was_given) {
    me().inherited.nice = static_cast<int8_t>(1 + random.below(10));
    current_uthread().mask = signal_bit(FL_SIGUSR2) | signal_bit(FL_SIGCHLD);
    {
        SpinGuard guard(me().signals.lock);
        me().signals.actions->actions[FL_SIGTERM].handler = 0x38'0000 + random.below(100) * 8;
    }
    Proc& child = fork_child();
    CHECK_TRUE(memcmp(&me().inherited, &child.inherited, sizeof child.inherited) == 0);
    CHECK_TRUE_TEXT(child.unique_id > me().unique_id, "unique ids rise");
    UNSIGNED_LONGS_EQUAL(current_uthread().mask, host::thread_of(child).uthread->mask);
    CHECK_TRUE_TEXT(me().credentials.get() == child.credentials.get() && me().limits.get() == child.limits.get(), "shared until somebody writes");
    CHECK_TRUE_TEXT(me().files.get() != child.files.get(), "descriptors of its own");
    SpinGuard guard(child.signals.lock);
    CHECK_TRUE_TEXT(child.signals.actions.get() != me().signals.actions.get(), "actions of its own");
    UNSIGNED_LONGS_EQUAL_TEXT(0, child.signals.pending, "nothing is pending for a new process");
}

TEST(ForkHidden, gives_everything_back_after_many_failures) {
    Ledger before;
    uint64_t steps = 0;
    for (bool failed = true; failed; ++steps) {
        failpoint::arm(steps);
        failed = !fork1(frame, {}).ok();
        failpoint::disarm();
        if (failed) {
            before.check();
        }
    }
    CHECK_TRUE_TEXT(steps > 8, "steps of a fork that can fail");
}
