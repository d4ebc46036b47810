// storm: processes that fork, vfork, exec, exit, wait, signal and kill at random, from a seed, until so many have been made;
// then nothing may be left of them.
//
// usage: storm [processes [seed [workers [kinds]]]]
// Each worker is a process with random numbers of its own and runs one event after the other (kinds.h). Every exit status
// is compared, no pid may live twice (board.h), and the ledgers before and after must agree (ledger.h). `kinds` are names of
// events with commas between, to run only those, or all but those after a `-`.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kinds.h"
#include "ledger.h"

namespace storm {

namespace {

constexpr const Kind* families[] = {process_kinds, vfork_kinds, signal_kinds, thread_kinds};
constexpr int usual_processes = 2000, usual_workers = 8;
constexpr unsigned most_kinds = sizeof Board::kinds / sizeof Board::kinds[0];

// The kinds that this storm is made of.
const Kind* chosen[most_kinds];
unsigned chosen_count = 0, weights = 0;

// True if `names`, with commas between, has the name.
bool has_name(const char* names, const char* name) {
    const size_t length = strlen(name);
    for (const char* at = names; (at = strstr(at, name)) != nullptr; at += length) {
        if ((at == names || at[-1] == ',') && (at[length] == '\0' || at[length] == ',')) {
            return true;
        }
    }
    return false;
}

void choose_kinds(const char* names) {
    const bool all_but = *names == '-' || *names == '\0';
    const char* list = *names == '-' ? names + 1 : names;
    for (const Kind* family : families) {
        for (const Kind* kind = family; kind->name != nullptr && chosen_count < most_kinds; ++kind) {
            if (has_name(list, kind->name) != all_but) {
                chosen[chosen_count++] = kind;
                weights += kind->weight;
            }
        }
    }
}

// One of the chosen kinds, by weight: its index.
unsigned pick(Random& random) {
    unsigned left = random.below(weights), i = 0;
    while (left >= chosen[i]->weight) {
        left -= chosen[i++]->weight;
    }
    return i;
}

void work(int number, uint64_t seed) {
    worker = &board->workers[number];
    Random random(seed * most_workers + static_cast<uint64_t>(number));
    while (board->made.load() < board->wanted) {
        const unsigned i = pick(random);
        board->kinds[i].fetch_add(1);
        claims_as = static_cast<uint8_t>(i + 1);
        chosen[i]->run(random);
        report_progress();
        if (waitpid(-1, nullptr, WNOHANG) != -1 || errno != ECHILD) {
            complain("a child is left of %s", chosen[i]->name);
        }
    }
}

// Each kind once, so that what the kernel makes at the first use is there when the ledger is taken.
void warm_up(uint64_t seed) {
    const pid_t pid = fork();
    if (pid == 0) {
        Random random(seed);
        for (unsigned i = 0; i < chosen_count; ++i) {
            chosen[i]->run(random);
        }
        _exit(0);
    }
    if (pid > 0) {
        expect_exit(pid, 0);
    }
}

int run_workers(int workers, uint64_t seed) {
    pid_t pids[most_workers];
    int started = 0;
    while (started < workers) {
        const pid_t pid = fork();
        if (pid == 0) {
            work(started, seed);
            _exit(0);
        }
        if (pid < 0) {
            break;      // a small machine has fewer workers
        }
        pids[started++] = pid;
    }
    for (int i = 0; i < started; ++i) {
        int status = -1;
        waitpid(pids[i], &status, 0);
        if (status != 0) {
            complain("worker %d ended with wait status %#x", i, static_cast<unsigned>(status));
        }
    }
    return started;
}

void print_kinds() {
    for (unsigned i = 0; i < chosen_count; ++i) {
        const bool last = i + 1 == chosen_count || i % 8 == 7;
        printf("%s %u%s", chosen[i]->name, static_cast<unsigned>(board->kinds[i].load()), last ? "\n" : "  ");
    }
}

// How often the numbers began anew, at least: what the worker saw that saw most.
unsigned wraps_seen() {
    unsigned most = 0;
    for (const Worker& each : board->workers) {
        most = each.wraps.load() > most ? each.wraps.load() : most;
    }
    return most;
}

int run(uint32_t wanted, uint64_t seed, int workers) {
    static Ledger before;
    if (!make_board(wanted)) {
        perror("storm: the board");
        return 1;
    }
    warm_up(seed);
    squeeze_memory();
    before.take();
    const int started = run_workers(workers, seed);
    int mistakes = differences_after(before) + probe_capacity();
    mistakes += static_cast<int>(board->mistakes.load());
    if (board->orphans.load() != 0 || started == 0) {
        printf("storm: %d orphans, %d workers\n", static_cast<int>(board->orphans.load()), started);
        ++mistakes;
    }
    print_kinds();
    printf("storm: %u processes, %u times refused, pids began anew %u times or more, seed %lu, %d mistakes\n",
           static_cast<unsigned>(board->made.load()), static_cast<unsigned>(board->refused.load()), wraps_seen(),
           static_cast<unsigned long>(seed), mistakes);
    return mistakes == 0 ? 0 : 1;
}

}  // namespace

}  // namespace storm

int main(int argc, char** argv) {
    using namespace storm;
    if (argc > 1 && strcmp(argv[1], "as-child") == 0) {
        return exec_child(argc, argv);
    }
    const long wanted = argc > 1 ? atol(argv[1]) : usual_processes;
    const unsigned long seed = argc > 2 ? strtoul(argv[2], nullptr, 0) : 1;
    const int workers = argc > 3 ? atoi(argv[3]) : usual_workers;
    choose_kinds(argc > 4 ? argv[4] : "");
    if (wanted <= 0 || workers <= 0 || workers > most_workers || chosen_count == 0) {
        fprintf(stderr, "usage: storm [processes [seed [workers, at most %d [kinds]]]]\n", most_workers);
        return 2;
    }
    return run(static_cast<uint32_t>(wanted), seed, workers);
}
