// System calls at random, from a seed, by a user without rights: whatever they do, the machine goes on and holds what it held.
//
// FUZZ_SEED and FUZZ_CALLS in the environment choose another or a longer run (`make fuzz`). In each round a process for each
// core makes calls until it ends, hangs or has made enough; a counter that all share tells the test whether they get on.
#include "user/support/support.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>

namespace {

constexpr uid_t nobody = 4713;
constexpr int at_once = 4;
constexpr int calls_a_round = 400;      // of one process and all its descendants, if they share fairly
constexpr unsigned round_seconds = 120;
constexpr uint64_t usual_calls = 15'000;

volatile uint32_t* progress;

// Numerical Recipes' generator, the high bits.
class Random {
public:
    explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
    uint64_t next() {
        state_ = state_ * 6364136223846793005u + 1442695040888963407u;
        return state_ >> 33 | state_ << 31;
    }
    uint64_t below(uint64_t limit) { return (next() >> 8) % limit; }
    template <typename T, size_t Size>
    T one_of(const T (&values)[Size]) {
        return values[below(Size)];
    }

private:
    uint64_t state_;
};

char buffer[16384] __attribute__((aligned(16)));

uint64_t random_argument(Random& random) {
    static const char* const paths[] = {"/tmp/fuzz", "/tmp/fuzz/a", "/tmp/fuzz/b", "/tmp/fuzz/a/c", "/tmp/fuzz/../fuzz/b", "a", "b", ".", "..", "",
                                        "/bin/true", "/dev/null", "/dev/zero"};
    constexpr uint64_t numbers[] = {0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 31, 64, 255, 256, 4095, 4096, 4097, 65536, 1 << 20, 1u << 31,
                                    0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, ~0ull, ~0ull - 1, ~0ull - 4095};
    constexpr uint64_t places[] = {8, 0xfff8, 0x10000, 0x400000, 0x30000000, 0x3ffffff8, 0x40000000, 0x0080000000000000,
                                   0xffffff8000000000, 0xffffff8000080000, 0xfffffffffffffff0};
    switch (random.below(8)) {
    case 0: return reinterpret_cast<uint64_t>(random.one_of(paths));
    case 1: return random.one_of(places);
    case 2:
    case 3: return reinterpret_cast<uint64_t>(buffer) + random.below(sizeof buffer);
    case 4: return random.next();
    case 5: return random.below(16);
    default: return random.one_of(numbers);
    }
}

// What random bytes would hardly ever be, so that a call comes further than to its first check: structures whose
// members are near their bounds, and numbers that an earlier call gave.
class Shaped {
public:
    explicit Shaped(Random& random) : random_(random) {}

