// posix_spawn: a program in a new process, without a copy of this one.
#include "user/support/support.h"

#include <spawn.h>
#include <sys/stat.h>
#include <sys/syscall.h>

// One role of this program, spawned, and what its status says.
TEST_GROUP(Spawn) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;

    void setup() override {
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
    }
    void teardown() override {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
    int try_role(const char* role, pid_t* pid) {
        char* const arguments[] = {const_cast<char*>("spawned"), const_cast<char*>("role"), const_cast<char*>(role), nullptr};
        return posix_spawn(pid, program_path, &actions, &attributes, arguments, environ);
    }
    // The wait status; -1 if there was no child.
    int run_role(const char* role) {
        pid_t pid = -1;
        int status = -1;
        return try_role(role, &pid) == 0 && waitpid(pid, &status, 0) == pid ? status : -1;
    }
};

TEST(Spawn, the_program_runs_and_its_status_comes_back) {
    char* const arguments[] = {const_cast<char*>("false"), nullptr};
    pid_t pid;
    LONGS_EQUAL(0, posix_spawn(&pid, "/bin/false", nullptr, nullptr, arguments, environ));
    int status;
    LONGS_EQUAL(pid, waitpid(pid, &status, 0));
    LONGS_EQUAL(1, exited(status));
}

TEST(Spawn, a_program_that_is_not_there_is_the_calls_result) {
    char* const arguments[] = {const_cast<char*>("none"), nullptr};
    LONGS_EQUAL(ENOENT, posix_spawn(nullptr, "/bin/none", nullptr, nullptr, arguments, environ));
    FAILS_WITH(ECHILD, wait(nullptr));
}

TEST(Spawn, file_actions_are_the_childs_alone) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    char* const arguments[] = {const_cast<char*>("echo"), const_cast<char*>("hi"), nullptr};
    pid_t pid = -1;
    const int result = posix_spawnp(&pid, "echo", &actions, nullptr, arguments, environ);
    char text[4] = "";
    close(ends[1]);
    read(ends[0], text, 3);
    close(ends[0]);
    waitpid(pid, nullptr, 0);
    LONGS_EQUAL(0, result);
    LONGS_EQUAL(0, strcmp(text, "hi\n"));
}

TEST(Spawn, a_file_that_is_no_program_is_the_calls_result_and_no_child_is_seen) {
    const int fd = open("/tmp/junk", O_WRONLY | O_CREAT, 0755);
    write(fd, "this is no program at all", 25);
    close(fd);
    char* const arguments[] = {const_cast<char*>("junk"), nullptr};
    const int result = posix_spawn(nullptr, "/tmp/junk", nullptr, nullptr, arguments, environ);
    unlink("/tmp/junk");
    LONGS_EQUAL(ENOEXEC, result);
    FAILS_WITH(ECHILD, wait(nullptr));
}

TEST(Spawn, a_failure_sends_no_SIGCHLD) {
    sigset_t set, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, nullptr);
    signal(SIGCHLD, [](int) {});
    char* const arguments[] = {const_cast<char*>("none"), nullptr};
    const int result = posix_spawn(nullptr, "/bin/none", nullptr, nullptr, arguments, environ);
    sigpending(&pending);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, nullptr);
    LONGS_EQUAL(ENOENT, result);
    LONGS_EQUAL(0, sigismember(&pending, SIGCHLD));
}

TEST(Spawn, a_failing_file_action_is_the_calls_result) {
    posix_spawn_file_actions_addopen(&actions, 5, "/nowhere/file", O_RDONLY, 0);
    pid_t pid;
    LONGS_EQUAL(ENOENT, try_role("has_no_9", &pid));
    FAILS_WITH(ECHILD, wait(nullptr));
}

ROLE(has_no_9) { return fcntl(9, F_GETFD) == -1 && errno == EBADF ? 0 : 1; }
ROLE(reads_x_from_9) {
    char byte = 0;
    return read(9, &byte, 1) == 1 && byte == 'x' ? 0 : 1;
}

TEST(Spawn, opens_a_file_under_the_number_that_is_asked_for) {
    const int fd = open("/tmp/x", O_WRONLY | O_CREAT | O_TRUNC, 0644);
    write(fd, "x", 1);
    close(fd);
    posix_spawn_file_actions_addopen(&actions, 9, "/tmp/x", O_RDONLY, 0);
    const int status = run_role("reads_x_from_9");
    unlink("/tmp/x");
    LONGS_EQUAL(0, exited(status));
    FAILS_WITH(EBADF, fcntl(9, F_GETFD));
}

TEST(Spawn, closes_what_is_open_here_and_is_silent_about_what_is_not) {
    dup2(1, 9);
    posix_spawn_file_actions_addclose(&actions, 9);
    posix_spawn_file_actions_addclose(&actions, 10);
    const int status = run_role("has_no_9");
    const bool kept = fcntl(9, F_GETFD) == 0;
    close(9);
    LONGS_EQUAL(0, exited(status));
    CHECK(kept);
}

