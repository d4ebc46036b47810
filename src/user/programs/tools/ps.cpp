// ps: the processes.
#include "user/programs/tools/tool.h"

#include "forklore/forklore.h"

static constexpr char help[] =
    "usage: ps [-flg]\n"
    "Lists the processes.\n"
    "  -f  as a family tree, with the threads that are lent\n"
    "  -l  with group, session, owner, nice level, band of memory (see jetsam) and threads\n"
    "States: R running or ready, S sleeping, T stopped, Z ended and not waited for,\n"
    "L runs on a thread that its parent lends it (vfork); + in the terminal's foreground.\n";

namespace {

bool tree = false, long_form = false;
ForkloreProcInfo* list;
int count;

void show_time(uint64_t nanoseconds) {
    const unsigned long hundredths = nanoseconds / 10000000;
    printf("%4lu:%02lu.%02lu", hundredths / 6000, hundredths / 100 % 60, hundredths % 100);
}

// `branches` has one bit a level: set if more brothers follow there.
void show_branches(int depth, unsigned long branches) {
    for (int level = 1; level <= depth; ++level) {
        const bool more = (branches >> level) & 1;
        fputs(level < depth ? (more ? " |  " : "    ") : (more ? " |- " : " `- "), stdout);
    }
}

void show(const ForkloreProcInfo& process, int depth, unsigned long branches) {
    printf("%5d %5d ", process.pid, process.parent);
    if (long_form) {
        printf("%5d %5d %4d %3d %4d %3d ", process.group, process.session, process.uid, process.nice, process.band, process.threads);
    }
    printf("%c%c ", process.state, process.foreground ? '+' : ' ');
    if (process.core >= 0) {
        printf("%4d", process.core);
    } else {
        printf("   -");
    }
    printf(" %7s ", human_size(process.resident_pages * 4096));
    show_time(process.user_ns + process.system_ns);
    printf(" ");
    show_branches(depth, branches);
    printf("%s", process.name);
    if (tree && process.loans != 0) {
        printf(" (lends %d)", process.loans);
    }
    printf(tree && process.state == FL_PROC_LENT ? " (on loan)\n" : "\n");
}

void show_family(const ForkloreProcInfo& process, int depth, unsigned long branches) {
    show(process, depth, branches);
    int last = -1;
    for (int i = 0; i < count; ++i) {
        if (list[i].parent == process.pid && &list[i] != &process) {
            last = i;
        }
    }
    if (depth >= 15) {
        return;
    }
    for (int i = 0; i <= last; ++i) {
        if (list[i].parent == process.pid && &list[i] != &process) {
            const unsigned long bit = 1ul << (depth + 1);
            show_family(list[i], depth + 1, i < last ? branches | bit : branches & ~bit);
        }
    }
}

bool has_parent_in_list(const ForkloreProcInfo& process) {
    for (int i = 0; i < count; ++i) {
        if (&list[i] != &process && list[i].pid == process.parent) {
            return true;
        }
    }
    return false;
}

// The list may grow while we ask.
bool read_list() {
    for (int room = 64;; room *= 2) {
        list = static_cast<ForkloreProcInfo*>(realloc(list, sizeof *list * static_cast<size_t>(room)));
        if (list == nullptr) {
            return false;
        }
        count = proc_list(list, room);
        if (count <= room) {
            return count >= 0;
        }
    }
}

}  // namespace

int ps_main(int argc, char** argv) {
    for (int option; (option = next_option(argc, argv, "flgeax", help)) != -1;) {
        tree |= option == 'f';
        long_form |= option == 'l' || option == 'g';
    }
    if (!read_list()) {
        return complain_about("process list");
    }
    printf("  PID  PPID %s%s CORE     MEM       TIME COMMAND\n", long_form ? " PGID   SID  UID  NI BAND THR " : "", "ST");
    for (int i = 0; i < count; ++i) {
        if (!tree) {
            show(list[i], 0, 0);
        } else if (!has_parent_in_list(list[i])) {
            show_family(list[i], 0, 0);
        }
    }
    return 0;
}
