// Vnode: a thing that a name or a descriptor can mean: file, directory, device, pipe, terminal, symbolic link.
//
// Its attributes are single words, changed without a lock; its content is the business of each kind. A vnode lives
// as long as a name, an open file, a working directory or a mapping refers to it. Counterpart: struct vnode.
#pragma once

#include <algorithm>
#include <atomic>

#include "abi/forklore.h"
#include "base/ref.h"
#include "base/result.h"
#include "kernel/fs/io_buffer.h"
#include "mm/address_space.h"

class Directory;

enum class VnodeKind : uint8_t { File, Directory, Symlink, Device, Pipe, Queue };

// The groups that a user is of beside its own one.
struct GroupList {
    size_t count = 0;
    Gid ids[FORKLORE_NGROUPS_MAX] = {};
    bool has(Gid gid) const { return std::find(ids, ids + count, gid) != ids + count; }
};

// Who asks: the effective ids of a process. Does not own the list.
struct Identity {
    Uid uid = root_uid;
    Gid gid = 0;
    const GroupList* groups = nullptr;
    bool root() const { return uid == root_uid; }
    bool member_of(Gid other) const { return gid == other || (groups != nullptr && groups->has(other)); }
};

// What check_access is asked for, ORed; the values of access(2). For a directory, execute is search.
inline constexpr unsigned may_execute = 1, may_write = 2, may_read = 4;

// Permission bits of a mode, with set-id bits.
inline constexpr uint32_t mode_bits = 07777;

// How one transfer is to be done.
struct Transfer {
    uint64_t offset = 0;        // in: where it begins; out: where the next one begins. For seekable vnodes
    IoBuffer buffer;
    unsigned open_flags = 0;    // FL_O_* of the open file: O_NONBLOCK and O_APPEND matter
    uint64_t size_limit = ~0ull;// RLIMIT_FSIZE: a write does not go beyond
};

class Vnode : public RefCounted, public PageSource {
public:
    struct Attributes {
        uint32_t mode = 0;
        Uid uid = root_uid;
        Gid gid = 0;
        Nanoseconds modified = 0;   // since 1970; 0: now
    };
    Vnode(const Vnode&) = delete;
    Vnode& operator=(const Vnode&) = delete;

    VnodeKind kind() const { return kind_; }
    bool is_file() const { return kind_ == VnodeKind::File; }
    bool is_directory() const { return kind_ == VnodeKind::Directory; }
    bool is_symlink() const { return kind_ == VnodeKind::Symlink; }
    bool seekable() const { return kind_ == VnodeKind::File || kind_ == VnodeKind::Directory; }
    Directory* as_directory();          // nullptr if it is none
    uint64_t inode() const { return inode_; }

    // --- Attributes ---
    uint32_t mode() const { return mode_.load(std::memory_order_relaxed); }     // permission and set-id bits
    uint32_t type_bits() const;                                                 // FL_S_IF*
    Uid uid() const { return uid_.load(std::memory_order_relaxed); }
    Gid gid() const { return gid_.load(std::memory_order_relaxed); }
    bool set_user_id() const { return (mode() & FL_S_ISUID) != 0; }
    bool set_group_id() const { return (mode() & FL_S_ISGID) != 0; }
    // The owner or root; else NotPermitted.
    Result<> change_mode(const Identity& who, uint32_t mode);
    Result<> touch(const Identity& who);    // both times to now; the owner, root, or who may write
    // `want` is an OR of may_read, may_write, may_execute. AccessDenied.
    Result<> check_access(const Identity& who, unsigned want) const;
    ForkloreStat stat() const;
    virtual uint64_t size() const { return 0; }

    // --- Content ---
    // The bytes moved; 0 from read is the end. May sleep, no spin lock held. Errors: BadAddress, TryAgain
    // (O_NONBLOCK), Restart (a signal came before anything moved), NoSpace, FileTooBig, BrokenPipe, Io.
    virtual Result<size_t> read(Transfer& transfer);
    virtual Result<size_t> write(Transfer& transfer);
    virtual Result<> truncate(uint64_t size, uint64_t size_limit = ~0ull);
    virtual Result<uint64_t> ioctl(unsigned request, UserAddr argument);
    // Which of FL_POLL* hold now. A change calls poll_notify() (kernel/fs/poll.h).
    virtual short poll(short wanted, unsigned open_flags);
    // Bytes that a read would get at once, where the kind knows.
    virtual size_t available() { return 0; }
    // An open file with these flags begins and ends: pipes count their ends.
    virtual Result<> opened(unsigned) { return {}; }
    virtual void closed(unsigned) {}

    // For exec: up to `bytes` bytes into kernel memory; fewer only at the end of the file.
    Result<size_t> read_kernel(uint64_t offset, void* to, size_t bytes);

    // --- Programs are mapped straight from the page frames of a file (mm/address_space.h) ---
    // A frame that is mapped is a snapshot: a later write to the file goes to a fresh copy. Invalid: no file.
    Result<PhysAddr> page(uint64_t index) override;
    void ref_source() override { ref(); }
    void unref_source() override {
        if (unref()) {
            last_reference_gone();
        }
    }

    virtual void last_reference_gone() = 0;     // of Ref<Vnode>: the object goes back to its zone

protected:
    Vnode(VnodeKind kind, const Attributes& attributes);
    ~Vnode() = default;

    void note_read() { accessed_.store(timestamp(), std::memory_order_relaxed); }
    void note_write();
    void count_self() { links_.store(1, std::memory_order_relaxed); }   // a directory's own "."
    virtual uint64_t blocks() const { return 0; }   // of 512 bytes
    virtual uint64_t device_number() const { return 0; }

private:
    friend class Directory;             // counts the names
    static Nanoseconds timestamp();     // since 1970
    static uint64_t next_inode();

    const VnodeKind kind_;
    std::atomic<uint32_t> mode_;
    std::atomic<Uid> uid_;
    std::atomic<Gid> gid_;
    std::atomic<uint32_t> links_{0};    // changed under the lock of names
    uint64_t inode_;
    std::atomic<Nanoseconds> accessed_, modified_, changed_;
};
