// Directory: names and the vnodes they mean. The tree of names is one, in memory, under one lock.
//
// All entries of all directories are in one hash table (directory.cpp), and each directory's are on a list in the order of
// their making, which listing follows. A directory knows its parent for as long as it has a name itself.
// Lock: names_lock(), for the whole tree: a walk takes it once.
#pragma once

#include <string_view>

#include "kernel/fs/vnode.h"
#include "machine/mutex.h"
#include "mm/zone.h"

// One name in one directory. Short names lie in the entry itself, others in an element of their own.
struct DirectoryEntry {
    static Zone& zone();
    static constexpr size_t short_name = 39;

    // A name that is in no directory yet. NameTooLong, NoMemory.
    static Result<ZoneOwned<DirectoryEntry>> create(std::string_view name);
    DirectoryEntry() = default;
    ~DirectoryEntry();

    // Takes what the name and its vnode take from the quota (a second name of a file as if it were another file), until the end
    // of this. NoSpace.
    Result<> pay();

    std::string_view name() const { return {long_name != nullptr ? long_name : text, length}; }

    ListNode in_directory;
    DirectoryEntry* next_in_bucket = nullptr;
    Directory* directory = nullptr;
    Vnode* vnode = nullptr;         // holds a reference
    uint64_t cookie = 0;            // its place in the listing
    uint32_t hash = 0;
    uint16_t length = 0;
    uint16_t paid = 0;              // in bytes
    char* long_name = nullptr;
    char text[short_name + 1] = {};
};

// Guards every Directory, and the counts of names of all vnodes.
extern Mutex names_mutex;

class Directory final : public Vnode {
public:
    static Zone& zone();
    static void make_zones();           // that of long names too

    static Result<Ref<Directory>> create(const Identity& owner, uint32_t mode);
    explicit Directory(const Attributes& attributes) : Vnode(VnodeKind::Directory, attributes) { count_self(); }

    // What the name means, or nullptr; "." and ".." are not names. No reference is taken: the lock keeps it.
    Vnode* find_locked(std::string_view name) REQUIRES(names_mutex);
    Directory* parent_locked() REQUIRES(names_mutex);   // a root's is itself; nullptr: this one was removed

    // Adds a name. Exists, NoEntry (this directory was removed), NoMemory, NoSpace, TooManyLinks, AccessDenied (who may not write).
    Result<> add(const Identity& who, std::string_view name, Vnode& vnode) EXCLUDES(names_mutex);
    // Finds the name, or adds the file that `make` would make. `made` says which.
    Result<Ref<Vnode>> find_or_make_file(const Identity& who, std::string_view name, uint32_t mode, bool& made) EXCLUDES(names_mutex);
    Result<Ref<Directory>> make_directory(const Identity& who, std::string_view name, uint32_t mode) EXCLUDES(names_mutex);
    // NoEntry, NotPermitted (a directory; or sticky), NotDirectory, NotEmpty, AccessDenied.
    Result<> remove_file(const Identity& who, std::string_view name) EXCLUDES(names_mutex);
    Result<> remove_directory(const Identity& who, std::string_view name) EXCLUDES(names_mutex);
    // Atomic for everybody else; an existing target is replaced. Also Invalid (a directory into itself).
    static Result<> rename(const Identity& who, Directory& from, std::string_view old_name, Directory& to,
                           std::string_view new_name) EXCLUDES(names_mutex);

    // Records from position `offset` (0, or where the last call ended) on, some at a time; 0 at the end.
    Result<size_t> list(Transfer& transfer) EXCLUDES(names_mutex);

    // This directory becomes a root: its own parent.
    void make_root() EXCLUDES(names_mutex);
    // Takes the whole tree below apart (the root's end, in tests).
    void clear() EXCLUDES(names_mutex);

    uint64_t size() const override { return entry_count_.load(std::memory_order_relaxed); }
    short poll(short wanted, unsigned) override { return wanted & (FL_POLLIN | FL_POLLOUT); }
    void last_reference_gone() override;

private:
    static constexpr uint32_t most_links = 32000;
    // A name that was taken out, and what it meant: dropped after the lock, as a last reference may free much.
    struct Unlinked {
        ZoneOwned<DirectoryEntry> entry;
        Ref<Vnode> vnode;
    };

    friend Result<size_t> path_of(Vnode&, char*, size_t);

    Result<> may_change_locked(const Identity& who) REQUIRES(names_mutex);
    Result<> may_remove_locked(const Identity& who, const Vnode& target) REQUIRES(names_mutex);
    Result<> may_replace_locked(const Identity& who, const Vnode& moved, Vnode& target) REQUIRES(names_mutex);
    DirectoryEntry* entry_locked(std::string_view name) REQUIRES(names_mutex);
    void link_locked(DirectoryEntry& entry, Vnode& vnode) REQUIRES(names_mutex);
    Unlinked unlink_locked(DirectoryEntry& entry) REQUIRES(names_mutex);
    bool inside_locked(const Directory& other) REQUIRES(names_mutex);
    Result<size_t> gather(uint64_t& next, char* to, size_t room) EXCLUDES(names_mutex);
    bool record_at_locked(uint64_t& at, DirectoryEntry*& entry, const Vnode*& vnode, std::string_view& name)
        REQUIRES(names_mutex);

    List<DirectoryEntry, &DirectoryEntry::in_directory> entries_ GUARDED_BY(names_mutex);
    DirectoryEntry* own_name_ GUARDED_BY(names_mutex) = nullptr;    // in the parent; none: root, or removed
    bool is_root_ GUARDED_BY(names_mutex) = false;
    uint64_t next_cookie_ GUARDED_BY(names_mutex) = 2;      // 0 and 1 are "." and ".."
    std::atomic<uint64_t> entry_count_{0};
};
