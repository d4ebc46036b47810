// posix_spawn: a program in a new process, without a copy of this one.
#include "user/support/support.h"

#include <spawn.h>

TEST_GROUP(Spawn) {};

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
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
    char* const arguments[] = {const_cast<char*>("echo"), const_cast<char*>("hi"), nullptr};
    pid_t pid = -1;
    const int result = posix_spawnp(&pid, "echo", &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    char text[4] = "";
    close(ends[1]);
    read(ends[0], text, 3);
    close(ends[0]);
    waitpid(pid, nullptr, 0);
    LONGS_EQUAL(0, result);
    LONGS_EQUAL(0, strcmp(text, "hi\n"));
}
