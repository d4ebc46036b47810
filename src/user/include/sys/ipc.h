/* What System V objects have in common; the values are the kernel's (checked in newlib/check_values.cpp). */
#ifndef FORKLORE_SYS_IPC_H
#define FORKLORE_SYS_IPC_H

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define IPC_PRIVATE ((key_t)0)
#define IPC_CREAT 01000
#define IPC_EXCL 02000
#define IPC_RMID 0
#define IPC_SET 1
#define IPC_STAT 2

struct ipc_perm {
    key_t key;
    uid_t uid, cuid;
    gid_t gid, cgid;
    mode_t mode;
};

key_t ftok(const char *, int);

#ifdef __cplusplus
}
#endif
#endif