    void shape(uint64_t number, uint64_t (&arguments)[6]) {
        switch (number) {
        case SYS_kevent:
            arguments[0] = random_.below(4) != 0 ? queue_ : random_.below(16);
            arguments[1] = place(changes_);
            arguments[2] = random_.below(4);
            arguments[4] = random_.below(8);
            arguments[5] = place(time_);
            shape_changes();
            break;
        case SYS_setitimer:
            arguments[0] = random_.below(FL_ITIMER_COUNT + 1);
            arguments[1] = place(timer_);
            timer_ = {a_time(), a_time()};
            break;
        case SYS_nanosleep: arguments[0] = place(time_); break;
        case SYS_sigtimedwait: arguments[2] = place(time_); break;
        case SYS_futex_wait: arguments[2] = place(time_); break;
        case SYS_shmget: {
            constexpr uint64_t sizes[] = {0, 1, 4096, 4097, 1 << 20, FORKLORE_SEGMENT_BYTES_MAX, FORKLORE_SEGMENT_BYTES_MAX + 1};
            arguments[0] = random_.below(4);
            arguments[1] = random_.one_of(sizes);
            arguments[2] = random_.below(02000) | (random_.below(2) != 0 ? FL_IPC_CREAT | 0600 : 0);
            break;
        }
        case SYS_shmat:
            arguments[0] = segment_;
            arguments[1] = random_.below(2) != 0 ? 0 : arguments[1];
            break;
        case SYS_shmdt: arguments[0] = attached_; break;
        case SYS_shmctl: {
            constexpr uint64_t commands[] = {FL_IPC_RMID, FL_IPC_SET, FL_IPC_STAT, FL_SHM_STAT, 3};
            arguments[0] = random_.below(4) != 0 ? segment_ : random_.below(FORKLORE_SEGMENTS_MAX + 1);
            arguments[1] = random_.one_of(commands);
            break;
        }
        case SYS_getgroups:
        case SYS_setgroups: {
            constexpr uint64_t counts[] = {0, 1, FORKLORE_NGROUPS_MAX - 1, FORKLORE_NGROUPS_MAX, FORKLORE_NGROUPS_MAX + 1, ~0ull};
            arguments[0] = random_.one_of(counts);
            break;
        }
        case SYS_trait: arguments[0] = random_.below(4); break;
        case SYS_coalition_list:
            arguments[0] = random_.below(4) != 0 ? place(buffer) : arguments[0];
            arguments[1] = a_count_for(sizeof(ForkloreCoalitionInfo));
            break;
        case SYS_persona:
            arguments[0] = a_pid();
            arguments[1] = random_.below(4) != 0 ? place(buffer) : arguments[1];
            break;
        case SYS_audit_identity:
            arguments[0] = random_.below(2) != 0 ? ~0ull : arguments[0];
            arguments[1] = random_.below(4) != 0 ? place(buffer) : arguments[1];
            break;
        case SYS_audit_read:
            arguments[1] = random_.below(4) != 0 ? place(buffer) : arguments[1];
            arguments[2] = a_count_for(sizeof(ForkloreAuditRecord));
            break;
        case SYS_audit_control: arguments[0] = random_.below(4) - 1; break;
        case SYS_memory_band: {
            constexpr int bands[] = {FL_BAND_IDLE - 2, -1, FL_BAND_IDLE, FL_BAND_BACKGROUND, FL_BAND_DEFAULT, FL_BAND_CRITICAL, FL_BAND_CRITICAL + 1};
            arguments[0] = a_pid();
            arguments[1] = static_cast<uint64_t>(random_.one_of(bands));
            break;
        }
        case SYS_posix_spawn:
            arguments[0] = place(paths_);
            arguments[1] = random_.below(4) != 0 ? place(spawn_) : 0;
            arguments[2] = place(paths_);
            arguments[3] = 0;
            shape_spawn();
            break;
        default: break;
        }
        time_ = a_time();
    }
    // What the call gave is used by later ones.
    void keep(uint64_t number, long result) {
        if (result > 0 && number == SYS_shmget) {
            segment_ = static_cast<uint64_t>(result);
        } else if (result > 0 && number == SYS_shmat) {
            attached_ = static_cast<uint64_t>(result);
        } else if (result > 0 && number == SYS_kqueue) {
            queue_ = static_cast<uint64_t>(result);
        }
    }

private:
    template <typename T>
    static uint64_t place(T& object) { return reinterpret_cast<uint64_t>(&object); }

