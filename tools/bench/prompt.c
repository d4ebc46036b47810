/* For `make bench`: typed at the prompt, says when that was and how much memory is in use. Under -icount shift=0 a
 * nanosecond is an instruction. */
#include <forklore/forklore.h>
#include <stdio.h>
#include <time.h>

int main(void) {
    struct timespec now;
    struct ForkloreSysinfo info;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (sysinfo(&info) != 0) {
        perror("sysinfo");
        return 1;
    }
    printf("prompt %lld\n", (long long)now.tv_sec * 1000000000 + now.tv_nsec);
    printf("memory %llu\n", (unsigned long long)((info.pages_total - info.pages_free) * info.page_size));
    return 0;
}
