// Signals.
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "user/newlib/system_call.h"

extern "C" {

void forklore_run_handler();    // entry.S

static sigset_t interrupting;   // signals for which siginterrupt() asked

int sigaction(int signal, const struct sigaction* action, struct sigaction* old) {
    ForkloreSigaction kernel_action, kernel_old;
    if (action != nullptr) {
        kernel_action.handler = reinterpret_cast<uint64_t>(action->sa_handler);
        kernel_action.restorer = reinterpret_cast<uint64_t>(&forklore_run_handler);
        kernel_action.mask = static_cast<uint32_t>(action->sa_mask);
        kernel_action.flags = static_cast<uint32_t>(action->sa_flags);
    }
    const long result = system_call(SYS_sigaction, signal, action != nullptr ? &kernel_action : nullptr,
                                    old != nullptr ? &kernel_old : nullptr);
    if (old != nullptr && !is_error(result)) {
        old->sa_handler = reinterpret_cast<_sig_func_ptr>(kernel_old.handler);
        old->sa_mask = kernel_old.mask;
        old->sa_flags = static_cast<int>(kernel_old.flags);
    }
    return posix(result);
}

// BSD's meaning: the handler stays, interrupted calls are made again.
_sig_func_ptr signal(int number, _sig_func_ptr handler) {
    struct sigaction action = {}, old;
    action.sa_handler = handler;
    action.sa_flags = sigismember(&interrupting, number) ? 0 : SA_RESTART;
    return sigaction(number, &action, &old) == -1 ? SIG_ERR : old.sa_handler;
}

int siginterrupt(int number, int interrupts) {
    struct sigaction action;
    if (sigaction(number, nullptr, &action) == -1) {
        return -1;
    }
    if (interrupts) {
        sigaddset(&interrupting, number);
        action.sa_flags &= ~SA_RESTART;
    } else {
        sigdelset(&interrupting, number);
        action.sa_flags |= SA_RESTART;
    }
    return sigaction(number, &action, nullptr);
}

int kill(pid_t pid, int signal) { return posix(system_call(SYS_kill, pid, signal)); }
int _kill(pid_t, int) NEWLIB_NAME(kill);
int killpg(pid_t group, int signal) { return kill(-group, signal); }
int raise(int signal) { return kill(getpid(), signal); }

int sigprocmask(int how, const sigset_t* set, sigset_t* old) {
    const uint32_t kernel_set = set != nullptr ? static_cast<uint32_t>(*set) : 0;
    uint32_t kernel_old = 0;
    const long result = system_call(SYS_sigprocmask, how, set != nullptr ? &kernel_set : nullptr,
                                    old != nullptr ? &kernel_old : nullptr);
    if (old != nullptr && !is_error(result)) {
        *old = kernel_old;
    }
    return posix(result);
}
int pthread_sigmask(int how, const sigset_t* set, sigset_t* old) {
    return sigprocmask(how, set, old) == -1 ? errno : 0;
}

int sigpending(sigset_t* set) {
    uint32_t kernel_set = 0;
    const long result = system_call(SYS_sigpending, &kernel_set);
    if (!is_error(result)) {
        *set = kernel_set;
    }
    return posix(result);
}

int sigsuspend(const sigset_t* mask) {
    const uint32_t kernel_mask = static_cast<uint32_t>(*mask);
    return posix(system_call(SYS_sigsuspend, &kernel_mask));
}

int sigtimedwait(const sigset_t* set, siginfo_t* info, const struct timespec* timeout) {
    const uint32_t kernel_set = static_cast<uint32_t>(*set);
    return posix(system_call(SYS_sigtimedwait, &kernel_set, info, timeout));
}
int sigwaitinfo(const sigset_t* set, siginfo_t* info) { return sigtimedwait(set, info, nullptr); }
int sigwait(const sigset_t* set, int* signal) {
    const int taken = sigwaitinfo(set, nullptr);
    if (taken == -1) {
        return errno;
    }
    *signal = taken;
    return 0;
}

int sigaltstack(const stack_t* __restrict wanted, stack_t* __restrict old) {
    return posix(system_call(SYS_sigaltstack, wanted, old));
}

int pause() {
    sigset_t mask;
    return sigprocmask(SIG_BLOCK, nullptr, &mask) == -1 ? -1 : sigsuspend(&mask);
}

// <setjmp.h>
void __sigjmp_keep_mask(sigjmp_buf environment, int wanted) {
    environment->has_mask = wanted;
    if (wanted) {
        sigprocmask(SIG_BLOCK, nullptr, &environment->mask);
    }
}
void siglongjmp(sigjmp_buf environment, int value) {
    if (environment->has_mask) {
        sigprocmask(SIG_SETMASK, &environment->mask, nullptr);
    }
    longjmp(environment->registers, value);
}

}  // extern "C"
