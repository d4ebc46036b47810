// One schedule: its threads as contexts on stacks of their own, of which one runs; who goes on at each point.
#include "engine.h"

#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>
#include <utility>
#include <vector>

#include "../explorer.h"

extern "C" {
void __sanitizer_start_switch_fiber(void** fake_stack_save, const void* bottom, size_t size);
void __sanitizer_finish_switch_fiber(void* fake_stack_save, const void** bottom_old, size_t* size_old);
void __asan_unpoison_memory_region(void const volatile* start, size_t size);
void __sanitizer_symbolize_pc(void* pc, const char* format, char* out, size_t size);
}

namespace explorer {

namespace races {
extern uint64_t accesses_left;
}

namespace {

constexpr size_t stack_size = 256 * 1024;
constexpr uint32_t most_points = 20'000;
constexpr uint64_t most_accesses = 5'000'000;

// Everything of the engine that changes lies here, on the heap: it is not put back with the kernel's memory.
struct World {
    LogicalThread threads[max_threads];
    unsigned thread_count = 0;
    LogicalThread* current = nullptr;       // none: the explorer itself
    bool running = false;                   // inside run(): the others may go on
    unsigned cores_free = 0;
    unsigned next_core = 0;
    Clock core_clocks[cores];

    Chooser* chooser = nullptr;
    std::vector<Decision> made;
    std::vector<Deviation> deviations;      // of this schedule so far
    uint32_t points = 0;
    uint32_t atomic_changes = 0, changes_at_respin = 0;
    bool relaxed = false, races = false, trace = false;
    Outcome outcome;

