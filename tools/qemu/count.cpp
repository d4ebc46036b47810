// A plugin of QEMU that counts the instructions of a run under -icount, which is the same in each run, and can let the machine stand
// at one of them. Nothing in the guest tells it from a run without: no timer is set, no instruction added.
//
//     -plugin count.so,page=PATH[,at=N][,place=ADDRESS...][,after=N]
//
// PATH holds a Page, which the debugger reads (tools/gdb/replay.py). The machine stands once `at` instructions have been executed, or
// with the first one at a `place` beyond `after`. With -singlestep, which makes each instruction a block of its own, it stands just there.
// What QEMU asks of a plugin: docs/devel/tcg-plugins.rst of QEMU 7.2; its header is in no Debian package, so what is used is declared here.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern "C" {
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;
using qemu_plugin_id_t = std::uint64_t;

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, void (*)(qemu_plugin_id_t, qemu_plugin_tb*));
std::size_t qemu_plugin_tb_n_insns(const qemu_plugin_tb*);
qemu_plugin_insn* qemu_plugin_tb_get_insn(const qemu_plugin_tb*, std::size_t);
std::uint64_t qemu_plugin_insn_vaddr(const qemu_plugin_insn*);
void qemu_plugin_register_vcpu_insn_exec_cb(qemu_plugin_insn*, void (*)(unsigned, void*), int, void*);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;
__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t, const qemu_info_t*, int, char**);
}

namespace {

constexpr int NO_REGISTERS = 0;             // QEMU_PLUGIN_CB_NO_REGS: what is called reads none
constexpr useconds_t LOOK_AGAIN = 1000;
constexpr std::size_t MOST_PLACES = 32;     // of one location: inlined copies

/// What the debugger reads. All but `stands` are of the last instruction that was counted.
struct Page {
    std::uint64_t count;        ///< instructions that the cores have begun
    std::uint64_t stands;       ///< 1: the machine waits for the debugger, or did: it does so once
    std::uint64_t core;
    std::uint64_t place;        ///< the number of the last instruction at one of the places; 0: none yet
    std::uint64_t place_core;
};

Page* page;
std::uint64_t at, after;
std::uint64_t places[MOST_PLACES];
std::size_t place_count;

/// The number of the system call that QEMU's first thread sleeps in; -1 if it runs.
long sleeps_in() {
    char path[64], text[32] = "";
    std::snprintf(path, sizeof path, "/proc/self/task/%d/syscall", getpid());
    const int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return -1;
    const ssize_t size = read(file, text, sizeof text - 1);
    close(file);
    return size > 0 && text[0] >= '0' && text[0] <= '9' ? std::atol(text) : -1;
}

/// Until the debugger is there: QEMU's first thread then waits for the core to come to a stop, on a condition; else it polls.
/// Should it wait there for something else, the machine goes on too early; the debugger sees that by the count and begins again.
void stand(unsigned core) {
    page->core = core;
    __atomic_store_n(&page->stands, 1, __ATOMIC_RELEASE);
    while (sleeps_in() != SYS_futex)
        usleep(LOOK_AGAIN);
}

bool is_place(std::uint64_t pc) {
    return std::find(places, places + place_count, pc) != places + place_count;
}

void execute(unsigned core, void* pc) {
    const std::uint64_t number = ++page->count;
    const bool there = is_place(reinterpret_cast<std::uint64_t>(pc));
    if (there) {
        page->place = number;
        page->place_core = core;
    }
    if (page->stands == 0 && (number == at || (there && after != 0 && number > after)))
        stand(core);
}

void translate(qemu_plugin_id_t, qemu_plugin_tb* block) {
    for (std::size_t i = 0; i < qemu_plugin_tb_n_insns(block); ++i) {
        qemu_plugin_insn* const instruction = qemu_plugin_tb_get_insn(block, i);
        qemu_plugin_register_vcpu_insn_exec_cb(instruction, execute, NO_REGISTERS, reinterpret_cast<void*>(qemu_plugin_insn_vaddr(instruction)));
    }
}

bool option(const char* argument, const char* name, std::uint64_t& value) {
    const std::size_t length = std::strlen(name);
    if (std::strncmp(argument, name, length) != 0)
        return false;
    value = std::strtoull(argument + length, nullptr, 0);
    return true;
}

bool place(const char* argument) {
    return place_count < MOST_PLACES && option(argument, "place=", places[place_count]) && ++place_count != 0;
}

bool share(const char* path) {
    const int file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0 || ftruncate(file, sizeof(Page)) != 0)
        return false;
    void* const memory = mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    page = memory == MAP_FAILED ? nullptr : static_cast<Page*>(memory);
    return page != nullptr;
}

} // namespace

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t*, int count, char** arguments) {
    for (int i = 0; i < count; ++i) {
        if (std::strncmp(arguments[i], "page=", 5) == 0 ? share(arguments[i] + 5)
                                                        : option(arguments[i], "at=", at) || place(arguments[i]) || option(arguments[i], "after=", after))
            continue;
        std::fprintf(stderr, "count.so: %s is not understood or can not be written\n", arguments[i]);
        return -1;
    }
    if (page == nullptr) {
        std::fprintf(stderr, "count.so: page=PATH is wanted\n");
        return -1;
    }
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    return 0;
}
