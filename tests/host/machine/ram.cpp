// The arena that is the host's RAM.
#include "machine/ram.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(start, bytes) ((void)(start), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(start, bytes) ((void)(start), (void)(bytes))
#define __asan_address_is_poisoned(address) ((void)(address), 0)
#endif

namespace host {

void make_ram() {
    void* memory = mmap(nullptr, ram_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        perror("tests/host: no memory for the arena");
        exit(2);
    }
    arena = static_cast<char*>(memory);
}

bool poisoned(const void* start, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) {
        if (!__asan_address_is_poisoned(static_cast<const char*>(start) + i)) {
            return false;
        }
    }
    return true;
}

}  // namespace host

namespace ram {

Extent extent() { return {host::ram_start, host::ram_start + host::ram_bytes}; }

void clear_page(void* page) { memset(page, 0, page_size); }
void copy_page(void* to, const void* from) { memcpy(to, from, page_size); }
void poison(void* start, size_t bytes) {
    if (junk_everywhere) {
        std::fill_n(static_cast<uint64_t*>(start), bytes / sizeof junk, junk);
    }
    ASAN_POISON_MEMORY_REGION(start, bytes);
}
void unpoison(void* start, size_t bytes) { ASAN_UNPOISON_MEMORY_REGION(start, bytes); }

}  // namespace ram
