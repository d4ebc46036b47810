// exec on the host: every step that can fail, in a process with a body of its own and on loan.
#include "kernel/proc/calls.h"
#include "kernel/proc/sys_files.h"
#include "proc_support.h"

TEST_GROUP_BASE(Exec, ProcessTest) {
    // The arguments of execve lie in a page that exec only reads: the path, two pointers, a string.
    static constexpr UserAddr path = data, argv = data + 512, string = data + 600;

    void setup() override {
        ProcessTest::setup();
        host::add_program("/tmp/program");
        host::add_program("/tmp/set_user", {.mode = 06755, .uid = user, .gid = 7});
        host::add_file("/tmp/script", "#!/tmp/program -x\n");
        host::add_file("/tmp/private", "x", {.mode = 0600});
        write_arguments("/tmp/program");
    }
    void write_arguments(std::string_view program) {
        put_string(path, program);
        put_string(string, "argument");
        put(argv, string.value);
        put(argv + 8, 0);
    }
    Result<uint64_t> execute() { return call(sys_execve, path.value, argv.value, argv.value); }
    Result<uint64_t> execute(std::string_view program) {
        write_arguments(program);
        return execute();
    }
    // Of a program that exec started.
    Result<uint64_t> execute_again(std::string_view program) {
        must(space().map(data, page_size, Protection::read_write(), {.fixed = true}));
        return execute(program);
    }
    // The test goes on as a child of the shell's.
    Proc& as_child() {
        Proc& child = forked();
        host::set_current(host::take_started());
        return child;
    }
    void end_child(Thread& shell, Pid child) {
        host::set_current(shell);
        host::end(find(child), 0);
        ProcessTest::collect(child);
    }
};

TEST(Exec, starts_the_program_at_its_entry_with_fresh_registers) {
    frame.x[9] = 9;
    must(execute());
    UNSIGNED_LONGS_EQUAL(host::program_entry.value, frame.pc);
    UNSIGNED_LONGS_EQUAL(0, frame.x[9]);
    UNSIGNED_LONGS_EQUAL(0, frame.sp % 16);
}

