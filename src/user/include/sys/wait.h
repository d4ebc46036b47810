/* newlib's <sys/wait.h>, with continued children and resource usage. */
#ifndef FORKLORE_SYS_WAIT_H
#define FORKLORE_SYS_WAIT_H

#include_next <sys/wait.h>
#include <sys/resource.h>

#define WCONTINUED 4
#define WIFCONTINUED(status) ((status) == 0xffff)
#define WCOREDUMP(status) 0

#ifdef __cplusplus
extern "C" {
#endif

pid_t wait3(int *, int, struct rusage *);
pid_t wait4(pid_t, int *, int, struct rusage *);

#ifdef __cplusplus
}
#endif
#endif
