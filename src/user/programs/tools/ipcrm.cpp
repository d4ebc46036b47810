// ipcrm: removes System V shared memory segments.
#include "user/programs/tools/tool.h"

#include <sys/shm.h>

static constexpr char help[] =
    "usage: ipcrm ID...\n"
    "Removes the shared memory segments of these numbers (see ipcs). One that is attached still\n"
    "goes when the last program has detached it.\n";

int ipcrm_main(int argc, char** argv) {
    no_options(argc, argv, help);
    if (optind >= argc) {
        usage_error("which segment?");
    }
    int status = 0;
    for (int i = optind; i < argc; ++i) {
        if (shmctl(static_cast<int>(number_argument(argv[i])), IPC_RMID, nullptr) == -1) {
            status = complain_about(argv[i]);
        }
    }
    return status;
}
