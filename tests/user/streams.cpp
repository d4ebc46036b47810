// popen and its kin, and jumps that mind the signal mask.
#include "user/support/support.h"

#include <initializer_list>
#include <pthread.h>
#include <setjmp.h>

TEST_GROUP(Streams) {};

TEST(Streams, popen_reads_what_a_command_writes) {
    FILE* stream = popen("echo one; echo two", "r");
    CHECK(stream != nullptr);
    char line[16];
    STRCMP_EQUAL("one\n", fgets(line, sizeof line, stream));
    STRCMP_EQUAL("two\n", fgets(line, sizeof line, stream));
    POINTERS_EQUAL(nullptr, fgets(line, sizeof line, stream));
    LONGS_EQUAL(0, pclose(stream));
}

TEST(Streams, popen_writes_what_a_command_reads) {
    FILE* stream = popen("read word; test \"$word\" = hello", "w");
    CHECK(stream != nullptr);
    fputs("hello\n", stream);
    LONGS_EQUAL(0, pclose(stream));
}

TEST(Streams, pclose_tells_the_commands_status) {
    LONGS_EQUAL(7, exited(pclose(popen("exit 7", "r"))));
    LONGS_EQUAL(SIGTERM, killed_by(pclose(popen("kill $$", "r"))));
}

TEST(Streams, a_second_command_does_not_hold_the_first_ones_stream_open) {
    // The first reads to the end of its input: it ends only if nobody else has the writing end.
    FILE* first = popen("cat > /dev/null", "w");
    FILE* second = popen("cat > /dev/null", "w");
    CHECK(first != nullptr && second != nullptr);
    LONGS_EQUAL(0, pclose(first));
    LONGS_EQUAL(0, pclose(second));
}

TEST(Streams, system_tells_the_commands_status_and_leaves_other_children_alone) {
    FILE* stream = popen("exit 7", "r");
    LONGS_EQUAL(3, exited(system("exit 3")));
    LONGS_EQUAL(SIGKILL, killed_by(system("kill -9 $$")));
    LONGS_EQUAL(7, exited(pclose(stream)));
    CHECK(system(nullptr) != 0);
}

TEST(Streams, system_ignores_the_keyboards_signals_while_the_command_takes_them) {
    LONGS_EQUAL(0, exited(in_child([] {
        // Sent by the command to its parent and to itself.
        char command[64];
        snprintf(command, sizeof command, "kill -INT %d; kill -INT $$; sleep 1", getpid());
        LEAVE_UNLESS(killed_by(system(command)) == SIGINT);
        struct sigaction after;
        sigaction(SIGINT, nullptr, &after);
        return after.sa_handler == SIG_DFL ? 0 : 9;
    })));
}

TEST(Streams, popen_with_a_wrong_mode_is_EINVAL) {
    for (const char* mode : {"", "x", "rw", "re+"}) {
        errno = 0;
        POINTERS_EQUAL(nullptr, popen("true", mode));
        LONGS_EQUAL(EINVAL, errno);
    }
}

TEST(Streams, pclose_of_a_stream_that_popen_did_not_make_is_ECHILD) {
    FAILS_WITH(ECHILD, pclose(stdin));
}

namespace {
// What another thread gets that tries to take the lock: 0 or -1.
long tried_by_another() {
    pthread_t thread;
    void* result = nullptr;
    pthread_create(&thread, nullptr, [](void*) -> void* {
        const long busy = ftrylockfile(stdout);
        if (busy == 0) {
            funlockfile(stdout);
        }
        return reinterpret_cast<void*>(busy);
    }, nullptr);
    pthread_join(thread, &result);
    return reinterpret_cast<long>(result);
}
}  // namespace

// In a child: a thread's stack is kept for the next one.
TEST(Streams, a_stream_is_locked_against_other_threads_and_not_against_its_holder) {
    LONGS_EQUAL(0, exited(in_child([] {
        LEAVE_UNLESS(tried_by_another() == 0);
        flockfile(stdout);
        LEAVE_UNLESS(ftrylockfile(stdout) == 0);
        LEAVE_UNLESS(tried_by_another() == -1);
        funlockfile(stdout);
        LEAVE_UNLESS(tried_by_another() == -1);
        funlockfile(stdout);
        LEAVE_UNLESS(tried_by_another() == 0);
        return 0;
    })));
}

namespace {
// Whether SIGUSR1 is blocked after a jump back from where it was.
bool blocked_after_jump(int keep) {
    sigset_t usr1;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigjmp_buf back;
    if (sigsetjmp(back, keep) == 0) {
        sigprocmask(SIG_BLOCK, &usr1, nullptr);
        siglongjmp(back, 1);
    }
    sigset_t mask;
    sigprocmask(SIG_UNBLOCK, &usr1, &mask);
    return sigismember(&mask, SIGUSR1);
}
}  // namespace

TEST(Streams, siglongjmp_restores_the_mask_that_sigsetjmp_kept) {
    CHECK_FALSE(blocked_after_jump(1));
    CHECK_TRUE(blocked_after_jump(0));
}
