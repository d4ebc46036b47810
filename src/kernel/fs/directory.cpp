// The tree of names: one hash table for all entries, one list for each directory.
#include "kernel/fs/directory.h"

#include "kernel/fs/memory_file.h"
#include "kernel/fs/quota.h"

Mutex names_mutex{LockRank::FileNames, "names"};

namespace {

constexpr size_t bucket_count = 1024;
DirectoryEntry* buckets[bucket_count] GUARDED_BY(names_mutex);

// FNV-1a, begun differently for each directory.
uint32_t hash_of(uint64_t directory, std::string_view name) {
    uint32_t hash = 2166136261u ^ static_cast<uint32_t>(directory * 0x9e3779b1u);
    for (char c : name) {
        hash = (hash ^ static_cast<uint8_t>(c)) * 16777619u;
    }
    return hash ^ hash >> 15;
}

// The memory of a long name.
struct LongName {
    static Zone& zone() {
        static Zone& zone = zone_create({.name = "long_name", .element_size = FORKLORE_NAME_MAX + 1}).value();
        return zone;
    }
};

}  // namespace

Zone& Directory::zone() {
    static Zone& zone = zone_create({.name = "directory", .element_size = sizeof(Directory)}).value();
    return zone;
}

void Directory::make_zones() {
    Directory::zone();
    DirectoryEntry::zone();
    LongName::zone();
}

Zone& DirectoryEntry::zone() {
    static Zone& zone = zone_create({.name = "directory_entry", .element_size = sizeof(DirectoryEntry)}).value();
    return zone;
}

DirectoryEntry::~DirectoryEntry() {
    file_quota::give(paid);
    if (long_name != nullptr) {
        zfree(LongName::zone(), long_name);
    }
}

Result<ZoneOwned<DirectoryEntry>> DirectoryEntry::create(std::string_view name) {
    if (name.size() > FORKLORE_NAME_MAX) {
        return Error::NameTooLong;
    }
    auto entry = TRY(zone_new<DirectoryEntry>({}));
    if (name.size() > short_name) {
        entry->long_name = static_cast<char*>(TRY(zalloc(LongName::zone())));
    }
    memcpy(entry->long_name != nullptr ? entry->long_name : entry->text, name.data(), name.size());
    entry->length = static_cast<uint16_t>(name.size());
    return entry;
}

Result<> DirectoryEntry::pay() {
    const size_t long_bytes = long_name != nullptr ? FORKLORE_NAME_MAX + 1 : 0;
    const size_t price = sizeof(DirectoryEntry) + long_bytes + std::max(sizeof(MemoryFile), sizeof(Directory));
    TRY(file_quota::take(price));
    paid = static_cast<uint16_t>(price);
    return {};
}

Result<Ref<Directory>> Directory::create(const Identity& owner, uint32_t mode) {
    auto directory = TRY(zone_new<Directory>({}, Attributes{mode, owner.uid, owner.gid}));
    return Ref<Directory>::adopt(*directory.release());
}

// It has no entries: a directory loses its name only when it is empty.
void Directory::last_reference_gone() { ZoneDelete<Directory>{}(*this); }

DirectoryEntry* Directory::entry_locked(std::string_view name) {
    uint32_t hash = hash_of(inode(), name);
    DirectoryEntry* entry = buckets[hash % bucket_count];
    while (entry != nullptr && (entry->hash != hash || entry->directory != this || entry->name() != name)) {
        entry = entry->next_in_bucket;
    }
    return entry;
}

Vnode* Directory::find_locked(std::string_view name) {
    DirectoryEntry* entry = entry_locked(name);
    return entry != nullptr ? entry->vnode : nullptr;
}

Directory* Directory::parent_locked() {
    if (is_root_) {
        return this;
    }
    return own_name_ != nullptr ? own_name_->directory : nullptr;
}

void Directory::link_locked(DirectoryEntry& entry, Vnode& vnode) {
    entry.directory = this;
    entry.cookie = next_cookie_++;
    entry.hash = hash_of(inode(), entry.name());
    entry.vnode = &vnode;
    vnode.ref();
    vnode.links_.fetch_add(1, std::memory_order_relaxed);
    entry.next_in_bucket = std::exchange(buckets[entry.hash % bucket_count], &entry);
    entries_.push_back(entry);
    entry_count_.fetch_add(1, std::memory_order_relaxed);
    if (Directory* directory = vnode.as_directory()) {
        directory->own_name_ = &entry;
        links_.fetch_add(1, std::memory_order_relaxed);     // its ".."
    }
    note_write();
}