    ForkloreTime a_time() {
        constexpr int64_t seconds[] = {0, 0, 0, 1, -1, INT64_MAX, INT64_MIN};
        constexpr int64_t nanoseconds[] = {0, 1, 1'000, 1'000'000, 999'999'999, 1'000'000'000, -1};
        return {random_.one_of(seconds), random_.one_of(nanoseconds)};
    }
    uint64_t a_pid() {
        const pid_t pids[] = {0, getpid(), getppid(), 1, -1, INT32_MAX};
        return static_cast<uint64_t>(random_.one_of(pids));
    }
    // None, one, as many as the buffer holds, more than there is memory for, and more than 64 bits count the bytes of.
    uint64_t a_count_for(uint64_t size) {
        const uint64_t counts[] = {0, 1, sizeof buffer / size, sizeof buffer, UINT64_MAX / size, UINT64_MAX / size + 1, UINT64_MAX};
        return random_.one_of(counts);
    }
    void shape_changes() {
        constexpr int16_t filters[] = {FL_EVFILT_READ, FL_EVFILT_WRITE, FL_EVFILT_PROC, FL_EVFILT_TIMER, 0, -3, INT16_MIN};
        constexpr int64_t periods[] = {0, 1, 10, 1'000, -1, INT64_MAX, INT64_MIN};
        for (ForkloreKevent& change : changes_) {
            change = {.ident = random_.below(16), .filter = random_.one_of(filters), .flags = static_cast<uint16_t>(random_.below(0x80)),
                      .fflags = static_cast<uint32_t>(random_.below(8) << 29 | random_.below(8)), .data = random_.one_of(periods), .udata = 0};
            if (change.filter == FL_EVFILT_PROC && random_.below(2) != 0) {
                change.ident = static_cast<uint64_t>(getpid());
            }
            change.flags |= random_.below(2) != 0 ? FL_EV_ADD : 0;
        }
    }
    void shape_spawn() {
        constexpr int32_t kinds[] = {FL_SPAWN_OPEN, FL_SPAWN_DUP2, FL_SPAWN_CLOSE, FL_SPAWN_CHDIR, FL_SPAWN_FCHDIR, 0, 6};
        for (ForkloreSpawnAction& action : actions_) {
            action = {.kind = random_.one_of(kinds), .fd = static_cast<int32_t>(random_.below(18)) - 1, .from = static_cast<int32_t>(random_.below(18)) - 1,
                      .flags = static_cast<uint32_t>(random_.below(0x1000)), .mode = 0600, .reserved = 0, .path = paths_[0]};
        }
        spawn_ = {};
        spawn_.flags = static_cast<uint32_t>(random_.below(0x1000) & random_.below(0x1000));
        spawn_.group = static_cast<int32_t>(random_.below(4)) - 1;
        spawn_.defaults = static_cast<uint32_t>(random_.next());
        spawn_.mask = static_cast<uint32_t>(random_.next());
        spawn_.actions = place(actions_);
        spawn_.action_count = random_.below(4);
        // None, a good one, one at an address of the kernel's, one where nothing is, one that is too long.
        const uint64_t names[] = {0, paths_[0], 0xffffff8000080000, 8, place(buffer)};
        constexpr int32_t personas[] = {INT32_MIN, -1, 0, 1, 2, INT32_MAX};
        spawn_.persona_name = random_.one_of(names);
        spawn_.persona = random_.one_of(personas);
        spawn_.flags |= random_.below(4) == 0 ? FL_SPAWN_NEWCOALITION : 0;
    }

    Random& random_;
    uint64_t segment_ = 0, attached_ = 0, queue_ = 0;
    uint64_t paths_[2] = {reinterpret_cast<uint64_t>("/bin/true"), 0};
    ForkloreTime time_{};
    ForkloreTimer timer_{};
    ForkloreKevent changes_[3];
    ForkloreSpawnAction actions_[3];
    ForkloreSpawn spawn_{};
};

// Calls that would make the machine, not only the process, another one for the tests after this. A user may not do them, but
// that is not what is tried here.
bool spared(uint64_t number) { return number == SYS_reboot || number == SYS_clock_settime; }
// Calls that mostly end the process: fewer of them.
bool ends_soon(uint64_t number) {
    return number == SYS_exit || number == SYS_execve || number == SYS_sigreturn || number == SYS_thread_exit || number == SYS_kill ||
           number == SYS_setitimer;
}

// The calls of the process and of all its descendants together are bounded.
[[noreturn]] void call_at_random(uint64_t seed) {
    Random random(seed);
    const uint32_t last = *progress + at_once * calls_a_round;
    const struct rlimit processes = {8, 8}, memory = {32 << 20, 32 << 20}, size = {1 << 20, 1 << 20};
    setrlimit(RLIMIT_NPROC, &processes);
    setrlimit(RLIMIT_AS, &memory);
    setrlimit(RLIMIT_FSIZE, &size);
    setsid();
    chdir("/tmp/fuzz");
    setgid(nobody);
    setuid(nobody);
    for (int fd = 0; fd < 3; ++fd) {        // the console stays as it is
        close(fd);
    }
    for (char& byte : buffer) {
        byte = static_cast<char>(random.next());
    }
    Shaped shaped(random);
    shaped.keep(SYS_kqueue, syscall(SYS_kqueue));
    while (__atomic_fetch_add(progress, 1, __ATOMIC_RELAXED) < last) {
        const uint64_t number = random.below(SYS_COUNT + 2);
        uint64_t arguments[6];
        for (uint64_t& argument : arguments) {
            argument = random_argument(random);
        }
        if (random.below(2) != 0) {
            shaped.shape(number, arguments);
        }
        if (!spared(number) && !(ends_soon(number) && random.below(8) != 0)) {
            shaped.keep(number, syscall(static_cast<long>(number), arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]));
        }
    }
    _exit(0);
}

// Ends all that the user has, wherever it went, and waits until none of them makes a call any more.
void end_all_of_nobody() {
    in_child([] {
        setuid(nobody);
        while (kill(-1, SIGKILL) == 0) {
            usleep(1'000);
        }
        return 0;
    });
}

// Segments outlive who made them.
void remove_all_segments() {
    struct shmid_ds segment;
    for (int place = 0; place < FORKLORE_SEGMENTS_MAX; ++place) {
        shmctl(shmctl(place, SHM_STAT, &segment), IPC_RMID, nullptr);
    }
}

// Waits until the callers of a round have ended; those that do not get on any more are ended.
void watch(pid_t (&pids)[at_once]) {
    uint32_t last = *progress;
    for (int idle = 0; idle < 10; ++idle) {
        int alive = 0;
        for (pid_t& pid : pids) {
            pid = pid != 0 && waitpid(pid, nullptr, WNOHANG) == 0 ? pid : 0;
            alive += pid != 0;
        }
        if (alive == 0) {
            return;
        }
        usleep(2'000);
        if (*progress != last) {
            last = *progress;
            idle = 0;
        }
    }
    for (const pid_t pid : pids) {
        if (pid != 0) {
            kill(pid, SIGKILL);
            waitpid(pid, nullptr, 0);
        }
    }
}

uint64_t setting(const char* name, uint64_t otherwise) {
    const char* text = getenv(name);
    return text != nullptr ? strtoull(text, nullptr, 0) : otherwise;
}

}  // namespace

// The callers may write to /tmp/fuzz alone: what they make lies where it is removed. They do get out of it by "..". What they do is on
// record meanwhile.
TEST_GROUP(Fuzz) {
    void setup() override {
        chmod("/tmp", 0755);
        audit_control(1);
    }
    void teardown() override {
        audit_control(0);
        chmod("/tmp", 01777);
    }
};

TEST(Fuzz, calls_at_random_by_a_user_leave_the_machine_as_it_was) {
    const uint64_t seed = setting("FUZZ_SEED", 1), calls = setting("FUZZ_CALLS", usual_calls);
    progress = static_cast<uint32_t*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    CHECK(progress != MAP_FAILED);
    *progress = 0;
    uint64_t callers = 0, told = 0;
    while (*progress < calls) {
        alarm(round_seconds);       // each round has as long as a whole test otherwise
        mkdir("/tmp/fuzz", 0777);
        chmod("/tmp/fuzz", 0777);
        pid_t pids[at_once];
        for (pid_t& pid : pids) {
            pid = fork();
            if (pid == 0) {
                call_at_random(seed + callers);
            }
            CHECK(pid > 0);
            ++callers;
        }
        watch(pids);
        end_all_of_nobody();
        remove_all_segments();
        CHECK_EQUAL(0, system("rm -rf /tmp/fuzz"));
        if (calls > usual_calls && *progress / (calls / 10) > told) {
            printf("%u calls by %u processes and their children\n", static_cast<unsigned>(*progress), static_cast<unsigned>(callers));
            fflush(stdout);
            told = *progress / (calls / 10);
        }
        CHECK(*progress > callers * 10);        // most got somewhere
    }
    munmap(const_cast<uint32_t*>(progress), 4096);
}
