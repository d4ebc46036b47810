// id: who we are.
#include "abi/forklore.h"
#include "user/programs/tools/tool.h"

int id_main(int argc, char** argv) {
    no_options(argc, argv, "usage: id\nWrites the user's and the group's numbers.\n");
    printf("uid=%u gid=%u", getuid(), getgid());
    if (geteuid() != getuid() || getegid() != getgid()) {
        printf(" euid=%u egid=%u", geteuid(), getegid());
    }
    gid_t groups[FORKLORE_NGROUPS_MAX];
    const int count = getgroups(FORKLORE_NGROUPS_MAX, groups);
    for (int i = 0; i < count; ++i) {
        printf("%s%u", i == 0 ? " groups=" : ",", groups[i]);
    }
    puts("");
    return 0;
}
