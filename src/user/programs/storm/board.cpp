// The storm's shared board and the steps that all kinds of events are made of.
#include "board.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

namespace storm {

Board* board = nullptr;
Worker* worker = nullptr;
uint8_t claims_as = 1;

namespace {
constexpr uint32_t most_complaints = 40;
constexpr size_t memory_words = 3 * 4096 / sizeof(uint64_t);
uint64_t memory[memory_words];
pid_t last_pid = 0;     // of this worker's children

int write_line(const char* text, size_t length) { return static_cast<int>(write(STDERR_FILENO, text, length)); }
}  // namespace

bool make_board(uint32_t wanted) {
    void* memory = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        return false;
    }
    board = static_cast<Board*>(memory);
    board->wanted = wanted;
    worker = &board->workers[0];
    return true;
}

void complain(const char* format, ...) {
    const int error = errno;
    if (board->mistakes.fetch_add(1) < most_complaints) {
        char line[200];
        int length = snprintf(line, sizeof line, "storm: pid %d: ", static_cast<int>(getpid()));
        va_list list;
        va_start(list, format);
        length += vsnprintf(line + length, sizeof line - static_cast<size_t>(length) - 1, format, list);
        va_end(list);
        length = length < static_cast<int>(sizeof line) - 1 ? length : static_cast<int>(sizeof line) - 2;
        line[length++] = '\n';
        write_line(line, static_cast<size_t>(length));
    }
    errno = error;
}

void claim(pid_t pid) {
    if (pid <= 1 || pid > highest_pid_max) {
        complain("that is no pid for a child");
        return;
    }
    if (const uint8_t other = board->living[pid].exchange(claims_as)) {
        complain("two processes have this pid: of events %d and %d", claims_as, other);
    }
}

void let_go(pid_t pid) { board->living[pid].store(0); }

void leave(int status) {
    let_go(getpid());
    _exit(status);
}

void count_process(pid_t pid) {
    board->made.fetch_add(1);
    if (pid < last_pid) {
        worker->wraps.fetch_add(1);
    }
    last_pid = pid;
}

void report_progress() {
    const uint32_t tenth = board->made.load() / (board->wanted / 10 + 1);
    uint32_t last = board->tenths.load();
    if (tenth > last && board->tenths.compare_exchange_strong(last, tenth)) {
        char line[80];
        const int length = snprintf(line, sizeof line, "storm: %u processes, %u times refused\n", static_cast<unsigned>(board->made.load()),
                                    static_cast<unsigned>(board->refused.load()));
        write_line(line, static_cast<size_t>(length));
    }
}

void count_refusal() {
    if (errno != EAGAIN && errno != ENOMEM) {
        complain("refused with errno %d", errno);
    }
    board->refused.fetch_add(1);
    sched_yield();
}

pid_t try_fork() {
    const pid_t pid = fork();
    if (pid == 0) {
        claim(getpid());
    } else if (pid > 0) {
        count_process(pid);
    } else {
        count_refusal();
    }
    return pid;
}

int collect(pid_t pid) {
    int status = -1;
    pid_t got;
    do {
        got = waitpid(pid, &status, 0);
    } while (got == -1 && errno == EINTR);
    if (got != pid) {
        complain("waitpid(%d) gave %d, errno %d", static_cast<int>(pid), static_cast<int>(got), errno);
        return -1;
    }
    return status;
}

void expect_exit(pid_t pid, int status) {
    const int got = collect(pid);
    if (!WIFEXITED(got) || WEXITSTATUS(got) != status) {
        complain("child %d: wait status %#x, should have left with %d", static_cast<int>(pid), static_cast<unsigned>(got), status);
    }
}

void expect_signal(pid_t pid, int signal) {
    const int got = collect(pid);
    if (!WIFSIGNALED(got) || WTERMSIG(got) != signal) {
        complain("child %d: wait status %#x, should have ended by signal %d", static_cast<int>(pid), static_cast<unsigned>(got), signal);
    }
}

void fill_memory(uint64_t pattern) {
    for (size_t i = 0; i < memory_words; i += 61) {
        memory[i] = pattern + i;
    }
}

bool memory_holds(uint64_t pattern) {
    for (size_t i = 0; i < memory_words; i += 61) {
        if (memory[i] != pattern + i) {
            return false;
        }
    }
    return true;
}

Lifeline::Lifeline() {
    int ends[2];
    if (pipe(ends) == 0) {
        read_ = ends[0];
        write_ = ends[1];
    } else {
        count_refusal();
    }
}

Lifeline::~Lifeline() {
    if (read_ >= 0) {
        close(read_);
    }
    if (write_ >= 0) {
        close(write_);
    }
}

void Lifeline::in_child() {
    close(read_);
    read_ = -1;
}

void Lifeline::wait_for_end() {
    close(write_);
    write_ = -1;
    char byte;
    ssize_t got;
    do {
        got = read(read_, &byte, 1);
    } while (got == -1 && errno == EINTR);
    if (got != 0) {
        complain("a lifeline gave %d, errno %d", static_cast<int>(got), errno);
    }
}

void pause_a_little(Random& random) {
    for (unsigned turns = random.below(4); turns > 0; --turns) {
        sched_yield();
    }
}

}  // namespace storm
