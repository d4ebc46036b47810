// ipcs: the System V shared memory segments.
#include "user/programs/tools/tool.h"

#include <sys/shm.h>

#include "forklore/forklore.h"

static constexpr char help[] =
    "usage: ipcs\n"
    "Lists the shared memory segments that the user may read: number, key, owner, permissions,\n"
    "bytes, and to how many address spaces it is attached.\n";

int ipcs_main(int argc, char** argv) {
    no_options(argc, argv, help);
    printf("%10s %10s %6s %5s %9s %8s\n", "ID", "KEY", "OWNER", "MODE", "BYTES", "ATTACHED");
    for (int place = 0; place < FORKLORE_SEGMENTS_MAX; ++place) {
        struct shmid_ds segment;
        const int id = shmctl(place, SHM_STAT, &segment);
        if (id != -1) {
            printf("%10d %10lx %6d %5o %9lu %8lu\n", id, static_cast<unsigned long>(segment.shm_perm.key), segment.shm_perm.uid,
                   static_cast<unsigned>(segment.shm_perm.mode), static_cast<unsigned long>(segment.shm_segsz), segment.shm_nattch);
        }
    }
    return 0;
}
