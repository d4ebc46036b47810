// fork, vfork and exec when the real thing is used up: pids, process slots, page frames. Each says so, and nothing is lost.
#include "kernel/stack.h"
#include "processes.h"

namespace {

// Every page frame that this core can get, but for some that are let go again.
class Hog {
public:
    Hog() = default;
    Hog(const Hog&) = delete;
    ~Hog() { release(); }
    void take_all_but(size_t but) {
        take_all();
        let_go(but);
    }
    void release() { let_go(count_); }

private:

    void take_all() {
        for (;;) {
            Result<PhysAddr> page = pages::allocate(PageUse::Kernel);
            if (!page.ok()) {
                return;
            }
            *ram::at<PhysAddr>(page.value()) = last_;
            last_ = page.value();
            ++count_;
        }
    }
    void let_go(size_t count) {
        for (; count != 0 && count_ != 0; --count, --count_) {
            PhysAddr page = last_;
            last_ = *ram::at<PhysAddr>(page);
            pages::release(page);
        }
    }

    PhysAddr last_{0};
    size_t count_ = 0;
};

// Every element of a zone that this core can get without a further page.
class ElementHog {
public:
    explicit ElementHog(Zone& zone) : zone_(zone) {
        for (;;) {
            Result<void*> element = zalloc(zone_, {.wait = false});
            if (!element.ok()) {
                return;
            }
            *static_cast<void**>(element.value()) = last_;
            last_ = element.value();
        }
    }
    ElementHog(const ElementHog&) = delete;
    ~ElementHog() {
        while (last_ != nullptr) {
            void* element = last_;
            last_ = *static_cast<void**>(element);
            zfree(zone_, element);
        }
    }

private:
    Zone& zone_;
    void* last_ = nullptr;
};

unsigned this_core() {
    InterruptGuard off;
    return cpu::current().id;
}

// What a call said with a few page frames left.
struct Attempt {
    bool ok = false;
    Error error{};
};

void give_caches_back() {
    zone_reclaim();
    stacks_reclaim();
}

}  // namespace

TEST_GROUP(Exhaustion) {
    static constexpr size_t enough_pages = 64;
    alignas(Ledger) unsigned char ledger_memory[sizeof(Ledger)];
    Ledger* ledger = nullptr;
    uint64_t threads = 0;
    size_t slots = 0;
    Hog most;

    void setup() override {
        warm_up();
        Init::start();
        slots = process_maximum();
        ledger = new (ledger_memory) Ledger;
    }
    void teardown() override {
        if (ledger == nullptr) {
            return;     // setup failed
        }
        most.release();
        process_limit_init(slots);
        end_all();
        ledger->check();
    }

    // Threads that ended are gone only when their core has left them.
    void settle() {
        const Nanoseconds deadline = machine_clock::now() + 20 * nanoseconds_per_second;
        while (Thread::count() > threads && machine_clock::now() < deadline) {
            sleep_until(machine_clock::now() + millisecond / 10, false);
        }
        give_caches_back();
    }
    // Once: as many processes as a test makes, so that zones and the kernel's map of stacks have the tables that they keep.
    void warm_up() {
        static bool warm = false;
        if (!warm) {
            warm = true;
            Init::start(smallest_pid_max);
            threads = Thread::count();
            Error error{};
            fork_until_it_fails(error);
            end_all();
        }
        threads = Thread::count();
    }
    void end_all() {
        Init::run([] {
            Init::kill_all();
            Init::collect_all();
        });
        settle();
    }
    // Sleeping children until fork fails: how many, and the error.
    unsigned fork_until_it_fails(Error& error) {
        unsigned count = 0;
        Init::run([&] {
            for (;; ++count) {
                UserFrame frame = Init::sleeps();
                Result<Pid> pid = fork1(frame, {});
                if (!pid.ok()) {
                    error = pid.error();
                    return;
                }
            }
        });
        return count;
    }
    // In init's thread.
    static Attempt vfork_attempt() {
        UserFrame frame = Init::exits();
        Result<> lent = vfork(frame);
        if (!lent.ok()) {
            return {false, lent.error()};
        }
        vfork_exit(frame, 0);
        return {true, {}};
    }
    static void vfork_must_try_again() {
        Attempt attempt;
        Init::run([&] { attempt = vfork_attempt(); });
        CHECK_FALSE(attempt.ok);
        LONGS_EQUAL(static_cast<int>(Error::TryAgain), static_cast<int>(attempt.error));
    }
    // `attempt` with 0, 1, 2, ... page frames left. After each the ledger is as it was; the last succeeds, others fail.
    template <typename Call>
    void with_few_pages(Call attempt) {
        unsigned failed = 0;
        Attempt last;
        give_caches_back();
        most.take_all_but(4 * enough_pages);    // once: the attempts take the rest
        Ledger before;
        for (size_t left = 0; left <= enough_pages; ++left) {
            Init::run([&] {
                {
                    Hog rest;
                    rest.take_all_but(left);
                    last = attempt();
                }
                Init::collect_all();
                give_caches_back();
            });
            settle();
            before.check();
            if (!last.ok) {
                ++failed;
                LONGS_EQUAL(static_cast<int>(Error::NoMemory), static_cast<int>(last.error));
            }
        }
        CHECK_TRUE_TEXT(failed > 0, "no attempt met the end of memory");
        CHECK_TRUE_TEXT(last.ok, "not even many pages were enough");
    }
};

