// Which schedules are run: first all with few preemptions, then some at random; and one again, to see or to shorten it.
//
// The systematic search is iterative context bounding (Musuvathi and Qadeer, PLDI 2007): most mistakes need one or two
// preemptions, so all schedules with none are run first, then all with one, then all with two. A schedule is the list of its
// deviations from what an empty one does (go on while you can, else the next in turn); each list is run once, and what it
// could have done otherwise behind its last deviation gives the lists that come after it.
// The random search alternates between priorities that change at a few points (PCT: Burckhardt et al., ASPLOS 2010) and
// plain chance.
#include "engine.h"

#include <sys/time.h>

#include <algorithm>
#include <csignal>
#include <ctime>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <unistd.h>
#include <vector>

#include "../explorer.h"

extern "C" void __sanitizer_set_death_callback(void (*callback)());

namespace explorer {

Settings settings;

namespace {

using Deviations = std::vector<Deviation>;

std::string text_of(const Deviations& deviations) {
    std::string text;
    for (const Deviation& deviation : deviations) {
        text += (text.empty() ? "" : ".") + std::to_string(deviation.at) + static_cast<char>('a' + deviation.thread - 1);
    }
    return text.empty() ? "0" : text;
}

// "12b.40a"; "0" is the schedule without deviations.
bool parse(const std::string& text, Deviations& deviations) {
    if (text == "0") {
        return true;
    }
    const char* at = text.c_str();
    while (*at != '\0') {
        char* end = nullptr;
        const unsigned long where = strtoul(at, &end, 10);
        if (end == at || *end < 'a' || *end >= static_cast<char>('a' + max_threads - 1)) {
            return false;
        }
        deviations.push_back({static_cast<uint32_t>(where), static_cast<uint8_t>(*end - 'a' + 1)});
        at = end + 1;
        if (*at == '.') {
            ++at;
        } else if (*at != '\0') {
            return false;
        }
    }
    return true;
}

class Follow final : public Chooser {
public:
    explicit Follow(const Deviations& deviations) : deviations_(deviations) {}
    unsigned choose(uint32_t at, uint16_t, unsigned usual) override {
        while (next_ < deviations_.size() && deviations_[next_].at < at) {
            ++next_;
        }
        if (next_ < deviations_.size() && deviations_[next_].at == at) {
            return deviations_[next_++].thread;
        }
        return usual;
    }

private:
    const Deviations& deviations_;
    size_t next_ = 0;
};

class Chance final : public Chooser {
public:
    explicit Chance(uint64_t seed) : random_(seed) {}
    unsigned choose(uint32_t, uint16_t able, unsigned usual) override {
        constexpr unsigned one_in = 4;
        if (random_() % one_in != 0) {
            return usual;
        }
        auto skip = static_cast<unsigned>(random_() % static_cast<unsigned>(__builtin_popcount(able)));
        for (unsigned id = 0;; ++id) {
            if ((able >> id & 1) != 0 && skip-- == 0) {
                return id;
            }
        }
    }

private:
    std::mt19937_64 random_;
};

// The thread with the highest priority runs; at a few points whoever runs drops to the lowest.
class Priorities final : public Chooser {
public:
    Priorities(uint64_t seed, uint64_t points) : random_(seed) {
        for (unsigned i = 0; i < max_threads; ++i) {
            priority_[i] = i;
        }
        std::shuffle(priority_, priority_ + max_threads, random_);
        for (uint32_t& at : change_) {
            at = static_cast<uint32_t>(random_() % (points + 1));
        }
    }
    unsigned choose(uint32_t at, uint16_t able, unsigned) override {
        unsigned best = highest(able);
        for (const uint32_t change : change_) {
            if (change == at) {
                priority_[best] = --lowest_;
                best = highest(able);
            }
        }
        return best;
    }

private:
    static constexpr unsigned changes = 3;

    unsigned highest(uint16_t able) const {
        unsigned best = max_threads;
        for (unsigned id = 0; id < max_threads; ++id) {
            if ((able >> id & 1) != 0 && (best == max_threads || priority_[id] > priority_[best])) {
                best = id;
            }
        }
        return best;
    }
    std::mt19937_64 random_;
    int priority_[max_threads];
    int lowest_ = 0;
    uint32_t change_[changes];
};

// --- what a dying process says ---

struct Running {
    bool now = false;
    uint64_t schedule = 0, seen = 0;
};
Running* const running = new Running;       // not put back with the kernel's memory

void last_words() {
    if (running->now) {
        char text[4000];
        snprintf(text, sizeof text, "explorer: the process ended in schedule %s (number %llu of this case)\n",
                 schedule_so_far().c_str(), static_cast<unsigned long long>(running->schedule));
        [[maybe_unused]] const ssize_t written = write(2, text, strlen(text));
    }
}

// Processor time passes, and still the same schedule.
void on_alarm(int) {
    if (running->now && running->seen == running->schedule) {
        last_words();
        const char text[] = "explorer: no progress: a thread computes for ever without touching memory\n";
        [[maybe_unused]] const ssize_t written = write(2, text, sizeof text - 1);
        _exit(3);
    }
    running->seen = running->schedule;
}

void watch() {
    static bool watching = false;
    if (!watching) {
        watching = true;
        __sanitizer_set_death_callback(last_words);
        signal(SIGVTALRM, on_alarm);
    }
    constexpr time_t seconds = 10;
    const itimerval every{{seconds, 0}, {seconds, 0}};
    setitimer(ITIMER_VIRTUAL, &every, nullptr);
}

// --- the search ---

class Search {
public:
    Search(const Options& options, const std::function<void()>& body) : options_(options), body_(body) {
        watch();
        snapshot::take();
        running->now = true;
        running->schedule = 0;
        started_ = clock();
    }
    ~Search() {
        running->now = false;
        snapshot::drop();
        const itimerval never{};
        setitimer(ITIMER_VIRTUAL, &never, nullptr);
    }

