// What checks of the host tier share: panics that must happen, and four cores at once.
#pragma once

#include <csignal>
#include <ctime>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

#include "CppUTest/TestHarness.h"

#include "machine/host.h"

// While it is set, a panic is what the check waits for: it has passed, and its process ends there, for what panics may hold
// locks that nobody will let go.
extern bool panic_is_due;

// The last statement of a check: it passes if `call` panics, and fails if it returns.
#define MUST_PANIC(call)                            \
    do {                                            \
        panic_is_due = true;                        \
        call;                                       \
        panic_is_due = false;                       \
        FAIL("a panic was due: " #call);            \
    } while (false)

// While it lives, this thread is stopped for a moment again and again, wherever it is: what lies open between two steps that
// belong together is then found by another core on any host, busy or idle. Each stop arms the next, so that the thread gets
// on between two; there are so many stops that a race shows, and so few that a check stays short.
class Stumbling {
public:
    Stumbling() {
        struct sigaction action = {};
        action.sa_handler = stop;
        action.sa_flags = SA_RESTART;
        sigaction(SIGUSR1, &action, nullptr);
        sigevent event = {};
        event.sigev_notify = SIGEV_THREAD_ID;
        event.sigev_signo = SIGUSR1;
        event._sigev_un._tid = gettid();
        if (timer_create(CLOCK_MONOTONIC, &event, &timer_) == 0) {
            stops_left_ = most_stops;
            arm();
        }
    }
    ~Stumbling() {
        if (stops_left_ >= 0) {
            timer_delete(timer_);
        }
        stops_left_ = -1;
    }
    Stumbling(const Stumbling&) = delete;
    Stumbling& operator=(const Stumbling&) = delete;

    // One more round of what the check repeats: until the core was stopped often enough.
    bool another_round() {
        progress_.fetch_add(1, std::memory_order_relaxed);
        return stops_left_ > 0 && rounds_++ < most_rounds;
    }

private:
    static constexpr int most_stops = 600;
    static constexpr uint64_t most_rounds = 2'000'000;
    static constexpr long run_nanoseconds = 30'000, stop_nanoseconds = 20'000;

    static void arm() {
        // Uneven, so that no loop keeps in step with it.
        const itimerspec soon = {{0, 0}, {0, run_nanoseconds + stops_left_ * 97}};
        timer_settime(timer_, 0, &soon, nullptr);
    }
    static void stop(int) {
        if (stops_left_ <= 0) {
            return;
        }
        stops_left_ = stops_left_ - 1;
        // Until others went through whole rounds meanwhile; for a while only, for we may hold a lock that they want.
        const uint64_t before = progress_.load(std::memory_order_relaxed);
        for (int i = 0; i < longest_stop && progress_.load(std::memory_order_relaxed) < before + 4; ++i) {
            const timespec moment = {0, stop_nanoseconds};
            nanosleep(&moment, nullptr);
        }
        arm();
    }
    static constexpr int longest_stop = 20;
    static inline std::atomic<uint64_t> progress_{0};
    static inline thread_local timer_t timer_{};
    static inline thread_local volatile int stops_left_ = -1;
    uint64_t rounds_ = 0;
};

// Runs work(0..max_cores-1, stumbling), each on a core of its own, begun together; work loops while another_round(). A panic on any of them fails the check.
template <typename Work>
void on_all_cores(Work work) {
    std::atomic<unsigned> ready{0};
    std::atomic<bool> panicked{false};
    std::string message;
    const auto run = [&](unsigned core) {
        ++ready;
        while (ready.load() < max_cores) {
            std::this_thread::yield();
        }
        Stumbling stumbling;
        try {
            work(core, stumbling);
        } catch (const host::Panic& panic) {
            if (!panicked.exchange(true)) {
                message = panic.message;
            }
        }
    };
    std::vector<std::thread> others;
    for (unsigned core = 1; core < max_cores; ++core) {
        others.emplace_back(run, core);
    }
    run(0);
    for (std::thread& other : others) {
        other.join();
    }
    if (panicked) {
        FAIL(("panic: " + message).c_str());
    }
}
