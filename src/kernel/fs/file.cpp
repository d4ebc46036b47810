// Transfers at the offset of an open file.
#include "kernel/fs/file.h"

#include "kernel/fs/directory.h"

Zone& File::zone() {
    static Zone& zone = zone_create({.name = "file", .element_size = sizeof(File)}).value();
    return zone;
}

File::File(Ref<Vnode> vnode, unsigned flags) : vnode_(std::move(vnode)), flags_(flags) {}

Result<Ref<File>> File::open(Ref<Vnode> vnode, unsigned flags) {
    auto file = TRY(zone_new<File>({}, std::move(vnode), flags));
    TRY(file->vnode().opened(flags));
    return Ref<File>::adopt(*file.release());
}

void File::last_reference_gone() {
    vnode_->closed(flags());
    ZoneDelete<File>{}(*this);
}

void File::set_flags(unsigned flags) {
    constexpr unsigned changeable = FL_O_APPEND | FL_O_NONBLOCK;
    unsigned before = flags_.load(std::memory_order_relaxed);
    while (!flags_.compare_exchange_weak(before, (before & ~changeable) | (flags & changeable), std::memory_order_relaxed)) {
    }
}

Result<size_t> File::read(const IoBuffer& buffer) {
    unsigned open_flags = flags();
    if ((open_flags & FL_O_ACCMODE) == FL_O_WRONLY) {
        return Error::BadDescriptor;
    }
    Transfer transfer{.buffer = buffer, .open_flags = open_flags};
    if (!vnode_->seekable()) {
        return vnode_->read(transfer);
    }
    MutexGuard guard(offset_lock_);
    transfer.offset = offset_.load(std::memory_order_relaxed);
    size_t moved = TRY(vnode_->read(transfer));
    offset_.store(transfer.offset, std::memory_order_relaxed);
    return moved;
}

Result<size_t> File::write(const IoBuffer& buffer, uint64_t size_limit) {
    unsigned open_flags = flags();
    if ((open_flags & FL_O_ACCMODE) == FL_O_RDONLY) {
        return Error::BadDescriptor;
    }
    Transfer transfer{.buffer = buffer, .open_flags = open_flags, .size_limit = size_limit};
    if (!vnode_->seekable()) {
        return vnode_->write(transfer);
    }
    MutexGuard guard(offset_lock_);
    transfer.offset = offset_.load(std::memory_order_relaxed);
    size_t moved = TRY(vnode_->write(transfer));
    offset_.store(transfer.offset, std::memory_order_relaxed);
    return moved;
}

Result<uint64_t> File::seek(int64_t offset, unsigned whence) {
    if (!vnode_->seekable()) {
        return Error::IllegalSeek;
    }
    MutexGuard guard(offset_lock_);
    int64_t base = 0;
    switch (whence) {
    case FL_SEEK_SET:
        break;
    case FL_SEEK_CUR:
        base = static_cast<int64_t>(offset_.load(std::memory_order_relaxed));
        break;
    case FL_SEEK_END:
        base = static_cast<int64_t>(vnode_->size());
        break;
    default:
        return Error::Invalid;
    }
    int64_t target;
    if (__builtin_add_overflow(base, offset, &target)) {
        return offset > 0 ? Error::Overflow : Error::Invalid;
    }
    if (target < 0) {
        return Error::Invalid;
    }
    offset_.store(static_cast<uint64_t>(target), std::memory_order_relaxed);
    return static_cast<uint64_t>(target);
}

Result<size_t> File::list(const IoBuffer& buffer) {
    if (!readable()) {
        return Error::BadDescriptor;
    }
    Directory* directory = vnode_->as_directory();
    if (directory == nullptr) {
        return Error::NotDirectory;
    }
    MutexGuard guard(offset_lock_);
    Transfer transfer{.offset = offset_.load(std::memory_order_relaxed), .buffer = buffer};
    size_t filled = TRY(directory->list(transfer));
    offset_.store(transfer.offset, std::memory_order_relaxed);
    return filled;
}
