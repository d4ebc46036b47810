// System V shared memory.
#include <sys/shm.h>
#include <sys/stat.h>

#include "user/newlib/system_call.h"

extern "C" {

// The usual recipe: eight bits each of the caller's and the device's number, sixteen of the file's.
key_t ftok(const char* path, int project) {
    struct stat status;
    if (stat(path, &status) == -1) {
        return -1;
    }
    return static_cast<key_t>((project & 0xff) << 24 | (status.st_dev & 0xff) << 16 | (status.st_ino & 0xffff));
}

int shmget(key_t key, size_t bytes, int flags) { return posix(system_call(SYS_shmget, key, bytes, flags)); }
void* shmat(int id, const void* address, int flags) { return posix<void*>(system_call(SYS_shmat, id, address, flags)); }
int shmdt(const void* address) { return posix(system_call(SYS_shmdt, address)); }

int shmctl(int id, int command, struct shmid_ds* status) {
    ForkloreSegment segment = {};
    if (command == IPC_SET) {
        segment.uid = status->shm_perm.uid;
        segment.gid = status->shm_perm.gid;
        segment.mode = status->shm_perm.mode;
    }
    const long result = system_call(SYS_shmctl, id, command, &segment);
    if ((command == IPC_STAT || command == SHM_STAT) && !is_error(result)) {
        status->shm_perm.key = segment.key;
        status->shm_perm.uid = static_cast<uid_t>(segment.uid);
        status->shm_perm.cuid = static_cast<uid_t>(segment.maker_uid);
        status->shm_perm.gid = static_cast<gid_t>(segment.gid);
        status->shm_perm.cgid = static_cast<gid_t>(segment.maker_gid);
        status->shm_perm.mode = segment.mode;
        status->shm_segsz = segment.bytes;
        status->shm_lpid = segment.last;
        status->shm_cpid = segment.maker;
        status->shm_nattch = segment.attachments;
        status->shm_atime = segment.attached.seconds;
        status->shm_dtime = segment.detached.seconds;
        status->shm_ctime = segment.changed.seconds;
    }
    return posix(result);
}

}  // extern "C"
