/* System V shared memory; the values are the kernel's (checked in newlib/check_values.cpp). */
#ifndef FORKLORE_SYS_SHM_H
#define FORKLORE_SYS_SHM_H

#include <sys/ipc.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SHM_RDONLY 010000
#define SHM_RND 020000
#define SHM_STAT 13 /* the number is a place in the kernel's table; the result is the number of the segment there */
#define SHMLBA 4096

typedef unsigned long shmatt_t;
struct shmid_ds {
    struct ipc_perm shm_perm;
    size_t shm_segsz;
    pid_t shm_lpid, shm_cpid;
    shmatt_t shm_nattch;
    time_t shm_atime, shm_dtime, shm_ctime;
};

int shmget(key_t, size_t, int);
void *shmat(int, const void *, int);
int shmdt(const void *);
int shmctl(int, int, struct shmid_ds *);

#ifdef __cplusplus
}
#endif
#endif