TEST(Exec, replaces_the_memory) {
    must(execute());
    uint64_t word = 0;
    must_fail(Error::BadAddress, space().load(&word, data, sizeof word));
    CHECK_TRUE((word_of(space(), UserAddr(0x50'0000)) & 0xffffffff) == 0x61746164);     // "data"
    UNSIGNED_LONGS_EQUAL(0, word_of(space(), UserAddr(0x50'0000) + page_size));
}

TEST(Exec, puts_count_and_strings_on_the_stack) {
    must(execute());
    UNSIGNED_LONGS_EQUAL(1, word_of(space(), UserAddr(frame.sp)));
    char words[9] = {};
    must(space().load(words, UserAddr(word_of(space(), UserAddr(frame.sp + 8))), sizeof words));
    STRCMP_EQUAL("argument", words);
}

TEST(Exec, closes_what_is_marked_so_and_resets_handlers) {
    host::add_file("/tmp/file", "");
    put_string(path, "/tmp/file");
    uint64_t kept = must(call(sys_open, path.value, FL_O_RDONLY, 0));
    uint64_t closed = must(call(sys_open, path.value, FL_O_RDONLY | FL_O_CLOEXEC, 0));
    me().signals.actions->actions[FL_SIGUSR1].handler = 0x1234;
    me().signals.actions->actions[FL_SIGUSR2].handler = FL_SIG_IGN;
    must(execute("/tmp/program"));
    must(call(sys_lseek, kept, 0, FL_SEEK_CUR));
    must_fail(Error::BadDescriptor, call(sys_lseek, closed, 0, FL_SEEK_CUR));
    UNSIGNED_LONGS_EQUAL(FL_SIG_DFL, me().signals.actions->actions[FL_SIGUSR1].handler);
    UNSIGNED_LONGS_EQUAL(FL_SIG_IGN, me().signals.actions->actions[FL_SIGUSR2].handler);
}

TEST(Exec, takes_the_identity_of_a_set_id_program) {
    must(execute("/tmp/set_user"));
    UNSIGNED_LONGS_EQUAL(user, must(call(sys_geteuid)));
    UNSIGNED_LONGS_EQUAL(7, must(call(sys_getegid)));
    UNSIGNED_LONGS_EQUAL(root_uid, must(call(sys_getuid)));
    CHECK_TRUE(me().inherited.executable_set_id);
}

TEST(Exec, leaves_no_identity_to_go_back_to_that_was_given_up) {
    must(execute("/tmp/set_user"));
    must(call(sys_setgid, root_uid));       // both to the real ones; the saved ones are still the program's
    must(call(sys_setuid, root_uid));
    must(execute_again("/tmp/program"));
    UNSIGNED_LONGS_EQUAL(root_uid, me().credentials->saved_uid);
    UNSIGNED_LONGS_EQUAL(root_uid, me().credentials->saved_gid);
    CHECK_FALSE(me().inherited.executable_set_id);
}

TEST(Exec, of_a_set_id_program_by_who_is_its_owner_already_is_marked_as_one) {
    must(execute("/tmp/set_user"));
    must(execute_again("/tmp/set_user"));
    CHECK_TRUE(me().inherited.executable_set_id);
}

TEST(Exec, of_a_script_runs_its_interpreter_with_the_script_as_argument) {
    must(execute("/tmp/script"));
    UNSIGNED_LONGS_EQUAL(3, word_of(space(), UserAddr(frame.sp)));
    char words[12] = {};
    must(space().load(words, UserAddr(word_of(space(), UserAddr(frame.sp + 24))), sizeof words));
    STRCMP_EQUAL("/tmp/script", words);
}

TEST(Exec, refuses_what_may_not_be_executed) {
    must_fail(Error::AccessDenied, execute("/tmp/private"));
    must_fail(Error::AccessDenied, execute("/tmp"));
    must_fail(Error::NoEntry, execute("/tmp/nothing"));
    must_fail(Error::BadAddress, call(sys_execve, 0x10, 0, 0));
    UNSIGNED_LONGS_EQUAL(0, frame.x[1]);
}

TEST(Exec, fails_at_each_step_with_its_error_and_leaves_the_old_program_whole) {
    static constexpr Step last[] = {{"end of the other threads", Error::Interrupted}};
    static constexpr auto steps = joined(program_steps, last);
    Thread& shell = *cpu::current_thread();
    Pid child = as_child().pid;
    must(execute());
    end_child(shell, child);            // each zone has an element at hand
    child = as_child().pid;
    must(space().handle_fault(path, Access::Write));
    expect_steps(steps.all, [&] { return execute(); },
                 [&](Result<uint64_t>&) {
                     end_child(shell, child);
                     child = as_child().pid;
                     must(space().handle_fault(path, Access::Write));
                 });
}

TEST(Exec, on_loan_fails_at_each_step_and_leaves_the_child_on_loan) {
    static constexpr auto steps = joined(program_steps, body_steps);
    Pid child = lent().pid;
    must(execute());
    finish(find(child));
    child = lent().pid;
    expect_steps(steps.all,
                 [&] {
                     Result<uint64_t> result = execute();
                     LONGS_EQUAL(number(result.ok() ? static_cast<Pid>(2) : child), number(me().pid));
                     return result;
                 },
                 [&](Result<uint64_t>&) {
                     finish(find(child));
                     child = lent().pid;
                 });
}

TEST(Exec, of_a_set_id_program_may_fail_for_want_of_credentials) {
    Pid child = lent().pid;
    write_arguments("/tmp/set_user");
    must(execute());
    finish(find(child));
    child = lent().pid;
    uint64_t no_memory = 0;
    uint64_t steps = sweep([&] { return execute(); },
                           [&](Result<uint64_t>&) {
                               finish(find(child));
                               child = lent().pid;
                           },
                           [&](uint64_t, Error error) { no_memory += error == Error::NoMemory ? 1 : 0; });
    UNSIGNED_LONGS_EQUAL(std::size(program_steps) + std::size(body_steps) + 1, steps);
    UNSIGNED_LONGS_EQUAL(13 + 4 + 1 - 1, no_memory);
}

TEST(Exec, of_a_script_fails_at_each_read_of_a_file) {
    Pid child = lent().pid;
    write_arguments("/tmp/script");
    must(execute());
    finish(find(child));
    child = lent().pid;
    uint64_t reads = 0;
    sweep([&] { return execute(); },
          [&](Result<uint64_t>&) {
              finish(find(child));
              child = lent().pid;
          },
          [&](uint64_t, Error error) { reads += error == Error::Io ? 1 : 0; });
    UNSIGNED_LONGS_EQUAL(4, reads);     // the script, its interpreter, and that one's headers
}
