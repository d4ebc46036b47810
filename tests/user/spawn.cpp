// posix_spawn: a program in a new process, without a copy of this one.
#include "support.h"

#include <spawn.h>

TEST("the program runs and its status comes back") {
    char* const arguments[] = {const_cast<char*>("false"), nullptr};
    pid_t pid;
    EQUAL(0, posix_spawn(&pid, "/bin/false", nullptr, nullptr, arguments, environ));
    int status;
    EQUAL(pid, waitpid(pid, &status, 0));
    EQUAL(1, exited(status));
}

TEST("a program that is not there is the call's result") {
    char* const arguments[] = {const_cast<char*>("none"), nullptr};
    EQUAL(ENOENT, posix_spawn(nullptr, "/bin/none", nullptr, nullptr, arguments, environ));
    FAILS_WITH(ECHILD, wait(nullptr));
}

TEST("file actions are the child's alone") {
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
    EQUAL(0, result);
    EQUAL(0, strcmp(text, "hi\n"));
}