    void* home_registers[5] = {};
    void* home_fake_stack = nullptr;
    const void* home_stack = nullptr;
    size_t home_stack_size = 0;
};
World* const world = new World;

bool has_core(const LogicalThread& thread) {
    const unsigned cores_for_it = thread.only_core >= 0 ? 1u << thread.only_core : ~0u;
    return thread.core >= 0 || (world->cores_free & cores_for_it) != 0;
}

bool able(const LogicalThread& thread) {
    return thread.state == State::Ready && has_core(thread) && (thread.id == 0 || world->running);
}

uint16_t who_is_able() {
    uint16_t set = 0;
    for (unsigned i = 0; i < world->thread_count; ++i) {
        set = static_cast<uint16_t>(set | (able(world->threads[i]) ? 1u << i : 0u));
    }
    return set;
}

void give_up_core(LogicalThread& thread) {
    if (thread.core >= 0) {
        world->core_clocks[thread.core].join(thread.clock);
        ++thread.clock.of[thread.id];
        world->cores_free |= 1u << thread.core;
        thread.core = -1;
    }
}

// Not the core that was let go last: what two threads do one after the other on one core is in order.
int choose_core() {
    while ((world->cores_free >> world->next_core & 1) == 0) {
        world->next_core = (world->next_core + 1) % cores;
    }
    const unsigned core = world->next_core;
    world->next_core = (core + 1) % cores;
    return static_cast<int>(core);
}

void take_core(LogicalThread& thread) {
    if (thread.core < 0) {
        thread.core = thread.only_core >= 0 ? thread.only_core : choose_core();
        world->cores_free &= ~(1u << thread.core);
        thread.clock.join(world->core_clocks[thread.core]);
        machine::on_core(thread, thread.core);
    }
}

// --- switching ---

void watch(LogicalThread& thread) { races::track(world->running && thread.id != 0 && thread.unwatched == 0, &thread); }

void arrived() {
    LogicalThread& thread = *world->current;
    __sanitizer_finish_switch_fiber(thread.fake_stack, nullptr, nullptr);
    machine::enter(thread);
    take_core(thread);
    watch(thread);
}

[[noreturn]] void go_on(LogicalThread* next) {
    if (next == nullptr) {
        __builtin_longjmp(world->home_registers, 1);
    }
    if (next->begun) {
        __builtin_longjmp(next->registers, 1);
    }
    next->begun = true;
    setcontext(&next->context);
    abort();
}

// Returns when somebody switches back.
__attribute__((noinline)) void save_and_go_on(void** registers, LogicalThread* next) {
    if (__builtin_setjmp(registers) == 0) {
        go_on(next);
    }
}

void switch_to(LogicalThread* next) {
    LogicalThread* before = world->current;
    races::track(false, nullptr);
    world->current = next;
    if (next != nullptr) {
        __sanitizer_start_switch_fiber(before != nullptr ? &before->fake_stack : &world->home_fake_stack, next->stack, stack_size);
    } else {
        __sanitizer_start_switch_fiber(&before->fake_stack, world->home_stack, world->home_stack_size);
    }
    save_and_go_on(before != nullptr ? before->registers : world->home_registers, next);
    if (before != nullptr) {
        arrived();
    } else {
        __sanitizer_finish_switch_fiber(world->home_fake_stack, nullptr, nullptr);
    }
}

void finish();

void trampoline() {
    LogicalThread& thread = *world->current;
    arrived();
    for (;;) {
        thread.body();
        finish();
    }
}

// --- choosing ---

// Round robin behind the current thread, or the current one itself.
unsigned usual_choice(uint16_t set, bool stay) {
    const unsigned me = world->current != nullptr ? world->current->id : 0;
    if (stay) {
        return me;
    }
    for (unsigned i = 1; i <= max_threads; ++i) {
        const unsigned id = (me + i) % max_threads;
        if ((set >> id & 1) != 0) {
            return id;
        }
    }
    return me;
}

LogicalThread* choose(uint16_t set, bool stay) {
    if (set == 0) {
        return nullptr;
    }
    const unsigned usual = usual_choice(set, stay);
    if ((set & (set - 1)) == 0) {
        return &world->threads[usual];
    }
    const auto at = static_cast<uint32_t>(world->made.size());
    unsigned chosen = world->chooser->choose(at, set, usual);
    if ((set >> chosen & 1) == 0) {
        chosen = usual;     // a schedule made for other code
    }
    world->made.push_back({set, static_cast<uint8_t>(chosen), static_cast<uint8_t>(usual), stay});
    if (chosen != usual) {
        world->deviations.push_back({at, static_cast<uint8_t>(chosen)});
    }
    return &world->threads[chosen];
}

// --- the story of a schedule ---

__attribute__((noinline)) void remember_place(LogicalThread& thread) {
    auto* frame = static_cast<void**>(__builtin_frame_address(0));
    const auto low = reinterpret_cast<uintptr_t>(thread.stack), high = low + stack_size;
    unsigned n = 0;
    while (n < LogicalThread::depth) {
        const auto at = reinterpret_cast<uintptr_t>(frame);
        if (at < low || at + 16 > high) {
            break;
        }
        thread.place[n++] = frame[1];
        frame = static_cast<void**>(frame[0]);
    }
    while (n < LogicalThread::depth) {
        thread.place[n++] = nullptr;
    }
}

std::string offset_of(const void* pc) {
    char text[20];
    snprintf(text, sizeof text, "%lx", reinterpret_cast<uintptr_t>(pc) - settings.places_from);
    return text;
}

// Innermost frame that is no part of the explorer, and its callers.
std::string place_of(const LogicalThread& thread) {
    std::string text;
    unsigned shown = 0;
    if (settings.places_from != 0) {
        for (unsigned i = 0; i < LogicalThread::depth && thread.place[i] != nullptr; ++i) {
            text += (i == 0 ? "" : " ") + offset_of(static_cast<char*>(thread.place[i]) - 1);
        }
        return "{" + text + "}";
    }
    for (void* pc : thread.place) {
        if (pc == nullptr || shown == 4) {
            break;
        }
        const std::string place = readable_place(static_cast<char*>(pc) - 1);
        if (place.empty() || place.find("tests/explorer") != std::string::npos || place.find("/c++/") != std::string::npos ||
            place.find("spin_lock.h") != std::string::npos) {
            continue;
        }
        text += (shown++ == 0 ? "" : ", called by ") + place;
    }
    return text;
}

// What it is about to do. Only a lock that somebody holds has a name.
std::string doing(const LogicalThread& thread) {
    const std::string what = thread.doing, name = machine::name_of(thread.object);
    if (name.empty()) {
        return what == "take" || what == "let go of" ? what + " a lock" : what == "change" ? "an atomic operation" : what;
    }
    return what + " \"" + name + "\"";
}

std::string named(const LogicalThread& thread) { return std::string(1, thread.letter()) + " (" + thread.name + ")"; }

void tell(const LogicalThread& from, const LogicalThread* to, size_t at, bool preemptive) {
    races::track(false, nullptr);       // until the switch
    const std::string next = to != nullptr && to->id == 0 ? "the check looks at what they left" : to != nullptr ? named(*to) + " goes on" : "nobody goes on";
    printf("    %4zu  %s %s before: %s\n          at %s\n          %s\n", at, named(from).c_str(), preemptive ? "is cut off" : "waits",
           doing(from).c_str(), place_of(from).c_str(), next.c_str());
}

// Of a replay: what comes next, also where nobody is cut off.
void tell_step(const LogicalThread& thread) {
    const Unwatched quiet;
    const std::string place = place_of(thread);
    printf("    %4zu  %s: %s%s%s\n", world->made.size(), named(thread).c_str(), doing(thread).c_str(), place.empty() ? "" : " at ", place.c_str());
}

bool all_have_ended() {
    for (unsigned i = 1; i < world->thread_count; ++i) {
        const LogicalThread& thread = world->threads[i];
        if (thread.state != State::Ended && !thread.daemon) {
            return false;
        }
    }
    return true;
}

std::string standing() {
    std::string text;
    for (unsigned i = 1; i < world->thread_count; ++i) {
        const LogicalThread& thread = world->threads[i];
        text += "\n    ";
        text += thread.letter();
        text += std::string(" (") + thread.name + ")";
        switch (thread.state) {
        case State::Ended:
            text += " has ended";
            break;
        case State::Blocked:
            text += " waits: " + doing(thread);
            break;
        default:
            text += &thread == world->current ? " runs" : " could go on: " + doing(thread);
            break;
        }
        if (thread.state != State::Ended) {
            machine::describe(thread, text);
            if (const std::string place = place_of(thread); !place.empty()) {
                text += "\n        at " + place;
            }
        }
    }
    return text;
}

// Lets go of the current thread. `stay`: it could go on itself.
void reschedule(bool stay) {
    LogicalThread& me = *world->current;
    LogicalThread* next = choose(who_is_able(), stay);
    if (next == &me) {
        return;
    }
    if (world->trace) {
        tell(me, next, world->made.size(), stay);
    }
    switch_to(next);
}

void count_point() {
    if (++world->points > most_points) {
        fail_text("no progress after " + std::to_string(most_points) + " points");
    }
}

void make_context(LogicalThread& thread) {
    if (thread.stack == nullptr) {
        void* memory = mmap(nullptr, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) {
            perror("explorer: no memory for a stack");
            _exit(2);
        }
        thread.stack = static_cast<char*>(memory);
    }
    // What an abandoned schedule left behind.
    __asan_unpoison_memory_region(thread.stack, stack_size);
    thread.begun = false;
    thread.fake_stack = nullptr;
    getcontext(&thread.context);
    thread.context.uc_stack.ss_sp = thread.stack;
    thread.context.uc_stack.ss_size = stack_size;
    thread.context.uc_link = nullptr;
    makecontext(&thread.context, trampoline, 0);
}

// The current thread's part is over; comes back with the next body.
void finish() {
    LogicalThread& me = *world->current;
    races::track(false, nullptr);
    machine::left(me);
    me.state = State::Ended;
    me.doing = "";
    give_up_core(me);
    me.waits_for_body = true;
    switch_to(choose(who_is_able(), false));
}

}  // namespace

Unwatched::Unwatched() {
    if (world->current != nullptr) {
        ++world->current->unwatched;
        races::track(false, nullptr);
    }
}
Unwatched::~Unwatched() {
    if (world->current != nullptr && --world->current->unwatched == 0) {
        watch(*world->current);
    }
}

LogicalThread& self() { return *world->current; }
bool in_case() { return world->current != nullptr; }

LogicalThread& spawn(const char* name, std::function<void()> body, void* machine, int only_core) {
    if (world->thread_count == max_threads) {
        fail_text("more threads than the explorer can follow");
    }
    LogicalThread& thread = world->threads[world->thread_count];
    thread.id = world->thread_count++;
    thread.state = State::Ready;
    thread.daemon = false;
    thread.unwatched = 0;
    thread.core = -1;
    thread.only_core = only_core;
    thread.spins_on = thread.looked_at = thread.object = nullptr;
    thread.doing = "begin";
    memset(thread.place, 0, sizeof thread.place);
    snprintf(thread.name, sizeof thread.name, "%s", name);
    thread.body = std::move(body);
    thread.machine = machine;
    thread.clock = Clock{};
    if (world->current != nullptr) {
        thread.clock = world->current->clock;
        ++world->current->clock.of[world->current->id];
    }
    thread.clock.of[thread.id] = 1;
    if (!std::exchange(thread.waits_for_body, false)) {
        make_context(thread);
    }
    return thread;
}

void point(const char* what, const void* object) {
    if (world->current == nullptr || !world->running) {
        return;
    }
    LogicalThread& me = *world->current;
    me.doing = what;
    me.object = object;
    count_point();
    if (world->trace) {
        remember_place(me);
        if (!settings.replay.empty()) {
            tell_step(me);
        }
    }
    reschedule(true);
}

void yield(const char* what) {
    if (world->current == nullptr || !world->running) {
        return;
    }
    LogicalThread& me = *world->current;
    me.doing = what;
    me.object = nullptr;
    count_point();
    if (world->trace) {
        remember_place(me);
    }
    const auto others = static_cast<uint16_t>(who_is_able() & ~(1u << me.id));
    if (LogicalThread* next = choose(others, false)) {
        if (world->trace) {
            tell(me, next, world->made.size(), false);
        }
        switch_to(next);
    }
}

void relax() {
    if (world->current == nullptr) {
        return;
    }
    LogicalThread& me = *world->current;
    if (me.looked_at == nullptr || !world->running) {
        yield("look again");
        count_point();
        return;
    }
    me.spins_on = me.object = me.looked_at;
    me.looked_at = nullptr;
    me.doing = "take";
    me.state = State::Blocked;
    count_point();
    if (world->trace) {
        remember_place(me);
    }
    reschedule(false);
    me.spins_on = nullptr;
}

void block(const char* what, const void* object) {
    LogicalThread& me = *world->current;
    me.doing = what;
    me.object = object;
    me.state = State::Blocked;
    if (!world->running && me.id != 0) {
        fail_text("a thread sleeps outside of run()");
    }
    if (me.id == 0) {
        fail_text("the case's body would sleep: only its threads may");
    }
    give_up_core(me);
    count_point();
    if (world->trace) {
        remember_place(me);
    }
    reschedule(false);
}

void unblock(LogicalThread& thread) {
    if (thread.state == State::Blocked) {
        thread.state = State::Ready;
    }
    if (world->current != nullptr) {
        thread.clock.join(world->current->clock);
        ++world->current->clock.of[world->current->id];
    }
}

// From somewhere in the body, whose frames stay behind: the next body begins on a new context.
void end() {
    LogicalThread& me = *world->current;
    races::track(false, nullptr);
    machine::left(me);
    me.state = State::Ended;
    me.doing = "";
    give_up_core(me);
    switch_to(choose(who_is_able(), false));
    __builtin_unreachable();
}

void before_atomic(const void* address, size_t size, std::memory_order order) {
    races::check_atomic(address, size);
    if (world->current != nullptr && (order != std::memory_order_relaxed || world->relaxed)) {
        const bool takes = order == std::memory_order_acquire, leaves = order == std::memory_order_release;
        point(takes ? "take" : leaves ? "let go of" : "change", address);
    }
}

void after_atomic(const void* address, std::memory_order order, bool read, bool changed) {
    if (world->current == nullptr || !world->running) {
        return;
    }
    LogicalThread& me = *world->current;
    me.looked_at = changed ? nullptr : address;
    if (changed) {
        ++world->atomic_changes;
        for (unsigned i = 1; i < world->thread_count; ++i) {
            LogicalThread& other = world->threads[i];
            if (other.spins_on == address && other.state == State::Blocked) {
                other.state = State::Ready;
            }
        }
    }
    if (order == std::memory_order_relaxed || !world->races) {
        return;
    }
    if (read && order != std::memory_order_release) {
        races::acquire(address, me.clock);
    }
    if (changed && order != std::memory_order_acquire && order != std::memory_order_consume) {
        races::release(address, me.clock);
        ++me.clock.of[me.id];
    }
}

void fence() {
    if (world->current == nullptr) {
        return;
    }
    point("fence");
    races::everything(world->current->clock);
    ++world->current->clock.of[world->current->id];
}

void fail_text(std::string text) {
    races::track(false, nullptr);
    if (world->current == nullptr) {
        fprintf(stderr, "explorer: failure outside of a schedule: %s\n", text.c_str());
        abort();
    }
    if (!world->outcome.failed) {
        world->outcome.failed = true;
        if (world->trace) {
            remember_place(*world->current);
        }
        const std::string who = world->current->id == 0 ? "in the end" : "thread " + named(*world->current);
        world->outcome.message = who + ": " + text + (all_have_ended() ? "" : standing());
    }
    switch_to(nullptr);
    __builtin_unreachable();
}

void fail(const char* format, ...) {
    char text[1000];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fail_text(text);
}

void thread(const char* name, std::function<void()> body) { spawn(name, std::move(body), nullptr); }

void become_daemon() { self().daemon = true; }

namespace {

// Threads that look at one atomic again and again may wait for another.
bool let_spinners_look_again() {
    if (world->changes_at_respin == world->atomic_changes) {
        return false;
    }
    world->changes_at_respin = world->atomic_changes;
    bool any = false;
    for (unsigned i = 1; i < world->thread_count; ++i) {
        LogicalThread& thread = world->threads[i];
        if (thread.state == State::Blocked && thread.spins_on != nullptr) {
            thread.state = State::Ready;
            any = true;
        }
    }
    return any;
}

// Nobody can go on. Who may now?
LogicalThread* when_all_wait() {
    LogicalThread& body = world->threads[0];
    if (world->running && (let_spinners_look_again() || (!all_have_ended() && machine::pass_time()))) {
        return choose(who_is_able(), false);
    }
    if (world->running && all_have_ended()) {
        world->running = false;
        for (unsigned i = 1; i < world->thread_count; ++i) {
            body.clock.join(world->threads[i].clock);
        }
        body.state = State::Ready;
        return &body;
    }
    return nullptr;
}

}  // namespace

void run() {
    LogicalThread& body = self();
    if (body.id != 0) {
        fail_text("only the case's body runs the threads");
    }
    races::track(false, nullptr);
    give_up_core(body);
    body.state = State::Blocked;
    body.doing = "run the threads";
    world->running = true;
    switch_to(nullptr);     // the explorer takes over, and comes back when all have ended
}

Outcome execute(const std::function<void()>& body, Chooser& chooser, bool relaxed, bool races_wanted, bool trace) {
    world->thread_count = 0;
    world->current = nullptr;
    world->running = false;
    world->cores_free = (1u << cores) - 1;
    world->next_core = 0;
    for (Clock& clock : world->core_clocks) {
        clock = Clock{};
    }
    world->chooser = &chooser;
    world->made.clear();
    world->deviations.clear();
    world->points = world->atomic_changes = world->changes_at_respin = 0;
    world->relaxed = relaxed;
    world->races = races_wanted;
    world->trace = trace;
    world->outcome = Outcome{};
    if (world->home_stack == nullptr) {
        pthread_attr_t attributes;
        pthread_getattr_np(pthread_self(), &attributes);
        void* bottom = nullptr;
        pthread_attr_getstack(&attributes, &bottom, &world->home_stack_size);
        world->home_stack = bottom;
        pthread_attr_destroy(&attributes);
    }
    races::begin(races_wanted);
    races::accesses_left = most_accesses;
    spawn("body", body, nullptr);
    machine::new_case();
    LogicalThread* next = &world->threads[0];
    while (!world->outcome.failed && world->threads[0].state != State::Ended) {
        if (next == nullptr) {
            world->outcome.failed = true;
            world->outcome.message = "deadlock: nobody can go on" + standing();
            break;
        }
        switch_to(next);
        if (!world->outcome.failed && world->threads[0].state != State::Ended) {
            next = choose(who_is_able(), false);
            if (next == nullptr) {
                next = when_all_wait();
            }
        }
    }
    world->current = nullptr;
    world->running = false;
    return world->outcome;
}

std::string readable_place(const void* pc) {
    if (settings.places_from != 0) {
        return "{" + offset_of(pc) + "}";
    }
    char line[1000];
    __sanitizer_symbolize_pc(const_cast<void*>(pc), "%f|%s:%l", line, sizeof line);
    const std::string all(line);
    const size_t bar = all.find('|');
    if (bar == std::string::npos || all.find("<null>") != std::string::npos) {
        return "";
    }
    std::string function = all.substr(0, bar), file = all.substr(bar + 1);
    if (const size_t brace = function.find('('); brace != std::string::npos && brace != 0) {
        function.resize(brace);
    }
    // From the tree's top, wherever that lies.
    size_t top = 0;
    for (const char* folder : {"/src/", "/tests/", "/labs/"}) {
        if (const size_t found = file.rfind(folder); found != std::string::npos) {
            top = std::max(top, found + 1);
        }
    }
    return function + " at " + file.substr(top);
}

const Decision* decisions(size_t& count) {
    count = world->made.size();
    return world->made.data();
}

std::string schedule_so_far() {
    std::string text;
    for (const Deviation& deviation : world->deviations) {
        text += (text.empty() ? "" : ".") + std::to_string(deviation.at) + world->threads[deviation.thread].letter();
    }
    return text.empty() ? "0" : text;
}

}  // namespace explorer
