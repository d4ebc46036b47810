// What all vnodes have in common: attributes, permission, and refusals for what a kind does not do.
#include "kernel/fs/vnode.h"

#include "base/failpoint.h"
#include "kernel/fs/directory.h"
#include "kernel/time_values.h"
#include "kernel/timer.h"
#include "machine/clock.h"

Nanoseconds Vnode::timestamp() { return machine_clock::now() + realtime_offset(); }

uint64_t Vnode::next_inode() {
    static std::atomic<uint64_t> last{1};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

Vnode::Vnode(VnodeKind kind, const Attributes& attributes)
    : kind_(kind), mode_(attributes.mode & mode_bits), uid_(attributes.uid), gid_(attributes.gid), inode_(next_inode()) {
    Nanoseconds made = attributes.modified != 0 ? attributes.modified : timestamp();
    accessed_.store(made, std::memory_order_relaxed);
    modified_.store(made, std::memory_order_relaxed);
    changed_.store(made, std::memory_order_relaxed);
}

Directory* Vnode::as_directory() { return is_directory() ? static_cast<Directory*>(this) : nullptr; }

uint32_t Vnode::type_bits() const {
    switch (kind_) {
    case VnodeKind::File:
        return FL_S_IFREG;
    case VnodeKind::Directory:
        return FL_S_IFDIR;
    case VnodeKind::Symlink:
        return FL_S_IFLNK;
    case VnodeKind::Pipe:
    case VnodeKind::Queue:
        return FL_S_IFIFO;
    case VnodeKind::Device:
        break;
    }
    return FL_S_IFCHR;
}

Result<> Vnode::change_mode(const Identity& who, uint32_t mode) {
    if (!who.root() && who.uid != uid()) {
        return Error::NotPermitted;
    }
    // A user can not make a program run as a group that he is not of.
    if (!who.root() && !who.member_of(gid())) {
        mode &= ~static_cast<uint32_t>(FL_S_ISGID);
    }
    mode_.store(mode & mode_bits, std::memory_order_relaxed);
    changed_.store(timestamp(), std::memory_order_relaxed);
    return {};
}

Result<> Vnode::touch(const Identity& who) {
    if (!who.root() && who.uid != uid()) {
        TRY(check_access(who, may_write));
    }
    Nanoseconds now = timestamp();
    accessed_.store(now, std::memory_order_relaxed);
    modified_.store(now, std::memory_order_relaxed);
    changed_.store(now, std::memory_order_relaxed);
    return {};
}

Result<> Vnode::check_access(const Identity& who, unsigned want) const {
    uint32_t bits = mode();
    if (who.root()) {
        bool executes = is_directory() || (bits & 0111) != 0;
        return (want & may_execute) == 0 || executes ? Result<>() : Error::AccessDenied;
    }
    unsigned allowed = who.uid == uid() ? bits >> 6 : who.member_of(gid()) ? bits >> 3 : bits;
    return (allowed & want) == want ? Result<>() : Error::AccessDenied;
}

ForkloreStat Vnode::stat() const {
    ForkloreStat stat{};
    stat.device = 1;
    stat.inode = inode_;
    stat.mode = mode() | type_bits();
    stat.links = links_.load(std::memory_order_relaxed);
    stat.uid = uid();
    stat.gid = gid();
    stat.rdevice = device_number();
    stat.size = static_cast<int64_t>(size());
    stat.blocks = static_cast<int64_t>(blocks());
    stat.accessed = time_of(accessed_.load(std::memory_order_relaxed));
    stat.modified = time_of(modified_.load(std::memory_order_relaxed));
    stat.changed = time_of(changed_.load(std::memory_order_relaxed));
    return stat;
}

void Vnode::note_write() {
    Nanoseconds now = timestamp();
    modified_.store(now, std::memory_order_relaxed);
    changed_.store(now, std::memory_order_relaxed);
    // Changed content does not keep the right to act as somebody else.
    if ((mode() & (FL_S_ISUID | FL_S_ISGID)) != 0) [[unlikely]] {
        mode_.fetch_and(~static_cast<uint32_t>(FL_S_ISUID | FL_S_ISGID), std::memory_order_relaxed);
    }
}

Result<size_t> Vnode::read(Transfer&) { return is_directory() ? Error::IsDirectory : Error::Invalid; }

Result<size_t> Vnode::write(Transfer&) { return is_directory() ? Error::IsDirectory : Error::Invalid; }

Result<> Vnode::truncate(uint64_t, uint64_t) { return is_directory() ? Error::IsDirectory : Error::Invalid; }

Result<uint64_t> Vnode::ioctl(unsigned, UserAddr) { return Error::NotTerminal; }

// What never blocks is always ready.
short Vnode::poll(short wanted, unsigned) { return static_cast<short>(wanted & (FL_POLLIN | FL_POLLOUT)); }

Result<PhysAddr> Vnode::page(uint64_t) { return Error::Invalid; }

Result<size_t> Vnode::read_kernel(uint64_t offset, void* to, size_t bytes) {
    if (failpoint::should_fail()) {
        return Error::Io;
    }
    Transfer transfer{.offset = offset, .buffer = IoBuffer(to, bytes)};
    return read(transfer);
}
