// Coalitions and personas: what a process belongs to, what it hands on, and what is summed.
#include "user/support/support.h"

#include <spawn.h>
#include <sys/resource.h>
#include <time.h>

extern char** environ;

TEST_GROUP(Coalitions) {};
TEST_GROUP(Personas) {};

namespace {

uint64_t coalition_of(pid_t pid) {
    static ForkloreProcInfo list[256];
    const int count = proc_list(list, 256);
    for (int i = 0; i < count && i < 256; ++i) {
        if (list[i].pid == pid) {
            return list[i].coalition;
        }
    }
    return 0;
}

// All zeros if there is none of that number.
ForkloreCoalitionInfo sum_of(uint64_t number) {
    static ForkloreCoalitionInfo list[32];
    const int count = coalition_list(list, 32);
    for (int i = 0; i < count && i < 32; ++i) {
        if (list[i].number == number) {
            return list[i];
        }
    }
    return {};
}

// A spawn of one of this program's roles; an error number as a negative pid.
class Spawn {
public:
    Spawn() { posix_spawnattr_init(&attributes_); }
    Spawn(const Spawn&) = delete;
    ~Spawn() { posix_spawnattr_destroy(&attributes_); }
    Spawn& new_coalition() { return add(POSIX_SPAWN_NEWCOALITION_NP); }
    Spawn& new_persona(const char* name) {
        posix_spawnattr_setnewpersona_np(&attributes_, name);
        return add(POSIX_SPAWN_SETPERSONA_NP);
    }
    Spawn& persona(int number) {
        posix_spawnattr_setpersona_np(&attributes_, number);
        return add(POSIX_SPAWN_SETPERSONA_NP);
    }
    pid_t run(const char* role) {
        char* argv[] = {const_cast<char*>(program_path), const_cast<char*>("role"), const_cast<char*>(role), nullptr};
        pid_t pid;
        const int error = posix_spawn(&pid, program_path, nullptr, &attributes_, argv, environ);
        return error == 0 ? pid : -error;
    }

private:
    Spawn& add(short flag) {
        flags_ = static_cast<short>(flags_ | flag);
        posix_spawnattr_setflags(&attributes_, flags_);
        return *this;
    }
    posix_spawnattr_t attributes_;
    short flags_ = 0;
};

int status_of(pid_t pid) {
    int status = -1;
    return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}
// Until it is a zombie, which stays.
void wait_for_end(pid_t pid) {
    siginfo_t info;
    waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
}

double user_seconds(const ForkloreCoalitionInfo& info) {
    return static_cast<double>(info.usage.user.seconds) + static_cast<double>(info.usage.user.nanoseconds) / 1e9;
}

void work(clock_t ticks) {
    for (const clock_t begin = clock(); clock() - begin < ticks;) {
    }
}

}  // namespace

ROLE(sleeper) {
    for (;;) {
        pause();
    }
}
ROLE(persona) { return persona(0, nullptr); }
ROLE(child_is_in_the_same_coalition) {
    const uint64_t mine = coalition_of(getpid());
    return exited(in_child([mine] { return mine != 0 && coalition_of(getpid()) == mine; })) == 1 ? 0 : 1;
}
// A tenth of a second by a child that is collected, and as much by one that is not.
ROLE(worker) {
    const pid_t collected = fork();
    if (collected == 0) {
        work(CLOCKS_PER_SEC / 10);
        _exit(0);
    }
    waitpid(collected, nullptr, 0);
    work(CLOCKS_PER_SEC / 10);
    return 0;
}
ROLE(carries_alice) {
    ForklorePersona info;
    LEAVE_UNLESS(persona(0, &info) > 0 && strcmp(info.name, "alice") == 0);
    const int number = info.number;
    LEAVE_UNLESS(exited(in_child([number] { return persona(0, nullptr) == number; })) == 1);
    pid_t pid = vfork();
    if (pid == 0) {
        _exit(persona(0, nullptr) == number ? 0 : 1);
    }
    LEAVE_UNLESS(exited(status_of(pid)) == 0);
    LEAVE_UNLESS(exited(status_of(Spawn().run("persona"))) == number % 256);
    LEAVE_UNLESS(exited(status_of(Spawn().persona(0).run("persona"))) == 0);
    return exited(in_child([] { return become("persona"); })) == number % 256 ? 0 : 99;
}

TEST(Coalitions, a_child_is_in_its_parents_coalition) {
    const uint64_t mine = coalition_of(getpid());
    CHECK(mine != 0);
    LONGS_EQUAL(1, exited(in_child([mine] { return coalition_of(getpid()) == mine; })));
}

TEST(Coalitions, a_new_one_begins_with_one_member_and_its_children_join_it) {
    const pid_t pid = Spawn().new_coalition().run("sleeper");
    CHECK(pid > 0);
    const uint64_t number = coalition_of(pid);
    CHECK(number != 0 && number != coalition_of(getpid()));
    const ForkloreCoalitionInfo info = sum_of(number);
    LONGS_EQUAL(1, info.members);
    LONGS_EQUAL(0, info.ended);
    CHECK(info.resident_pages > 0);
    kill(pid, SIGKILL);
    LONGS_EQUAL(SIGKILL, killed_by(status_of(pid)));
    LONGS_EQUAL(0, exited(status_of(Spawn().new_coalition().run("child_is_in_the_same_coalition"))));
}