TEST(Spawn, a_descriptor_that_closes_on_exec_is_kept_by_a_duplicate_onto_itself) {
    Gate gate;
    fcntl(gate.reader(), F_DUPFD, 9);
    fcntl(9, F_SETFD, FD_CLOEXEC);
    gate.open();
    LONGS_EQUAL(0, exited(run_role("has_no_9")));
    posix_spawn_file_actions_adddup2(&actions, 9, 9);
    char marked[] = "x";
    write(gate.writer(), marked, 1);
    const int status = run_role("reads_x_from_9");
    close(9);
    LONGS_EQUAL(0, exited(status));
}

TEST(Spawn, actions_run_in_the_order_in_which_they_were_added) {
    Gate gate;
    gate.open();
    posix_spawn_file_actions_adddup2(&actions, gate.reader(), 8);
    posix_spawn_file_actions_addclose(&actions, gate.reader());
    posix_spawn_file_actions_adddup2(&actions, 8, 9);
    LONGS_EQUAL(0, exited(run_role("reads_x_from_9")));
    posix_spawn_file_actions_adddup2(&actions, gate.reader(), 9);
    pid_t pid;
    LONGS_EQUAL(EBADF, try_role("reads_x_from_9", &pid));
}

TEST(Spawn, numbers_that_can_not_be_descriptors_are_refused_at_once) {
    LONGS_EQUAL(EBADF, posix_spawn_file_actions_addclose(&actions, -1));
    LONGS_EQUAL(EBADF, posix_spawn_file_actions_adddup2(&actions, 1, 100000));
    LONGS_EQUAL(EBADF, posix_spawn_file_actions_addopen(&actions, -1, "/dev/null", O_RDONLY, 0));
    LONGS_EQUAL(EBADF, posix_spawn_file_actions_addfchdir(&actions, -1));
}

ROLE(is_in_tmp) {
    char path[64];
    return getcwd(path, sizeof path) != nullptr && strcmp(path, "/tmp") == 0 ? 0 : 1;
}

TEST(Spawn, the_child_begins_in_the_directory_that_is_asked_for) {
    char before[64] = "", after[64] = "";
    getcwd(before, sizeof before);
    posix_spawn_file_actions_addchdir(&actions, "/tmp");
    const int status = run_role("is_in_tmp");
    getcwd(after, sizeof after);
    LONGS_EQUAL(0, exited(status));
    STRCMP_EQUAL(before, after);
}

ROLE(leads_its_group) { return getpgrp() == getpid() && getsid(0) != getpid() ? 0 : 1; }
ROLE(leads_its_session) { return getpgrp() == getpid() && getsid(0) == getpid() ? 0 : 1; }
ROLE(waits_for_a_signal) {
    for (;;) {
        pause();
    }
}

TEST(Spawn, the_child_can_begin_in_a_group_of_its_own) {
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    LONGS_EQUAL(0, exited(run_role("leads_its_group")));
}

TEST(Spawn, the_child_can_begin_in_an_existing_group) {
    pid_t first = -1, second = -1;
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    LONGS_EQUAL(0, try_role("waits_for_a_signal", &first));
    posix_spawnattr_setpgroup(&attributes, first);
    const int result = try_role("waits_for_a_signal", &second);
    const pid_t group = getpgid(second);
    kill(-first, SIGKILL);
    int ended = 0;
    const pid_t pids[] = {first, second};
    for (const pid_t pid : pids) {
        int status;
        ended += waitpid(pid, &status, 0) == pid && killed_by(status) == SIGKILL;
    }
    LONGS_EQUAL(0, result);
    LONGS_EQUAL(first, group);
    LONGS_EQUAL(2, ended);
}

TEST(Spawn, a_group_that_is_not_there_is_EPERM) {
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, 77777);
    pid_t pid;
    LONGS_EQUAL(EPERM, try_role("has_no_9", &pid));
}

TEST(Spawn, the_child_can_lead_a_session_of_its_own) {
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
    LONGS_EQUAL(0, exited(run_role("leads_its_session")));
}

ROLE(blocks_SIGTERM_alone) {
    sigset_t mask;
    sigprocmask(SIG_BLOCK, nullptr, &mask);
    return mask == 1u << SIGTERM ? 0 : 1;
}
ROLE(dies_of_SIGUSR1) {
    raise(SIGUSR1);
    return 0;
}

TEST(Spawn, the_child_begins_with_the_mask_that_is_asked_for_and_else_with_ours) {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGTERM);
    posix_spawnattr_setsigmask(&attributes, &mask);
    LONGS_EQUAL(1, exited(run_role("blocks_SIGTERM_alone")));
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    LONGS_EQUAL(0, exited(run_role("blocks_SIGTERM_alone")));
    posix_spawnattr_setflags(&attributes, 0);
    sigprocmask(SIG_SETMASK, &mask, nullptr);
    const int status = run_role("blocks_SIGTERM_alone");
    sigprocmask(SIG_UNBLOCK, &mask, nullptr);
    LONGS_EQUAL(0, exited(status));
}

