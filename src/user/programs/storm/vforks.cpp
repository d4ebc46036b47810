// vfork: the thread is lent, all of it comes back. What the child writes into memory is the parent's.
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kinds.h"
#include "registers.h"

namespace storm {

namespace {

// What the child on loan leaves in the parent's memory.
volatile int written_by_child;

enum class Claim : bool { No, Yes };

// vfork that checks registers on both returns. The child claims its pid, unless nobody could let go of it.
[[gnu::always_inline]] inline pid_t try_vfork(uint64_t seed, Claim claims = Claim::Yes) {
    const KeptCall call = call_keeping_registers(SYS_vfork, seed);
    EXPECT(call.differences == 0);
    if (call.result < 0) {
        errno = static_cast<int>(-call.result);
        count_refusal();
        return -1;
    }
    if (call.result == 0) {
        if (claims == Claim::Yes) {
            claim(getpid());
        }
    } else {
        count_process(static_cast<pid_t>(call.result));
    }
    return static_cast<pid_t>(call.result);
}

// Sets a signal mask and puts the old one back at the end; the mask must then be as set.
class WithMask {
public:
    explicit WithMask(Random& random) {
        sigaddset(&set_, 1 + static_cast<int>(random.below(8)));
        sigaddset(&set_, SIGUSR2);
        sigprocmask(SIG_SETMASK, &set_, &before_);
    }
    ~WithMask() {
        sigset_t now = 0;
        sigprocmask(SIG_SETMASK, &before_, &now);
        EXPECT(now == set_);
    }

private:
    sigset_t set_ = 0, before_ = 0;
};

// What a child may do on loan that its parent must not feel.
void live_on_loan(Random& random, pid_t parent) {
    EXPECT(getpid() != parent && getppid() == parent);
    sigset_t mask = 1u << SIGUSR1;
    sigprocmask(SIG_SETMASK, &mask, nullptr);
    if (random.chance(3)) {
        errno = 0;
        EXPECT(vfork() == -1 && errno == EINVAL);
    }
    if (random.chance(3)) {
        errno = 0;
        EXPECT(execl("/no/such/program", "program", nullptr) == -1 && errno == ENOENT);
    }
    if (random.chance(3)) {
        close(STDIN_FILENO);
        chdir("/tmp");
        signal(SIGTERM, SIG_IGN);
    }
    pause_a_little(random);
}

[[gnu::noinline]] void vfork_and_exit(Random& random) {
    const pid_t self = getpid();
    const int status = static_cast<int>(random.below(256));
    const uint64_t seed = random.next();
    struct sigaction action = {};
    written_by_child = 0;
    WithMask mask(random);
    const pid_t pid = try_vfork(seed);
    if (pid == 0) {
        live_on_loan(random, self);
        written_by_child = getpid();
        leave(status);
    }
    if (pid > 0) {
        EXPECT(written_by_child == pid);
        EXPECT(getpid() == self);
        expect_exit(pid, status);
    }
    sigaction(SIGTERM, nullptr, &action);
    EXPECT(action.sa_handler == SIG_DFL);
}

[[gnu::noinline]] void vfork_and_exec(Random& random) {
    const int status = static_cast<int>(random.below(200));
    const uint64_t seed = random.next();
    Lifeline line;
    if (!line.ok()) {
        return;
    }
    written_by_child = 0;
    WithMask mask(random);
    const pid_t pid = try_vfork(seed);
    if (pid == 0) {
        written_by_child = getpid();
        become_exec_child(status);
        _exit(status);      // without memory for a new program; the parent lets go
    }
    if (pid > 0) {
        EXPECT(written_by_child == pid);
        line.wait_for_end();
        let_go(pid);
        expect_exit(pid, status);
    }
}

// A helper process kills the child that the parent's thread runs as.
[[gnu::noinline]] void killed_on_loan(Random& random) {
    Worker& line = *worker;
    line.subject.store(0);
    const int deadly = random.chance(2) ? SIGKILL : SIGTERM;
    const pid_t helper = try_fork();
    if (helper == 0) {
        int32_t subject;
        while ((subject = line.subject.load()) == 0) {
            sched_yield();
        }
        if (subject > 0) {
            pause_a_little(random);
            EXPECT(kill(subject, deadly) == 0);
        }
        leave(7);
    }
    if (helper < 0) {
        return;
    }
    const pid_t self = getpid();
    const unsigned way = random.below(3);
    const uint64_t seed = random.next();
    WithMask mask(random);
    const pid_t pid = try_vfork(seed);
    if (pid == 0) {
        sigset_t none = 0;
        sigprocmask(SIG_SETMASK, &none, nullptr);
        let_go(getpid());
        line.subject.store(getpid());
        for (;;) {
            if (way == 0) {
                sched_yield();
            } else if (way == 1) {
                sigsuspend(&none);
            } else {
                sleep(1);
            }
        }
    }
    if (pid < 0) {
        line.subject.store(-1);
    } else {
        EXPECT(getpid() == self);
        expect_signal(pid, deadly);
    }
    expect_exit(helper, 7);
}

// The parent of a lent thread is killed: parent and child end, nobody waits for ever.
[[gnu::noinline]] void lender_killed(Random& random) {
    Worker& line = *worker;
    line.subject.store(0);
    const unsigned way = random.below(3);
    const uint64_t seed = random.next();
    Lifeline life;
    if (!life.ok()) {
        return;
    }
    const pid_t lender = try_fork();
    if (lender == 0) {
        life.in_child();
        const pid_t pid = try_vfork(seed, Claim::No);
        if (pid == 0) {             // init collects this one, whenever it likes
            sigset_t none = 0;
            line.subject.store(getpid());
            for (;;) {
                if (way == 0) {
                    sched_yield();
                } else if (way == 1) {
                    sigsuspend(&none);
                } else {
                    sleep(1);
                }
            }
        }
        line.subject.store(-1);
        for (;;) {
            sched_yield();
        }
    }
    if (lender < 0) {
        return;
    }
    while (line.subject.load() == 0) {
        sched_yield();
    }
    pause_a_little(random);
    EXPECT(kill(lender, SIGKILL) == 0);
    life.wait_for_end();
    let_go(lender);
    expect_signal(lender, SIGKILL);
}

}  // namespace

const Kind vfork_kinds[] = {
    {"vfork", 25, vfork_and_exit},
    {"vfork-exec", 10, vfork_and_exec},
    {"loan-killed", 8, killed_on_loan},
    {"lender-killed", 5, lender_killed},
    {nullptr, 0, nullptr},
};

}  // namespace storm
