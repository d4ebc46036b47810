// brk, mmap, munmap, mprotect: the doors to the address space.
#include "abi/forklore.h"
#include "kernel/proc/calls.h"
#include "kernel/proc/proc.h"

namespace {

AddressSpace& current_space() { return *cpu::current_thread()->task->space; }

Result<Protection> protection_of(uint64_t bits) {
    if ((bits & ~uint64_t{FL_PROT_READ | FL_PROT_WRITE | FL_PROT_EXEC}) != 0) {
        return Error::Invalid;
    }
    return Protection{(bits & FL_PROT_READ) != 0, (bits & FL_PROT_WRITE) != 0, (bits & FL_PROT_EXEC) != 0};
}

}  // namespace

Result<uint64_t> sys_brk(UserFrame& frame) {
    AddressSpace& space = current_space();
    if (frame.x[0] == 0) {
        return space.program_break().value;
    }
    return TRY(space.set_break(UserAddr(frame.x[0]))).value;
}

Result<uint64_t> sys_mmap(UserFrame& frame) {
    UserAddr hint(frame.x[0]);
    uint64_t bytes = frame.x[1];
    Protection protection = TRY(protection_of(frame.x[2]));
    uint64_t flags = frame.x[3];
    auto fd = static_cast<int32_t>(frame.x[4]);
    uint64_t offset = frame.x[5];
    bool shared = (flags & FL_MAP_SHARED) != 0;
    if (shared == ((flags & FL_MAP_PRIVATE) != 0) || offset % page_size != 0) {
        return Error::Invalid;
    }
    MapOptions options{.fixed = (flags & FL_MAP_FIXED) != 0, .shared = shared};
    if ((flags & FL_MAP_ANONYMOUS) != 0) {
        return TRY(current_space().map(hint, bytes, protection, options)).value;
    }
    // Of files there are private mappings only: nothing would write a shared one back.
    if (shared && protection.write) {
        return Error::NotSupported;
    }
    Ref<File> file = TRY(current_proc().files->get(fd));
    Vnode& vnode = file->vnode();
    if (!vnode.is_file()) {
        return Error::NoDevice;
    }
    if (!file->readable()) {
        return Error::AccessDenied;
    }
    options.shared = false;
    return TRY(current_space().map_source(hint, bytes, protection, vnode, offset / page_size, options)).value;
}

Result<uint64_t> sys_munmap(UserFrame& frame) {
    TRY(current_space().unmap(UserAddr(frame.x[0]), frame.x[1]));
    return 0;
}

Result<uint64_t> sys_mprotect(UserFrame& frame) {
    Protection protection = TRY(protection_of(frame.x[2]));
    TRY(current_space().protect(UserAddr(frame.x[0]), frame.x[1], protection));
    return 0;
}