// Takes the entry out; what it held is the caller's, to be dropped after the lock.
Directory::Unlinked Directory::unlink_locked(DirectoryEntry& entry) {
    DirectoryEntry** link = &buckets[entry.hash % bucket_count];
    while (*link != &entry) {
        link = &(*link)->next_in_bucket;
    }
    *link = entry.next_in_bucket;
    entries_.remove(entry);
    entry_count_.fetch_sub(1, std::memory_order_relaxed);
    Vnode& vnode = *entry.vnode;
    vnode.links_.fetch_sub(1, std::memory_order_relaxed);
    if (Directory* directory = vnode.as_directory()) {
        directory->own_name_ = nullptr;
        links_.fetch_sub(1, std::memory_order_relaxed);
    }
    note_write();
    return {ZoneOwned<DirectoryEntry>(entry), Ref<Vnode>::adopt(vnode)};
}

Result<> Directory::may_change_locked(const Identity& who) {
    if (parent_locked() == nullptr) {
        return Error::NoEntry;
    }
    return check_access(who, may_write | may_execute);
}

// In a sticky directory only the owner of the file or of the directory may.
Result<> Directory::may_remove_locked(const Identity& who, const Vnode& target) {
    TRY(may_change_locked(who));
    bool sticky = (mode() & 01000) != 0;
    if (sticky && !who.root() && who.uid != uid() && who.uid != target.uid()) {
        return Error::NotPermitted;
    }
    return {};
}

Result<> Directory::add(const Identity& who, std::string_view name, Vnode& vnode) {
    auto entry = TRY(DirectoryEntry::create(name));
    MutexGuard guard(names_mutex);
    if (find_locked(name) != nullptr) {
        return Error::Exists;
    }
    TRY(may_change_locked(who));
    if (vnode.links_.load(std::memory_order_relaxed) >= most_links) {
        return Error::TooManyLinks;
    }
    TRY(entry->pay());
    link_locked(*entry.release(), vnode);
    return {};
}

Result<Ref<Vnode>> Directory::find_or_make_file(const Identity& who, std::string_view name, uint32_t mode, bool& made) {
    auto entry = TRY(DirectoryEntry::create(name));
    MutexGuard guard(names_mutex);
    made = false;
    if (Vnode* found = find_locked(name)) {
        return Ref<Vnode>::share(*found);
    }
    TRY(may_change_locked(who));
    TRY(entry->pay());
    Ref<MemoryFile> file = TRY(MemoryFile::create(who, mode));
    link_locked(*entry.release(), *file);
    made = true;
    return Ref<Vnode>::adopt(*file.release());
}

Result<Ref<Directory>> Directory::make_directory(const Identity& who, std::string_view name, uint32_t mode) {
    Ref<Directory> made = TRY(create(who, mode));
    TRY(add(who, name, *made));
    return made;
}

Result<> Directory::remove_file(const Identity& who, std::string_view name) {
    Unlinked gone;
    MutexGuard guard(names_mutex);
    DirectoryEntry* entry = entry_locked(name);
    if (entry == nullptr) {
        return Error::NoEntry;
    }
    TRY(may_remove_locked(who, *entry->vnode));
    if (entry->vnode->is_directory()) {
        return Error::NotPermitted;     // POSIX's answer to unlink of a directory
    }
    gone = unlink_locked(*entry);
    return {};
}

Result<> Directory::remove_directory(const Identity& who, std::string_view name) {
    Unlinked gone;
    MutexGuard guard(names_mutex);
    DirectoryEntry* entry = entry_locked(name);
    if (entry == nullptr) {
        return Error::NoEntry;
    }
    TRY(may_remove_locked(who, *entry->vnode));
    Directory* directory = entry->vnode->as_directory();
    if (directory == nullptr) {
        return Error::NotDirectory;
    }
    if (!directory->entries_.empty()) {
        return Error::NotEmpty;
    }
    gone = unlink_locked(*entry);
    return {};
}

// True if this directory is `other` or lies below it.
bool Directory::inside_locked(const Directory& other) {
    for (Directory* at = this; at != nullptr; at = at->parent_locked()) {
        if (at == &other) {
            return true;
        }
        if (at->is_root_) {
            break;
        }
    }
    return false;
}

// May `moved` take the place of `target`?
Result<> Directory::may_replace_locked(const Identity& who, const Vnode& moved, Vnode& target) {
    TRY(may_remove_locked(who, target));
    Directory* replaced = target.as_directory();
    if (moved.is_directory()) {
        if (replaced == nullptr) {
            return Error::NotDirectory;
        }
        if (!replaced->entries_.empty()) {
            return Error::NotEmpty;
        }
        return {};
    }
    return replaced == nullptr ? Result<>() : Error::IsDirectory;
}

