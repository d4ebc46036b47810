// pidmap: the ring of process identifiers: who holds each, and which comes next.
#include <initializer_list>

#include "user/programs/tools/tool.h"

#include "forklore/forklore.h"

static constexpr char help[] =
    "usage: pidmap\n"
    "Shows each number in use with what holds it: a process (alive or zombie), a process group, a session.\n"
    "Then the number that the next process gets, and those that are passed over on the way there.\n"
    "That is the number behind the newest process, which is pidmap itself unless others were made meanwhile.\n";

namespace {

constexpr int first_recycled = 100;     // where the ring begins again

struct Ring {
    ForkloreProcInfo* list = nullptr;
    int count = 0;
    int maximum = 0;

    // The list may grow while we ask.
    bool read() {
        ForkloreSysinfo info;
        for (int room = 64; sysinfo(&info) == 0; room *= 2) {
            maximum = static_cast<int>(info.pid_max);
            list = static_cast<ForkloreProcInfo*>(realloc(list, sizeof *list * static_cast<size_t>(room)));
            if (list == nullptr) {
                return false;
            }
            count = proc_list(list, room);
            if (count <= room) {
                return count > 0;
            }
        }
        return false;
    }

    const ForkloreProcInfo* process(int number) const {
        for (int i = 0; i < count; ++i) {
            if (list[i].pid == number) {
                return &list[i];
            }
        }
        return nullptr;
    }
    // Members of a group, or of a session.
    int members(int number, int32_t ForkloreProcInfo::*kin) const {
        int found = 0;
        for (int i = 0; i < count; ++i) {
            found += list[i].*kin == number;
        }
        return found;
    }
    bool held(int number) const {
        return process(number) != nullptr || members(number, &ForkloreProcInfo::group) != 0 ||
               members(number, &ForkloreProcInfo::session) != 0;
    }
    // The smallest number in use that is greater; the maximum if there is none.
    int held_after(int number) const {
        int found = maximum;
        for (int i = 0; i < count; ++i) {
            for (int32_t id : {list[i].pid, list[i].group, list[i].session}) {
                found = id > number && id < found ? id : found;
            }
        }
        return found;
    }
    int newest() const {
        const ForkloreProcInfo* last = &list[0];
        for (int i = 1; i < count; ++i) {
            last = list[i].unique_id > last->unique_id ? &list[i] : last;
        }
        return last->pid;
    }
    int behind(int number) const { return number + 1 >= maximum ? first_recycled : number + 1; }

    void show(int number) const {
        const ForkloreProcInfo* owner = process(number);
        const int group = members(number, &ForkloreProcInfo::group), session = members(number, &ForkloreProcInfo::session);
        printf("%6d  %-16s", number, owner == nullptr ? "-" : owner->name);
        if (owner != nullptr && owner->state == FL_PROC_ZOMBIE) {
            printf(" zombie");
        }
        if (group != 0) {
            printf(" group of %d", group);
        }
        printf(session != 0 ? " session of %d\n" : "\n", session);
    }
    void show_next() const {
        int number = behind(newest());
        int passed = 0;
        for (; held(number) && passed < maximum; number = behind(number)) {
            printf("%s%d", passed++ == 0 ? "passed over: " : ", ", number);
        }
        printf(passed != 0 ? "\n" : "");
        if (passed < maximum) {
            printf("next: %d\n", number);
        } else {
            printf("next: none, all are in use\n");
        }
    }
};

}  // namespace

int pidmap_main(int argc, char** argv) {
    no_options(argc, argv, help);
    Ring ring;
    if (!ring.read()) {
        return complain_about("process list");
    }
    printf("numbers 1 to %d, then from %d again\n", ring.maximum - 1, first_recycled);
    for (int number = ring.held_after(0); number < ring.maximum; number = ring.held_after(number)) {
        ring.show(number);
    }
    ring.show_next();
    return 0;
}
