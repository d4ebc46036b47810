// Users and groups.
#include "user/support/support.h"

#include "abi/forklore.h"
#include <sys/stat.h>
#include <sys/syscall.h>

TEST_GROUP(Identity) {};

namespace {

const gid_t staff[] = {50, 60};

// A file that root and group 60 may read.
int make_group_file(const char* path) {
    const int fd = open(path, O_CREAT | O_WRONLY, 0640);
    LEAVE_UNLESS(fd >= 0 && close(fd) == 0);
    return 0;
}

}  // namespace

TEST(Identity, groups_are_told_as_they_were_set) {
    LONGS_EQUAL(0, exited(in_child([] {
        LEAVE_UNLESS(getgroups(0, nullptr) == 0);
        LEAVE_UNLESS(setgroups(2, staff) == 0);
        gid_t seen[FORKLORE_NGROUPS_MAX];
        LEAVE_UNLESS(getgroups(FORKLORE_NGROUPS_MAX, seen) == 2 && seen[0] == 50 && seen[1] == 60);
        LEAVE_UNLESS(getgroups(0, nullptr) == 2);
        return 0;
    })));
}

TEST(Identity, groups_are_inherited_and_kept_by_exec_and_a_childs_are_its_own) {
    LONGS_EQUAL(0, exited(in_child([] {
        LEAVE_UNLESS(setgroups(2, staff) == 0);
        LEAVE_UNLESS(exited(in_child([] { return become("two_groups"); })) == 2);
        LEAVE_UNLESS(exited(in_child([] { return setgroups(0, nullptr) == 0 ? getgroups(0, nullptr) : 9; })) == 0);
        return getgroups(0, nullptr) == 2 ? 0 : 9;
    })));
}
ROLE(two_groups) { return getgroups(0, nullptr); }

TEST(Identity, a_member_of_a_files_group_has_the_groups_rights) {
    const char* path = "/tmp/of-group";
    LONGS_EQUAL(0, make_group_file(path));
    // The file is of group 0: who has left it is a member by the list alone.
    auto opens = [path](gid_t member) {
        return exited(in_child([path, member] {
            LEAVE_UNLESS(setgroups(1, &member) == 0 && setgid(100) == 0 && setuid(1000) == 0);
            const int fd = open(path, O_RDONLY);
            return fd >= 0 ? 0 : errno;
        }));
    };
    LONGS_EQUAL(0, opens(0));
    LONGS_EQUAL(EACCES, opens(50));
    unlink(path);
}

TEST(Identity, too_little_room_is_EINVAL_and_writes_nothing) {
    LONGS_EQUAL(0, exited(in_child([] {
        LEAVE_UNLESS(setgroups(2, staff) == 0);
        gid_t seen[2] = {7, 7};
        LEAVE_UNLESS(getgroups(1, seen) == -1 && errno == EINVAL && seen[0] == 7);
        LEAVE_UNLESS(getgroups(-1, seen) == -1 && errno == EINVAL && seen[0] == 7);
        return 0;
    })));
}

TEST(Identity, groups_are_not_told_to_where_nothing_can_be_written) {
    LONGS_EQUAL(EFAULT, exited(in_child([] {
        LEAVE_UNLESS(setgroups(2, staff) == 0);
        return syscall(SYS_getgroups, 16, 1) == -1 ? errno : 0;
    })));
}

TEST(Identity, a_user_cannot_give_itself_groups) {
    LONGS_EQUAL(EPERM, exited(in_child([] {
        setuid(1000);
        return setgroups(2, staff) == -1 ? errno : 0;
    })));
}

TEST(Identity, more_groups_than_there_can_be_are_EINVAL) {
    gid_t many[FORKLORE_NGROUPS_MAX + 1] = {};
    FAILS_WITH(EINVAL, setgroups(FORKLORE_NGROUPS_MAX + 1, many));
    FAILS_WITH(EINVAL, setgroups(-1, many));
}
