/* The kernel's system-call numbers, and a way to make any of them. */
#ifndef FORKLORE_SYS_SYSCALL_H
#define FORKLORE_SYS_SYSCALL_H

#include <abi/forklore.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -1 and errno on failure. Not for fork and vfork. */
long syscall(long number, ...);

#ifdef __cplusplus
}
#endif
#endif
