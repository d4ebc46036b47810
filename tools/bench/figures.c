/* Prints the figures of `make bench` that only a program in the guest can know, as `name value` lines.
 *
 * The guest runs under -icount shift=0, so a nanosecond is an instruction. Started by init's `cmd=`, this
 * program begins where the prompt would be. */
#include <forklore/forklore.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* One system call that does nothing, without the library around it. */
static long null_call(void) {
    register long number __asm__("x8") = SYS_getppid;
    register long result __asm__("x0");
    __asm__ volatile("svc #0" : "=r"(result) : "r"(number) : "memory");
    return result;
}

static uint64_t null_call_cost(void) {
    enum { rounds = 20000 };
    uint64_t start = now();
    for (int i = 0; i < rounds; ++i) {
        null_call();
    }
    uint64_t with = now() - start;
    start = now();
    for (int i = 0; i < rounds; ++i) {
        __asm__ volatile("" ::: "memory");
    }
    return (with - (now() - start)) / rounds;
}

static uint64_t fork_cost(void) {
    enum { rounds = 50 };
    uint64_t start = now();
    for (int i = 0; i < rounds; ++i) {
        pid_t child = fork();
        if (child == 0) {
            _exit(0);
        }
        if (child < 0 || waitpid(child, 0, 0) != child) {
            return 0;
        }
    }
    return (now() - start) / rounds;
}

int main(void) {
    uint64_t start = now();
    struct ForkloreSysinfo info;
    if (sysinfo(&info) != 0) {
        perror("sysinfo");
        return 1;
    }
    printf("prompt %llu\n", (unsigned long long)start);
    printf("memory %llu\n", (unsigned long long)((info.pages_total - info.pages_free) * info.page_size));
    printf("null %llu\n", (unsigned long long)null_call_cost());
    printf("fork %llu\n", (unsigned long long)fork_cost());
    return 0;
}
