// id: who we are.
#include "user/programs/tools/tool.h"

int id_main(int argc, char** argv) {
    no_options(argc, argv, "usage: id\nWrites the user's and the group's numbers.\n");
    printf("uid=%u gid=%u", getuid(), getgid());
    if (geteuid() != getuid() || getegid() != getgid()) {
        printf(" euid=%u egid=%u", geteuid(), getegid());
    }
    puts("");
    return 0;
}
