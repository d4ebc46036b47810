/* newlib's <sys/wait.h>, with continued children, resource usage and waitid(). */
#ifndef FORKLORE_SYS_WAIT_H
#define FORKLORE_SYS_WAIT_H

#include_next <sys/wait.h>
#include <signal.h>
#include <sys/resource.h>

#define WSTOPPED WUNTRACED
#define WCONTINUED 4
#define WEXITED 8
#define WNOWAIT 16
#define WIFCONTINUED(status) ((status) == 0xffff)
#define WCOREDUMP(status) 0

#ifdef __cplusplus
extern "C" {
#endif

typedef enum { P_ALL = 0, P_PID = 1, P_PGID = 2 } idtype_t;

int waitid(idtype_t, id_t, siginfo_t *, int);
pid_t wait3(int *, int, struct rusage *);
pid_t wait4(pid_t, int *, int, struct rusage *);

#ifdef __cplusplus
}
#endif
#endif
