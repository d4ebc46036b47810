// What the checks of lab 4 share: a parent whose thread the check plays, and a look at each step before the next builds on it.
#pragma once

#include "kernel/proc/calls.h"
#include "kernel/proc/family.h"
#include "kernel/proc/sys_files.h"
#include "kernel/sched.h"
#include "unit/proc_support.h"

class Lending : public ProcessTest {
public:
    void setup() override {
        ProcessTest::setup();
        parent = &me();
        thread = cpu::current_thread();
        thread->done(ReturnWork::Signal);
        host::add_program("/tmp/program");
        host::add_file("/tmp/no_program", "what is this");
    }
    // Ending all processes and the ledger of them rely on loans that are over; a check that failed may have left anything.
    void teardown() override {
        if (UtestShell::getCurrent()->hasFailed()) {
            return;
        }
        {
            SpinGuard guard(families_lock);
            for (Proc& proc : all_processes()) {
                CHECK_TRUE_TEXT(proc.lent_thread == nullptr, "at the end of the check a process still claims a lent thread");
                UNSIGNED_LONGS_EQUAL_TEXT(0, proc.loans, "loans at the end of the check");
            }
        }
        ProcessTest::teardown();
    }

protected:
    static UThread& uthread() { return current_uthread(); }
    static SignalSet pending(Proc& proc) {
        SpinGuard guard(proc.signals.lock);
        return proc.signals.pending;
    }
    static void forget_pending(Proc& proc) {
        SpinGuard guard(proc.signals.lock);
        proc.signals.pending = 0;
    }
    static void catch_signal(Proc& proc, int signal) {
        SpinGuard guard(proc.signals.lock);
        proc.signals.actions->actions[signal].handler = 0x38'0040;
    }

    // The current thread calls vfork and goes on as the child.
    Proc& lend() {
        must(vfork(frame));
        CHECK_TRUE_TEXT(uthread().loan.has_value(), "vfork succeeded, but the thread has no loan");
        CHECK_TRUE_TEXT(&me() != parent, "the loan's child is the parent itself");
        return me();
    }
    void expect_home() {
        CHECK_FALSE_TEXT(uthread().loan.has_value(), "the thread is still on loan");
        POINTERS_EQUAL_TEXT(parent, &me(), "the thread acts for its own process again");
    }
    void exit_child(int code = 0) {
        vfork_exit(frame, status_of_exit(code));
        expect_home();
    }
    void finish_child() {
        Pid pid = me().pid;
        exit_child();
        collect(pid);
    }
    Result<uint64_t> execute(std::string_view path) {
        put_string(data, path);
        return call(sys_execve, data.value, 0, 0);
    }
    // A second thread of the parent, which nobody plays; nothing is asked of it.
    Thread& second_thread() {
        must(call(sys_thread_create, program_counter, 0, 0x1000, 0));
        Thread& second = host::take_started();
        second.uthread->mask = 0;
        second.done(ReturnWork::Signal);
        return second;
    }
    void enter_directory(std::string_view path) {
        put_string(data, path);
        must(call(sys_chdir, data.value));
    }

    Proc* parent = nullptr;
    Thread* thread = nullptr;
};