    Result replay(const std::string& schedule) {
        Deviations deviations;
        if (!parse(schedule, deviations)) {
            result_.failed = true;
            result_.message = "\"" + schedule + "\" is no schedule: it is like 12b.40a, or 0";
            return result_;
        }
        printf("  schedule %s:\n", schedule.c_str());
        Follow follow(deviations);
        take_over(run(follow, true), deviations);
        return result_;
    }

    Result everything() {
        systematic();
        if (!result_.failed) {
            random();
        }
        result_.seconds = static_cast<double>(clock() - started_) / CLOCKS_PER_SEC;
        if (result_.failed) {
            explain();
        }
        return result_;
    }

private:
    static constexpr uint32_t none = ~0u;
    struct Node {
        uint32_t before;        // the list without its last element
        Deviation last;
    };

    Outcome run(Chooser& chooser, bool trace = false) {
        ++running->schedule;
        Outcome outcome = execute(body_, chooser, options_.relaxed, options_.races && settings.races, trace);
        snapshot::restore();
        return outcome;
    }

    void take_over(const Outcome& outcome, const Deviations& deviations) {
        if (outcome.failed) {
            result_.failed = true;
            result_.message = outcome.message;
            failing_ = deviations;
            result_.schedule = text_of(deviations);
        }
    }

    Deviations list_of(uint32_t node) const {
        Deviations list;
        for (; node != none; node = nodes_[node].before) {
            list.push_back(nodes_[node].last);
        }
        std::reverse(list.begin(), list.end());
        return list;
    }

    // Runs one list; what follows it is queued.
    void visit(uint32_t node, std::vector<uint32_t>& now, std::vector<uint32_t>* next) {
        const Deviations list = list_of(node);
        Follow follow(list);
        const Outcome outcome = run(follow);
        ++result_.schedules;
        size_t count = 0;
        const Decision* made = decisions(count);
        result_.points = std::max<uint64_t>(result_.points, count);
        if (outcome.failed) {
            take_over(outcome, list);
            return;
        }
        for (size_t at = list.empty() ? 0 : list.back().at + 1; at < count; ++at) {
            std::vector<uint32_t>* queue = made[at].preemptive ? next : &now;
            for (unsigned id = 1; queue != nullptr && id < max_threads; ++id) {
                if ((made[at].able >> id & 1) != 0 && id != made[at].chosen && nodes_.size() < most_nodes) {
                    nodes_.push_back({node, {static_cast<uint32_t>(at), static_cast<uint8_t>(id)}});
                    queue->push_back(static_cast<uint32_t>(nodes_.size() - 1));
                }
            }
        }
    }

    void systematic() {
        const uint64_t most = options_.most * settings.effort;
        std::vector<uint32_t> now{none}, next;
        for (unsigned preemptions = 0; preemptions <= options_.preemptions && !now.empty(); ++preemptions) {
            if (now.size() > most - result_.schedules) {     // not all will be run: then not just the first ones
                std::shuffle(now.begin(), now.end(), std::mt19937_64(settings.seed));
            }
            while (!now.empty()) {
                if (result_.schedules == most) {
                    return;
                }
                const uint32_t node = now.back();
                now.pop_back();
                visit(node, now, preemptions < options_.preemptions ? &next : nullptr);
                if (result_.failed) {
                    return;
                }
            }
            now.swap(next);
        }
        result_.complete = nodes_.size() < most_nodes;
    }

    // The deviations of the schedule that was just run.
    static Deviations last_run() {
        Deviations list;
        size_t count = 0;
        const Decision* made = decisions(count);
        for (size_t at = 0; at < count; ++at) {
            if (made[at].chosen != made[at].usual) {
                list.push_back({static_cast<uint32_t>(at), made[at].chosen});
            }
        }
        return list;
    }

    void random() {
        for (uint64_t i = 0; i < options_.random * settings.effort; ++i) {
            const uint64_t seed = settings.seed * 1'000'003 + i;
            Chance chance(seed);
            Priorities priorities(seed, result_.points);
            Chooser& chooser = i % 2 == 0 ? static_cast<Chooser&>(priorities) : chance;
            const Outcome outcome = run(chooser);
            ++result_.schedules;
            if (outcome.failed) {
                take_over(outcome, last_run());
                shorten();
                return;
            }
        }
    }

    // Leaves out one deviation after the other as long as the schedule still fails.
    void shorten() {
        for (size_t i = failing_.size(); i-- > 0;) {
            Deviations fewer = failing_;
            fewer.erase(fewer.begin() + static_cast<long>(i));
            Follow follow(fewer);
            const Outcome outcome = run(follow);
            if (outcome.failed) {
                take_over(outcome, last_run());
                i = std::min(i, failing_.size());
            }
        }
    }

    // Once more, for the places where the threads stood.
    void explain() {
        Follow follow(failing_);
        fflush(stdout);
        printf("  the schedule that fails:\n");
        const Outcome outcome = run(follow, true);
        if (outcome.failed) {
            result_.message = outcome.message;
        } else {
            result_.message += "\n    (and it did not fail when it was run again: the case depends on something else than its schedule)";
        }
    }

    static constexpr size_t most_nodes = 4'000'000;
    const Options options_;
    const std::function<void()>& body_;
    Result result_;
    clock_t started_ = 0;
    std::vector<Node> nodes_;
    Deviations failing_;
};

}  // namespace

Result search(const Options& options, const std::function<void()>& body) {
    Search search(options, body);
    return settings.replay.empty() ? search.everything() : search.replay(settings.replay);
}

}  // namespace explorer
