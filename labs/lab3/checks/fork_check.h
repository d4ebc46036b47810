// What the checks of fork share. `Shell` is a process without memory, so that a fork that can not copy pages yet passes what has
// nothing to do with them; a check that wants memory asks for it.
#pragma once

#include <cstring>

#include "grader/runner/host_check.h"
#include "grader/runner/seed.h"
#include "unit/proc_support.h"

// A page as 64-bit words.
constexpr size_t words_of_page = page_size / sizeof(uint64_t);

// True while the current core may look at the kin of processes; takes the lock unless it has it already.
template <typename Look>
auto with_families(Look look) NO_THREAD_SAFETY_ANALYSIS {
    if (families_lock.held()) {
        return look();
    }
    SpinGuard guard(families_lock);
    return look();
}
inline size_t processes_seen() {
    return with_families([]() NO_THREAD_SAFETY_ANALYSIS { return process_count_locked(); });
}
inline Proc* seen_process(Pid pid) {
    return with_families([pid]() NO_THREAD_SAFETY_ANALYSIS { return find_process_locked(pid); });
}
inline bool is_child_of(Proc& child, Proc& parent) {
    return with_families([&]() NO_THREAD_SAFETY_ANALYSIS {
        for (Proc& one : parent.children) {
            if (&one == &child) {
                return child.parent == &parent;
            }
        }
        return false;
    });
}
inline bool is_in_group(Proc& proc, ProcessGroup* group) {
    return with_families([&]() NO_THREAD_SAFETY_ANALYSIS {
        for (Proc& one : group->members) {
            if (&one == &proc) {
                return proc.group == group;
            }
        }
        return false;
    });
}

// The test plays init; its thread is the calling one.
class Init : public Utest {
public:
    void setup() override {
        host::start_processes();
        outside_ = cpu::current_thread();
        host::set_current(host::thread_of(host::init()));
    }
    void teardown() override {
        if (outside_ != nullptr) {
            host::set_current(*outside_);
        }
    }

protected:
    static Proc& me() { return host::init(); }
    static ProcSlot a_slot() { return must(ProcSlot::reserve(*me().credentials, FL_RLIM_INFINITY)); }

private:
    Thread* outside_ = nullptr;
};

// The test plays a process that init forked.
class Shell : public ProcessTest {
public:
    void setup() override {
        ProcessTest::setup();
        begin();
        ready_ = true;
    }
    // Only a check that began well is looked at in the end.
    void teardown() override {
        host::start_observe = host::entry_observe = nullptr;
        host::mmu_observe = nullptr;
        host::mmu_recording = false;
        if (ready_) {
            ProcessTest::teardown();
        }
    }

protected:
    void start_again(int32_t pid_max) {
        ProcessTest::start_again(pid_max);
        begin();
    }
    // The child of one fork, which has what any look at it needs.
    Proc& fork_child() {
        Proc& child = find(must(fork1(frame, {})));
        CHECK_TRUE_TEXT(&child != &me(), "fork gave the parent's own pid");
        CHECK_TRUE_TEXT(static_cast<bool>(child.task), "the child has no task");
        SpinGuard guard(child.task->lock);
        CHECK_TRUE_TEXT(child.task->threads.first() != nullptr, "the child has no thread");
        CHECK_TRUE_TEXT(child.task->threads.first()->uthread != nullptr, "the child's thread has no Unix half");
        return child;
    }
    // Four private pages with words of their own, one shared page, one page of instructions.
    void map_memory() {
        must(space().map(data, data_pages * page_size, Protection::read_write(), {.fixed = true}));
        must(space().map(shared, page_size, Protection::read_write(), {.fixed = true, .shared = true}));
        must(space().map(text, page_size, Protection::read_execute(), {.fixed = true}));
        touch_memory();
    }
    // The core uses the shell's address space, so that its TLBs remember it; the address of its root table, and its number.
    struct Active {
        PhysAddr root{0};
        mmu::Asid asid = 0;
    };
    Active activate() {
        host::mmu_calls.clear();
        host::mmu_recording = true;
        InterruptGuard off;
        space().activate();
        Active active{PhysAddr(host::mmu_calls.back().address), host::mmu_calls.back().asid};
        host::mmu_calls.clear();
        return active;
    }
    void deactivate() {
        InterruptGuard off;
        AddressSpace::activate_none();
    }
    // The entry of `address` as the walker of the MMU would find it.
    static Descriptor entry_of(PhysAddr root, UserAddr address) {
        Descriptor found{root.value};
        for (unsigned level = 1; level <= 3; ++level) {
            found = ram::at<Descriptor>(found.address())[(address.value >> level_shift[level]) % table_entries];
            CHECK_TRUE_TEXT(found.valid(), "the parent lost a page");
        }
        return found;
    }

private:
    void begin() {
        set_fork_copy_mode(CopyMode::Eager);
        must(space().unmap(data, data_pages * page_size));
        must(space().unmap(shared, page_size));
        must(space().unmap(text, page_size));
    }
    bool ready_ = false;
};