Result<> Directory::rename(const Identity& who, Directory& from, std::string_view old_name, Directory& to,
                           std::string_view new_name) {
    auto fresh = TRY(DirectoryEntry::create(new_name));
    Unlinked old_place, replaced;
    MutexGuard guard(names_mutex);
    DirectoryEntry* source = from.entry_locked(old_name);
    if (source == nullptr) {
        return Error::NoEntry;
    }
    Vnode& vnode = *source->vnode;
    TRY(from.may_remove_locked(who, vnode));
    TRY(to.may_change_locked(who));
    DirectoryEntry* target = to.entry_locked(new_name);
    if (target != nullptr && target->vnode == &vnode) {
        return {};      // two names of one file: nothing happens
    }
    if (vnode.is_directory() && to.inside_locked(*vnode.as_directory())) {
        return Error::Invalid;
    }
    if (target != nullptr) {
        TRY(to.may_replace_locked(who, vnode, *target->vnode));
    }
    TRY(fresh->pay());

    // Commit.
    if (target != nullptr) {
        replaced = to.unlink_locked(*target);
    }
    old_place = from.unlink_locked(*source);
    to.link_locked(*fresh.release(), vnode);
    return {};
}

namespace {

// One record of a listing, with the longest name.
struct Record {
    alignas(8) char bytes[(offsetof(ForkloreDirent, name) + FORKLORE_NAME_MAX + 1 + 7) & ~size_t{7}];
    size_t length = 0;

    void set(const Vnode& vnode, std::string_view name) {
        length = (offsetof(ForkloreDirent, name) + name.size() + 1 + 7) & ~size_t{7};
        memset(bytes, 0, length);
        auto* record = reinterpret_cast<ForkloreDirent*>(bytes);
        record->inode = vnode.inode();
        record->length = static_cast<uint16_t>(length);
        record->type = static_cast<uint8_t>(vnode.type_bits() >> 12);
        memcpy(bytes + offsetof(ForkloreDirent, name), name.data(), name.size());
    }
};

}  // namespace

// What stands at position `at` or after it: the position itself goes up to it. False at the end.
bool Directory::record_at_locked(uint64_t& at, DirectoryEntry*& entry, const Vnode*& vnode, std::string_view& name) {
    if (at < 2) {
        Directory* parent = parent_locked();
        vnode = at == 0 || parent == nullptr ? this : parent;
        name = at == 0 ? "." : "..";
        return true;
    }
    entry = entry != nullptr ? entries_.after(*entry) : entries_.first();
    while (entry != nullptr && entry->cookie < at) {
        entry = entries_.after(*entry);
    }
    if (entry == nullptr) {
        return false;
    }
    at = entry->cookie;
    vnode = entry->vnode;
    name = entry->name();
    return true;
}

// Gathered under the lock and copied out after it: the program's page may have to wait for memory.
Result<size_t> Directory::list(Transfer& transfer) {
    alignas(8) char gathered[2048];
    const size_t room = std::min(transfer.buffer.length(), sizeof gathered);
    uint64_t next = transfer.offset;
    const size_t filled = TRY(gather(next, gathered, room));
    if (filled != 0) {
        TRY(transfer.buffer.put(0, gathered, filled));
    }
    transfer.offset = next;
    note_read();
    return filled;
}

// Records from position `next` on, as many as fit; `next` goes behind the last one. Invalid: not even the first one fits.
Result<size_t> Directory::gather(uint64_t& next, char* to, size_t room) {
    Record record;
    size_t filled = 0;
    uint64_t at = next;
    DirectoryEntry* entry = nullptr;
    const Vnode* vnode = nullptr;
    std::string_view name;
    MutexGuard guard(names_mutex);
    while (record_at_locked(at, entry, vnode, name)) {
        record.set(*vnode, name);
        if (filled + record.length > room) {
            return filled != 0 ? Result<size_t>(filled) : Error::Invalid;
        }
        memcpy(to + filled, record.bytes, record.length);
        filled += record.length;
        next = ++at;
    }
    return filled;
}

void Directory::make_root() {
    MutexGuard guard(names_mutex);
    is_root_ = true;
    links_.fetch_add(1, std::memory_order_relaxed);     // stands for the name it does not have
}

void Directory::clear() {
    for (;;) {
        Unlinked gone;
        Ref<Vnode> child;
        {
            MutexGuard guard(names_mutex);
            DirectoryEntry* entry = entries_.first();
            if (entry == nullptr) {
                return;
            }
            child = Ref<Vnode>::share(*entry->vnode);
        }
        // A tree is not deep, and this is the end of everything.
        if (Directory* directory = child->as_directory()) {
            directory->clear();
        }
        MutexGuard guard(names_mutex);
        gone = unlink_locked(*entries_.first());
    }
}