TEST(Spawn, a_signal_that_is_ignored_here_can_be_the_defaults_there) {
    signal(SIGUSR1, SIG_IGN);
    const int ignoring = run_role("dies_of_SIGUSR1");
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    posix_spawnattr_setsigdefault(&attributes, &set);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    const int dying = run_role("dies_of_SIGUSR1");
    signal(SIGUSR1, SIG_DFL);
    LONGS_EQUAL(0, exited(ignoring));
    LONGS_EQUAL(SIGUSR1, killed_by(dying));
}

TEST(Spawn, the_child_can_have_the_real_users_identity) {
    struct stat of;
    CHECK(stat(program_path, &of) == 0);
    chmod(program_path, 04755);
    const int status = in_child([&] {
        setuid(77);
        return become("spawns_with_reset_ids");     // effective user 0 by the set-id bit, real user 77
    });
    chmod(program_path, of.st_mode & 07777);
    LONGS_EQUAL(0, exited(status));
}

// What `id` says when it is spawned with these attributes.
static bool id_says_effective_user_0(const posix_spawnattr_t& attributes) {
    Gate gate;
    posix_spawn_file_actions_t to_gate;
    posix_spawn_file_actions_init(&to_gate);
    posix_spawn_file_actions_adddup2(&to_gate, gate.writer(), 1);
    char* const arguments[] = {const_cast<char*>("id"), nullptr};
    pid_t pid = -1;
    posix_spawnp(&pid, "id", &to_gate, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&to_gate);
    waitpid(pid, nullptr, 0);
    char said[100] = "";
    fcntl(gate.reader(), F_SETFL, O_NONBLOCK);
    read(gate.reader(), said, sizeof said - 1);
    return strstr(said, "uid=77") != nullptr && strstr(said, "euid=0") != nullptr;
}

ROLE(spawns_with_reset_ids) {
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    LEAVE_UNLESS(geteuid() == 0 && getuid() == 77);
    LEAVE_UNLESS(id_says_effective_user_0(attributes));
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_RESETIDS);
    LEAVE_UNLESS(!id_says_effective_user_0(attributes));
    return 0;
}

TEST(Spawn, flags_that_nobody_knows_are_EINVAL) {
    LONGS_EQUAL(EINVAL, posix_spawnattr_setflags(&attributes, 0x4000));
    LONGS_EQUAL(EINVAL, posix_spawnattr_setpgroup(&attributes, -1));
}

TEST(Spawn, attributes_give_back_what_was_put_in) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
    posix_spawnattr_setpgroup(&attributes, 17);
    posix_spawnattr_setsigmask(&attributes, &set);
    posix_spawnattr_setsigdefault(&attributes, &set);
    short flags = 0;
    pid_t group = 0;
    sigset_t mask = 0, defaults = 0;
    posix_spawnattr_getflags(&attributes, &flags);
    posix_spawnattr_getpgroup(&attributes, &group);
    posix_spawnattr_getsigmask(&attributes, &mask);
    posix_spawnattr_getsigdefault(&attributes, &defaults);
    CHECK(flags == (POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID) && group == 17 && mask == set && defaults == set);
}

TEST(Spawn, a_child_of_vfork_may_spawn) {
    const pid_t pid = vfork();
    if (pid == 0) {
        char* const arguments[] = {const_cast<char*>("true"), nullptr};
        pid_t grandchild;
        int status = -1;
        const bool good = posix_spawn(&grandchild, "/bin/true", nullptr, nullptr, arguments, environ) == 0 &&
                          waitpid(grandchild, &status, 0) == grandchild && status == 0;
        _exit(good ? 3 : 4);
    }
    int status = -1;
    waitpid(pid, &status, 0);
    LONGS_EQUAL(3, exited(status));
}

TEST(Spawn, wild_pointers_are_EFAULT) {
    const long wild = 0x123456789000;
    FAILS_WITH(EFAULT, syscall(SYS_posix_spawn, wild, 0, 0, 0));
    const char* const paths[] = {"/bin/true", nullptr};
    FAILS_WITH(EFAULT, syscall(SYS_posix_spawn, paths, wild, 0, 0));
    FAILS_WITH(EFAULT, syscall(SYS_posix_spawn, paths, 0, wild, 0));
    ForkloreSpawn wanted = {};
    wanted.actions = wild;
    wanted.action_count = 1;
    FAILS_WITH(EFAULT, syscall(SYS_posix_spawn, paths, &wanted, 0, 0));
    wanted.action_count = FORKLORE_SPAWN_ACTIONS_MAX + 1;
    FAILS_WITH(EINVAL, syscall(SYS_posix_spawn, paths, &wanted, 0, 0));
}
