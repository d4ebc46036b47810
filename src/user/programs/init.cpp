// Process 1: the console, the shell, and the orphans.
//
// With the boot argument `cmd=` it runs that command instead and powers off with its status.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forklore/forklore.h"

namespace {

const char* const environment[] = {"PATH=/bin:/add", "HOME=/home", "TERM=vt100", "USER=root", "SHELL=/bin/sh", nullptr};

// The keyboard speaks to the shell and its jobs.
constexpr int keyboard_signals[] = {SIGINT, SIGQUIT, SIGHUP, SIGTSTP, SIGTTIN, SIGTTOU};

volatile sig_atomic_t wanted_restart = 0;
volatile sig_atomic_t wanted_end = 0;

void on_end_signal(int signal) {
    wanted_restart = signal == SIGUSR1;
    wanted_end = 1;
}

void complain(const char* text) {
    write(STDERR_FILENO, text, strlen(text));
}

void open_console() {
    const int fd = open("/dev/console", O_RDWR);
    if (fd < 0) {
        return;
    }
    for (int wanted = 0; wanted <= 2; ++wanted) {
        if (fd != wanted) {
            dup2(fd, wanted);
        }
    }
    if (fd > 2) {
        close(fd);
    }
}

// The child leads a session of its own, whose terminal is the console, and is its foreground group.
[[noreturn]] void become_shell(const char* const arguments[]) {
    for (const int signal_number : keyboard_signals) {
        signal(signal_number, SIG_DFL);
    }
    setsid();
    ioctl(STDIN_FILENO, TIOCSCTTY, 0);
    tcsetpgrp(STDIN_FILENO, getpid());
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    execve(arguments[0], const_cast<char* const*>(arguments), const_cast<char* const*>(environment));
    complain("init: /bin/sh: ");
    complain(strerror(errno));
    complain("\n");
    _exit(127);
}

int exit_status(int status) {
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Runs one shell, reaps everybody's orphans meanwhile. Returns its exit status, or -1 if a signal asks for the end.
int run_shell(const char* const arguments[]) {
    const pid_t shell = fork();
    if (shell == 0) {
        become_shell(arguments);
    }
    if (shell < 0) {
        complain("init: cannot make a process for the shell\n");
        sleep(1);
        return 126;
    }
    while (!wanted_end) {
        int status;
        const pid_t pid = wait(&status);
        if (pid == shell) {
            return exit_status(status);
        }
    }
    return -1;
}

int hexadecimal(char digit) {
    return digit >= '0' && digit <= '9' ? digit - '0' : (digit | 32) >= 'a' && (digit | 32) <= 'f' ? (digit | 32) - 'a' + 10 : -1;
}

// "%20" to a space, and so on, in place; what is not two hexadecimal digits stays.
void decode_percent(char* text) {
    char* out = text;
    for (; *text != '\0'; ++text) {
        if (*text == '%' && hexadecimal(text[1]) >= 0 && hexadecimal(text[2]) >= 0) {
            *out++ = static_cast<char>(hexadecimal(text[1]) * 16 + hexadecimal(text[2]));
            text += 2;
        } else {
            *out++ = *text;
        }
    }
    *out = '\0';
}

// The value of `cmd=` among the boot arguments, which are separated by spaces; null if there is none.
char* boot_command(char* arguments) {
    for (char* word = strtok(arguments, " "); word != nullptr; word = strtok(nullptr, " ")) {
        if (strncmp(word, "cmd=", 4) == 0) {
            decode_percent(word + 4);
            return word + 4;
        }
    }
    return nullptr;
}

}  // namespace

int main() {
    open_console();
    setsid();
    struct sigaction action = {};
    action.sa_handler = on_end_signal;
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGUSR1, &action, nullptr);
    for (const int signal_number : keyboard_signals) {
        signal(signal_number, SIG_IGN);
    }

    ForkloreSysinfo info;
    char* command = sysinfo(&info) == 0 ? boot_command(info.boot_arguments) : nullptr;
    if (command != nullptr) {
        const char* const arguments[] = {"/bin/sh", "-c", command, nullptr};
        const int status = run_shell(arguments);
        reboot(FL_REBOOT_POWEROFF, status < 0 ? 128 + SIGTERM : status);
        return 1;
    }

    const char* const arguments[] = {"/bin/sh", "-l", nullptr};
    while (!wanted_end) {
        run_shell(arguments);
    }
    reboot(wanted_restart ? FL_REBOOT_RESTART : FL_REBOOT_POWEROFF, 0);
    return 1;
}
