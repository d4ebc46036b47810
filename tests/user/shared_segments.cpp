// System V shared memory as programs see it.
#include "user/support/support.h"

#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int id;
static volatile int* attached;
static unsigned long attachments() {
    struct shmid_ds segment;
    return shmctl(id, IPC_STAT, &segment) == 0 ? segment.shm_nattch : 99;
}

TEST_GROUP(SharedSegments) {
    void setup() override {
        id = shmget(IPC_PRIVATE, 2 * 4096, 0600);
        attached = static_cast<volatile int*>(shmat(id, nullptr, 0));
    }
    void teardown() override {
        shmdt(const_cast<int*>(attached));
        shmctl(id, IPC_RMID, nullptr);
    }
};

TEST(SharedSegments, begin_with_zeros_and_carry_words_between_parent_and_child) {
    LONGS_EQUAL(0, attached[0]);
    attached[0] = 4711;
    LONGS_EQUAL(0, exited(in_child([] {
        LEAVE_UNLESS(attached[0] == 4711);
        attached[1024] = 4712;
        return 0;
    })));
    LONGS_EQUAL(4712, attached[1024]);
}

TEST(SharedSegments, count_an_attachment_for_each_forked_child_until_it_exits) {
    Gate go, ready;
    const pid_t pid = fork();
    if (pid == 0) {
        ready.open();
        go.pass();
        _exit(0);
    }
    ready.pass();
    const unsigned long during = attachments();
    go.open();
    waitpid(pid, nullptr, 0);
    UNSIGNED_LONGS_EQUAL(2, during);
    UNSIGNED_LONGS_EQUAL(1, attachments());
}

ROLE(attached_memory_is_gone) {
    char there;         // write() asks the kernel whether the address can be read
    int ends[2];
    pipe(ends);
    const char* address = reinterpret_cast<const char*>(strtoul(getenv("ATTACHED"), nullptr, 16));
    id = atoi(getenv("SEGMENT"));
    LEAVE_UNLESS(write(ends[1], address, sizeof there) == -1 && errno == EFAULT);
    LEAVE_UNLESS(attachments() == 1);       // the parent's
    return 0;
}

TEST(SharedSegments, are_dropped_by_exec) {
    char address[24], number[12];
    snprintf(address, sizeof address, "%lx", reinterpret_cast<unsigned long>(attached));
    snprintf(number, sizeof number, "%d", id);
    setenv("ATTACHED", address, 1);
    setenv("SEGMENT", number, 1);
    attached[0] = 1;
    const int status = in_child([] { return become("attached_memory_is_gone"); });
    unsetenv("ATTACHED");
    unsetenv("SEGMENT");
    LONGS_EQUAL(0, exited(status));
}

TEST(SharedSegments, of_a_lender_are_written_by_its_vforked_child) {
    const pid_t pid = vfork();
    if (pid == 0) {
        attached[0] = static_cast<int>(attachments());
        _exit(0);
    }
    waitpid(pid, nullptr, 0);
    LONGS_EQUAL(1, attached[0]);
}

TEST(SharedSegments, that_are_removed_live_until_the_last_program_detaches) {
    attached[0] = 1;
    shmctl(id, IPC_RMID, nullptr);
    FAILS_WITH(EINVAL, shmat(id, nullptr, 0));
    LONGS_EQUAL(0, exited(in_child([] { return attached[0] == 1 ? 0 : 1; })));
    attached[0] = 2;
    LONGS_EQUAL(2, attached[0]);
    LONGS_EQUAL(0, shmdt(const_cast<int*>(attached)));
    FAILS_WITH(EINVAL, shmdt(const_cast<int*>(attached)));
}

TEST(SharedSegments, that_are_attached_read_only_can_not_be_written) {
    LONGS_EQUAL(SIGSEGV, killed_by(in_child([] {
        auto* read_only = static_cast<volatile int*>(shmat(id, nullptr, SHM_RDONLY));
        LEAVE_UNLESS(mprotect(const_cast<int*>(read_only), 4096, PROT_READ | PROT_WRITE) == -1 && errno == EACCES);
        *read_only = 1;
        return 0;
    })));
}

TEST(SharedSegments, are_found_by_the_key_of_a_file) {
    const key_t key = ftok("/bin/sh", 'F');
    CHECK(key != -1);
    FAILS_WITH(ENOENT, shmget(key, 4096, 0));
    const int made = shmget(key, 4096, IPC_CREAT | IPC_EXCL | 0644);
    CHECK(made != -1);
    const int found = shmget(key, 0, 0);
    FAILS_WITH(EEXIST, shmget(key, 4096, IPC_CREAT | IPC_EXCL));
    FAILS_WITH(EINVAL, shmget(key, 8192, 0));
    shmctl(made, IPC_RMID, nullptr);
    LONGS_EQUAL(made, found);
    FAILS_WITH(ENOENT, ftok("/no/such", 'F'));
}

TEST(SharedSegments, of_root_are_closed_to_others_until_root_opens_them) {
    static Gate* gate;
    Gate opened;
    gate = &opened;
    Gate refused;
    const pid_t pid = fork();
    if (pid == 0) {
        setgid(1000);
        setuid(1000);
        const bool closed = shmat(id, nullptr, 0) == reinterpret_cast<void*>(-1) && errno == EACCES &&
                            shmctl(id, IPC_RMID, nullptr) == -1 && errno == EPERM;
        refused.open();
        gate->pass();
        _exit(closed && shmat(id, nullptr, SHM_RDONLY) != reinterpret_cast<void*>(-1) ? 0 : 1);
    }
    refused.pass();
    struct shmid_ds segment;
    shmctl(id, IPC_STAT, &segment);
    segment.shm_perm.mode = 0604;
    LONGS_EQUAL(0, shmctl(id, IPC_SET, &segment));
    opened.open();
    int status = -1;
    waitpid(pid, &status, 0);
    LONGS_EQUAL(0, exited(status));
}

TEST(SharedSegments, are_not_described_where_the_program_has_no_memory) {
    constexpr uintptr_t bad[] = {0, 8, 0x4000'0000, 0xffff'ff80'0008'0000};
    for (const uintptr_t address : bad) {
        FAILS_WITH(EFAULT, syscall(SYS_shmctl, id, FL_IPC_STAT, address));
        FAILS_WITH(EFAULT, syscall(SYS_shmctl, id, FL_IPC_SET, address));
        FAILS_WITH(EINVAL, shmat(id, reinterpret_cast<void*>(address + 1), 0));
    }
    FAILS_WITH(EINVAL, shmdt(nullptr));
}

TEST(SharedSegments, are_listed_by_ipcs_and_removed_by_ipcrm) {
    char command[128];
    snprintf(command, sizeof command, "ipcs | grep -q ' %d .* 600 .* 8192 ' && ipcrm %d && ! ipcrm %d 2>/dev/null", id, id, id);
    LONGS_EQUAL(0, system(command));
}
