#include "user/support/ledger.h"

#include "CppUTest/TestFailure.h"
#include "CppUTest/TestResult.h"
#include "CppUTest/Utest.h"

#include "user/support/support.h"

namespace {

// Not on the stack: its growth would show in the ledger.
Ledger before, after;
char difference[256];

// What ends by itself, like an orphan that init collects or a thread that has left, has about twice this long, in guest time.
constexpr useconds_t longest_pause = 1'000'000;
// A test that waits for ever ends by SIGALRM; the test run goes on behind it.
constexpr unsigned hang_seconds = 120;

void end_children() {
    static ForkloreProcInfo list[256];
    const int count = proc_list(list, 256);
    for (int i = 0; i < count && i < 256; ++i) {
        if (list[i].parent == getpid()) {
            kill(list[i].pid, SIGKILL);
        }
    }
    while (waitpid(-1, nullptr, 0) > 0) {
    }
}

void restore() {
    end_children();
    for (int fd = 3; fd < FORKLORE_OPEN_MAX; ++fd) {
        close(fd);
    }
    for (int number = 1; number < FORKLORE_NSIG; ++number) {
        signal(number, SIG_DFL);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    chdir("/");
}

}  // namespace

Ledger Ledger::now() {
    Ledger ledger{};
    sysinfo(&ledger.system_);
    const int count = zone_list(ledger.zones_, max_zones);
    ledger.zone_count_ = count < max_zones ? count : max_zones;
    for (int fd = 0; fd < FORKLORE_OPEN_MAX; ++fd) {
        ledger.open_[fd] = fcntl(fd, F_GETFD) != -1;
    }
    return ledger;
}

bool Ledger::differs(const Ledger& before, char* text, unsigned long size) const {
    char* const start = text;
    char* const end = text + size;
    const auto compare = [&](const char* what, uint64_t then, uint64_t now) {
        if (then != now && text < end) {
            text += snprintf(text, static_cast<size_t>(end - text), "%s%s: %lu, before %lu", text == start ? "ledger: " : "; ", what,
                             static_cast<unsigned long>(now), static_cast<unsigned long>(then));
        }
    };
    compare("processes", before.system_.processes, system_.processes);
    compare("threads", before.system_.threads, system_.threads);
    compare("pages of programs", before.system_.pages_anonymous, system_.pages_anonymous);
    compare("page tables", before.system_.pages_tables, system_.pages_tables);
    compare("pages of files", before.system_.pages_files, system_.pages_files);
    compare("buffers", before.system_.pages_buffers, system_.pages_buffers);
    for (int i = 0; i < zone_count_; ++i) {
        if (strcmp(zones_[i].name, "zones") != 0) {     // a zone is made when it is first wanted, and stays
            compare(zones_[i].name, before.zones_[i].live, zones_[i].live);
        }
    }
    for (int fd = 0; fd < FORKLORE_OPEN_MAX; ++fd) {
        char name[24];
        snprintf(name, sizeof name, "descriptor %d", fd);
        compare(name, before.open_[fd], open_[fd]);
    }
    return text != start;
}

void Ledger::settle() {
    int still = 0;
    for (int i = 0; i < 200 && still < 4; ++i) {
        before = now();
        usleep(5'000);
        after = now();
        still = after.differs(before, difference, sizeof difference) ? 0 : still + 1;
    }
}

void LedgerPlugin::preTestAction(UtestShell&, TestResult& result) {
    failures_before_ = result.getFailureCount();
    fflush(stdout);     // the test's name is out before anything can go wrong
    alarm(hang_seconds);
    before = Ledger::now();
}

void LedgerPlugin::postTestAction(UtestShell& test, TestResult& result) {
    alarm(0);
    if (result.getFailureCount() != failures_before_) {
        restore();
        return;
    }
    for (useconds_t pause = 1'000; (after = Ledger::now()).differs(before, difference, sizeof difference); pause *= 2) {
        if (pause > longest_pause) {
            result.addFailure(TestFailure(&test, difference));
            restore();
            return;
        }
        usleep(pause);
    }
}
