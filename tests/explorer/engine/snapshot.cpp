// The memory that each schedule begins with: all global variables of this program, the kernel's RAM, and what
// AddressSanitizer knows of that RAM.
//
// It is write-protected when an exploration begins. The first write to a page faults once: the page is copied and opened, and
// from then on it is put back after every schedule. So the cost follows what a case touches.
// Built without sanitizers; copies by hand, for memcpy would be checked.
#include "engine.h"

#include <sys/mman.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <unistd.h>
#include <vector>

extern "C" {
extern char __data_start, _end;     // the linker's
void __asan_get_shadow_mapping(size_t* scale, size_t* offset);
// There if the program counts its branches (make coverage).
void __gcov_dump() __attribute__((weak));
}

namespace explorer::snapshot {
namespace {

constexpr size_t page_bytes = 4096;
constexpr size_t most_pages = 16'384;

struct Range {
    char* start;
    size_t bytes;
};
struct Page {
    char* at;
    char* copy;
};

// Outside of what is put back.
struct Saved {
    std::vector<Range> watched;     // whole pages
    std::vector<Page> pages;        // those that were written, and the ends of the global variables
    char* copies = nullptr;
    size_t copies_used = 0;
    Range edges[2] = {};            // global variables on pages that they share with something else
    struct sigaction before{};
};
Saved* const saved = new Saved;

void copy(char* to, const char* from, size_t bytes) {
    auto* target = reinterpret_cast<uint64_t*>(to);
    const auto* source = reinterpret_cast<const uint64_t*>(from);
    for (size_t i = 0; i < bytes / 8; ++i) {
        target[i] = source[i];
    }
}

char* aligned_down(const void* pointer) {
    return reinterpret_cast<char*>(reinterpret_cast<uintptr_t>(pointer) & ~(page_bytes - 1));
}
char* aligned_up(const void* pointer) {
    return reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(pointer) + page_bytes - 1) & ~(page_bytes - 1));
}

char* keep(const char* from, size_t bytes) {
    if (saved->copies_used == most_pages) {
        const char text[] = "explorer: a case touches more memory than the explorer can put back\n";
        [[maybe_unused]] const ssize_t written = write(2, text, sizeof text - 1);
        _exit(2);
    }
    char* to = saved->copies + saved->copies_used++ * page_bytes;
    copy(to, from, bytes);
    return to;
}

void on_write(int, siginfo_t* info, void*) {
    char* page = aligned_down(info->si_addr);
    for (const Range& range : saved->watched) {
        if (range.start <= page && page < range.start + range.bytes) {
            saved->pages.push_back({page, keep(page, page_bytes)});
            mprotect(page, page_bytes, PROT_READ | PROT_WRITE);
            return;
        }
    }
    sigaction(SIGSEGV, &saved->before, nullptr);    // a fault of the case's own: it comes again
}

void protect(int how) {
    for (const Range& range : saved->watched) {
        if (mprotect(range.start, range.bytes, how) != 0) {
            perror("explorer: mprotect");
            _exit(2);
        }
    }
}

void find_memory() {
    size_t scale = 0, offset = 0;
    __asan_get_shadow_mapping(&scale, &offset);
    char* const data = aligned_up(&__data_start);
    char* const end = aligned_down(&_end);
    const machine::Memory ram = machine::ram();
    char* const shadow = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(ram.start) >> 3) + offset);
    saved->watched = {{data, static_cast<size_t>(end - data)}, {ram.start, ram.bytes}, {shadow, ram.bytes / 8}};
    saved->edges[0] = {&__data_start, static_cast<size_t>(data - &__data_start) & ~size_t{7}};
    saved->edges[1] = {end, static_cast<size_t>(&_end - end) & ~size_t{7}};
    saved->copies = static_cast<char*>(mmap(nullptr, most_pages * page_bytes, PROT_READ | PROT_WRITE,
                                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    saved->pages.reserve(most_pages);       // no memory is taken in the handler
}

}  // namespace

void take() {
    if (saved->copies == nullptr) {
        find_memory();
    }
    saved->pages.clear();
    saved->copies_used = 0;
    for (const Range& edge : saved->edges) {
        keep(edge.start, edge.bytes);
    }
    struct sigaction action {};
    action.sa_sigaction = on_write;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigaction(SIGSEGV, &action, &saved->before);
    protect(PROT_READ);
}

void restore() {
    if (__gcov_dump != nullptr) {
        __gcov_dump();      // the counts are global variables too: to the file, before they are as they were
    }
    for (const Page& page : saved->pages) {
        copy(page.at, page.copy, page_bytes);
    }
    for (size_t i = 0; i < 2; ++i) {
        copy(saved->edges[i].start, saved->copies + i * page_bytes, saved->edges[i].bytes);
    }
}

void drop() {
    protect(PROT_READ | PROT_WRITE);
    sigaction(SIGSEGV, &saved->before, nullptr);
}

}  // namespace explorer::snapshot
