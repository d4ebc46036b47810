// The audit: who is on record for what, and who may look.
#include "user/support/support.h"

#include <spawn.h>

extern char** environ;

namespace {

ForkloreAuditRecord records[FORKLORE_AUDIT_RECORDS];

uint64_t newest() {
    const int count = audit_read(0, records, FORKLORE_AUDIT_RECORDS);
    return count > 0 ? records[count - 1].number : 0;
}

// The first one behind `from` of this event and actor; all zeros if there is none.
ForkloreAuditRecord find(uint64_t from, ForkloreAuditEvent event, pid_t actor) {
    const int count = audit_read(from, records, FORKLORE_AUDIT_RECORDS);
    for (int i = 0; i < count; ++i) {
        if (records[i].event == event && records[i].pid == actor) {
            return records[i];
        }
    }
    return {};
}

bool is_mine(const ForkloreAuditIdentity& identity) {
    ForkloreAuditIdentity mine;
    return audit_identity(-1, &mine) > 0 && mine.user == identity.user && mine.session == identity.session;
}

}  // namespace

TEST_GROUP(Audit) {
    void setup() override { audit_control(1); }
    void teardown() override { audit_control(0); }
};

// Of the audit user 4714.
ROLE(on_behalf) {
    ForkloreAuditIdentity mine;
    return audit_identity(-1, &mine) > 0 && mine.user == 4714 ? 0 : 1;
}

TEST(Audit, an_identity_is_handed_on_by_fork_vfork_spawn_and_exec_and_kept_over_setuid) {
    LONGS_EQUAL(0, exited(in_child([] {
        LEAVE_UNLESS(audit_identity(-1, nullptr) == 0);
        ForkloreAuditIdentity identity;
        LEAVE_UNLESS(audit_identity(4714, &identity) > 0 && identity.user == 4714);
        LEAVE_UNLESS(setuid(4711) == 0 && is_mine(identity));
        LEAVE_UNLESS(exited(in_child([identity] { return is_mine(identity); })) == 1);
        const pid_t lent = vfork();
        if (lent == 0) {
            _exit(audit_identity(-1, nullptr) == static_cast<int>(identity.session) ? 0 : 1);
        }
        int status = -1;
        LEAVE_UNLESS(waitpid(lent, &status, 0) == lent && exited(status) == 0);
        char* argv[] = {const_cast<char*>(program_path), const_cast<char*>("role"), const_cast<char*>("on_behalf"), nullptr};
        pid_t pid;
        LEAVE_UNLESS(posix_spawn(&pid, program_path, nullptr, nullptr, argv, environ) == 0);
        LEAVE_UNLESS(waitpid(pid, &status, 0) == pid && exited(status) == 0);
        return exited(in_child([] { return become("on_behalf"); }));
    })));
}

TEST(Audit, an_identity_is_given_once_and_by_root_alone) {
    LONGS_EQUAL(0, exited(in_child([] {
        const int session = audit_identity(4714, nullptr);
        LEAVE_UNLESS(session > 0);
        LEAVE_UNLESS(audit_identity(4715, nullptr) == -1 && errno == EPERM);
        return audit_identity(-1, nullptr) == session ? 0 : 1;
    })));
    LONGS_EQUAL(0, exited(in_child([] {
        LEAVE_UNLESS(setuid(4711) == 0);
        LEAVE_UNLESS(audit_identity(4714, nullptr) == -1 && errno == EPERM);
        return audit_identity(-1, nullptr);
    })));
}

TEST(Audit, tells_of_a_child_what_it_did_and_with_which_status_it_ended) {
    const uint64_t from = newest();
    const int status = in_child([] {
        LEAVE_UNLESS(audit_identity(4714, nullptr) > 0 && setuid(4711) == 0 && kill(getpid(), SIGCONT) == 0);
        return 7;
    });
    LONGS_EQUAL(7, exited(status));
    const ForkloreAuditRecord made = find(from, FL_AUDIT_FORK, getpid());
    CHECK(made.number > from && made.subject > 0);
    const ForkloreAuditRecord became = find(from, FL_AUDIT_SETUID, made.subject);
    LONGS_EQUAL(4711, became.argument);
    LONGS_EQUAL(4714, became.identity.user);
    const ForkloreAuditRecord killed = find(from, FL_AUDIT_KILL, made.subject);
    LONGS_EQUAL(made.subject, killed.subject);
    LONGS_EQUAL(SIGCONT, killed.argument);
    const ForkloreAuditRecord ended = find(from, FL_AUDIT_EXIT, made.subject);
    LONGS_EQUAL(status, ended.argument);
    LONGS_EQUAL(4711, ended.uid);
    CHECK(ended.number > killed.number && ended.time_ns >= killed.time_ns);
}

TEST(Audit, a_ring_that_overflowed_says_how_many_records_were_lost) {
    const uint64_t from = newest();
    for (int i = 0; i < FORKLORE_AUDIT_RECORDS + 44; ++i) {
        kill(getpid(), SIGCONT);
    }
    LONGS_EQUAL(FORKLORE_AUDIT_RECORDS, audit_read(from, records, FORKLORE_AUDIT_RECORDS));
    CHECK(records[0].number - from - 1 >= 44);
    LONGS_EQUAL(FORKLORE_AUDIT_RECORDS - 1, records[FORKLORE_AUDIT_RECORDS - 1].number - records[0].number);
    LONGS_EQUAL(0, audit_read(newest(), records, FORKLORE_AUDIT_RECORDS));
    FILE* tool = popen("audit | grep -c 'records lost'", "r");
    int lines = 0;
    LONGS_EQUAL(1, fscanf(tool, "%d", &lines));
    LONGS_EQUAL(0, exited(pclose(tool)));
    LONGS_EQUAL(1, lines);
}

TEST(Audit, is_read_and_turned_on_and_off_by_root_alone) {
    LONGS_EQUAL(0, exited(in_child([] {
        LEAVE_UNLESS(setuid(4711) == 0);
        LEAVE_UNLESS(audit_read(0, records, 1) == -1 && errno == EPERM);
        return audit_control(0) == -1 && errno == EPERM ? 0 : 1;
    })));
    LONGS_EQUAL(1, audit_control(-1));
    FAILS_WITH(EINVAL, audit_control(2));
    FAILS_WITH(EFAULT, audit_read(0, reinterpret_cast<ForkloreAuditRecord*>(8), 1));
}

TEST(Audit, that_is_off_writes_nothing) {
    LONGS_EQUAL(1, audit_control(0));
    const uint64_t last = newest();
    kill(getpid(), SIGCONT);
    LONGS_EQUAL(last, newest());
    CHECK(last > 0);
}