TEST(Exhaustion, fork_and_vfork_say_try_again_when_the_pids_are_used_up) {
    Init::start(smallest_pid_max);
    Error error{};
    UNSIGNED_LONGS_EQUAL(smallest_pid_max - 2, fork_until_it_fails(error));
    LONGS_EQUAL(static_cast<int>(Error::TryAgain), static_cast<int>(error));
    Ledger full;
    vfork_must_try_again();
    fork_until_it_fails(error);
    full.check();
}

TEST(Exhaustion, fork_and_vfork_say_try_again_when_the_slots_are_used_up) {
    process_limit_init(process_slots_taken() + 5);
    Error error{};
    UNSIGNED_LONGS_EQUAL(5, fork_until_it_fails(error));
    LONGS_EQUAL(static_cast<int>(Error::TryAgain), static_cast<int>(error));
    Ledger full;
    vfork_must_try_again();
    fork_until_it_fails(error);
    full.check();
}

TEST(Exhaustion, fork_says_no_memory_at_each_page_that_is_missing) {
    with_few_pages([] {
        UserFrame frame = Init::exits();
        Result<Pid> pid = fork1(frame, {});
        return pid.ok() ? Attempt{true, {}} : Attempt{false, pid.error()};
    });
}

TEST(Exhaustion, eager_fork_says_no_memory_at_each_page_that_is_missing) {
    const CopyMode mode = fork_copy_mode();
    set_fork_copy_mode(CopyMode::Eager);
    with_few_pages([] {
        UserFrame frame = Init::exits();
        Result<Pid> pid = fork1(frame, {});
        return pid.ok() ? Attempt{true, {}} : Attempt{false, pid.error()};
    });
    set_fork_copy_mode(mode);
}

TEST(Exhaustion, vfork_says_no_memory_when_a_zone_can_not_give_what_it_takes) {
    give_caches_back();
    most.take_all_but(enough_pages);
    Ledger before;
    for (Zone* zone : {&Proc::zone(), &ProcStats::zone(), &FileTable::zone(), &SignalActions::zone()}) {
        Attempt attempt{true, {}};
        bool moved = true;      // to another core, which has elements of its own at hand: then once more
        for (int i = 0; i < 100 && moved; ++i) {
            Init::run([&] {
                const unsigned core = this_core();
                Hog rest;
                rest.take_all_but(0);
                ElementHog elements(*zone);
                attempt = vfork_attempt();
                moved = this_core() != core;
            });
            Init::run([] { Init::collect_all(); });
        }
        CHECK_FALSE(attempt.ok);
        LONGS_EQUAL(static_cast<int>(Error::NoMemory), static_cast<int>(attempt.error));
    }
    settle();
    before.check();
}

TEST(Exhaustion, exec_on_loan_says_no_memory_at_each_page_that_is_missing) {
    with_few_pages([] {
        UserFrame frame = Init::exits();
        Result<> lent = vfork(frame);
        if (!lent.ok()) {
            return Attempt{false, lent.error()};
        }
        Result<> started = exec(frame, "/bin/true", UserAddr(0), UserAddr(0));
        if (!started.ok()) {
            vfork_exit(frame, 0);
            return Attempt{false, started.error()};
        }
        return Attempt{true, {}};
    });
}

TEST(Exhaustion, spawn_says_no_memory_at_each_page_that_is_missing) {
    with_few_pages([] {
        Result<Pid> pid = spawn({.paths = Init::program_paths(), .argv = UserAddr(0), .envp = UserAddr(0)});
        return pid.ok() ? Attempt{true, {}} : Attempt{false, pid.error()};
    });
}

TEST(Exhaustion, spawn_says_try_again_when_the_slots_are_used_up) {
    process_limit_init(process_slots_taken());
    Error error{};
    Init::run([&] {
        Result<Pid> pid = spawn({.paths = Init::program_paths(), .argv = UserAddr(0), .envp = UserAddr(0)});
        error = pid.ok() ? Error{} : pid.error();
    });
    LONGS_EQUAL(static_cast<int>(Error::TryAgain), static_cast<int>(error));
}
