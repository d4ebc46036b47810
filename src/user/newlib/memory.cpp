// The heap's end, mappings, and what C++ asks of the heap.
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/newlib/system_call.h"

extern "C" {

void* sbrk(ptrdiff_t increment) {
    static uint64_t end = 0;
    if (end == 0) {
        end = static_cast<uint64_t>(system_call(SYS_brk, 0));
    }
    if (increment != 0) {
        const long result = system_call(SYS_brk, end + static_cast<uint64_t>(increment));
        if (is_error(result) || static_cast<uint64_t>(result) != end + static_cast<uint64_t>(increment)) {
            return fail<void*>(ENOMEM);
        }
    }
    const uint64_t old = end;
    end += static_cast<uint64_t>(increment);
    return reinterpret_cast<void*>(old);
}
void* _sbrk(ptrdiff_t) NEWLIB_NAME(sbrk);

void* mmap(void* address, size_t length, int protection, int flags, int fd, off_t offset) {
    return posix<void*>(system_call(SYS_mmap, address, length, protection, flags, fd, offset));
}
int munmap(void* address, size_t length) { return posix(system_call(SYS_munmap, address, length)); }
int mprotect(void* address, size_t length, int protection) {
    return posix(system_call(SYS_mprotect, address, length, protection));
}

void* memalign(size_t, size_t);
int posix_memalign(void** result, size_t alignment, size_t size) {
    if (alignment < sizeof(void*) || (alignment & (alignment - 1)) != 0) {
        return EINVAL;
    }
    void* block = memalign(alignment, size);
    if (block == nullptr) {
        return ENOMEM;
    }
    *result = block;
    return 0;
}

void __cxa_pure_virtual() { abort(); }

}  // extern "C"

// Without exceptions, exhaustion ends the program.
void* operator new(size_t size) {
    void* block = malloc(size != 0 ? size : 1);
    if (block == nullptr) {
        static const char message[] = "out of memory\n";
        write(STDERR_FILENO, message, sizeof message - 1);
        abort();
    }
    return block;
}
void* operator new[](size_t size) { return operator new(size); }
void operator delete(void* block) noexcept { free(block); }
void operator delete[](void* block) noexcept { free(block); }
void operator delete(void* block, size_t) noexcept { free(block); }
void operator delete[](void* block, size_t) noexcept { free(block); }