TEST(Coalitions, sum_the_time_of_members_that_live_and_of_those_that_were_collected) {
    const pid_t pid = Spawn().new_coalition().run("worker");
    CHECK(pid > 0);
    wait_for_end(pid);
    const ForkloreCoalitionInfo info = sum_of(coalition_of(pid));
    LONGS_EQUAL(1, info.members);
    LONGS_EQUAL(1, info.ended);
    CHECK(user_seconds(info) + static_cast<double>(info.usage.system.nanoseconds) / 1e9 >= 0.2);
    CHECK(info.usage.peak_pages > 0 && info.usage.minor_faults > 0);
    LONGS_EQUAL(0, exited(status_of(pid)));
}

TEST(Coalitions, end_with_their_last_member) {
    const int before = coalition_list(nullptr, 0);
    const pid_t pid = Spawn().new_coalition().run("persona");
    wait_for_end(pid);
    const uint64_t number = coalition_of(pid);
    LONGS_EQUAL(before + 1, coalition_list(nullptr, 0));
    LONGS_EQUAL(0, exited(status_of(pid)));
    LONGS_EQUAL(before, coalition_list(nullptr, 0));
    LONGS_EQUAL(0, sum_of(number).number);
}

TEST(Coalitions, as_many_as_there_can_be_processes_fail_with_EAGAIN_and_are_given_back) {
    LONGS_EQUAL(0, exited(in_child([] {
        const int before = coalition_list(nullptr, 0);
        const struct rlimit few = {6, 6};
        LEAVE_UNLESS(setrlimit(RLIMIT_NPROC, &few) == 0 && setuid(4714) == 0);
        pid_t pids[8] = {};
        int made = 0;
        while (made < 8 && (pids[made] = Spawn().new_coalition().run("sleeper")) > 0) {
            ++made;
        }
        LEAVE_UNLESS(made == 5 && pids[made] == -EAGAIN);
        LEAVE_UNLESS(coalition_list(nullptr, 0) == before + made);
        for (int i = 0; i < made; ++i) {
            kill(pids[i], SIGKILL);
            LEAVE_UNLESS(killed_by(status_of(pids[i])) == SIGKILL);
        }
        LEAVE_UNLESS(coalition_list(nullptr, 0) == before);
        return 0;
    })));
}

TEST(Coalitions, are_not_told_to_where_nothing_can_be_written) {
    FAILS_WITH(EFAULT, coalition_list(reinterpret_cast<ForkloreCoalitionInfo*>(8), 1));
}

TEST(Personas, a_process_has_none_until_it_is_given_one) { LONGS_EQUAL(0, persona(0, nullptr)); }

TEST(Personas, are_handed_on_by_fork_vfork_spawn_and_exec) {
    LONGS_EQUAL(0, exited(status_of(Spawn().new_persona("alice").run("carries_alice"))));
}

TEST(Personas, one_that_lives_can_be_given_to_others_and_taken_from_a_child) {
    const pid_t holder = Spawn().new_persona("bob").run("sleeper");
    ForklorePersona info;
    const int number = persona(holder, &info);
    CHECK(number > 0);
    STRCMP_EQUAL("bob", info.name);
    const pid_t second = Spawn().persona(number).run("sleeper");
    LONGS_EQUAL(number, persona(second, nullptr));
    const pid_t without = Spawn().persona(0).run("sleeper");
    LONGS_EQUAL(0, persona(without, nullptr));
    const pid_t all[] = {holder, second, without};
    for (const pid_t pid : all) {
        kill(pid, SIGKILL);
        LONGS_EQUAL(SIGKILL, killed_by(status_of(pid)));
    }
    LONGS_EQUAL(-ESRCH, Spawn().persona(number).run("persona"));     // it went with the last who carried it
}

TEST(Personas, are_given_by_root_alone) {
    LONGS_EQUAL(0, exited(in_child([] {
        LEAVE_UNLESS(setuid(4714) == 0);
        LEAVE_UNLESS(Spawn().new_persona("alice").run("persona") == -EPERM);
        LEAVE_UNLESS(Spawn().persona(0).run("persona") == -EPERM);
        return exited(status_of(Spawn().run("persona")));
    })));
}

TEST(Personas, a_name_that_is_too_long_or_nowhere_makes_no_child) {
    char name[64];
    memset(name, 'x', sizeof name);
    name[sizeof ForklorePersona::name] = '\0';
    LONGS_EQUAL(-ENAMETOOLONG, Spawn().new_persona(name).run("persona"));
    name[sizeof ForklorePersona::name - 1] = '\0';
    CHECK(exited(status_of(Spawn().new_persona(name).run("persona"))) > 0);
    LONGS_EQUAL(-EFAULT, Spawn().new_persona(reinterpret_cast<const char*>(8)).run("persona"));
    FAILS_WITH(ECHILD, waitpid(-1, nullptr, WNOHANG));
    FAILS_WITH(ESRCH, persona(77777, nullptr));
}
