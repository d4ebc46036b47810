// Boot makes the tree: the initrd's entries, then the directories and devices that every program expects.
#include "kernel/fs/root.h"

#include "kernel/fs/devices.h"
#include "kernel/fs/file_table.h"
#include "kernel/fs/memory_file.h"
#include "kernel/fs/path.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/quota.h"
#include "kernel/fs/symlink.h"
#include "kernel/log.h"

namespace {

Directory* root = nullptr;
constexpr Identity superuser{};

// Turns the entries of an archive into vnodes.
class Unpacker {
public:
    explicit Unpacker(std::span<const uint8_t> archive) : archive_(archive), reader_(archive) {}
    ~Unpacker() { clear_tail(archive_.size()); }

    // The entries that were unpacked before the end, or before `problem`.
    unsigned run(CpioProblem& problem);

private:
    Result<> unpack(const CpioEntry& entry);
    Result<> unpack_file(const CpioEntry& entry, Directory& parent, std::string_view name);
    Result<Ref<MemoryFile>> file_of(const CpioEntry& entry);
    Result<> give_data(MemoryFile& file, const CpioEntry& entry);
    Result<Ref<Directory>> parent_of(std::string_view path, std::string_view& name);
    void clear_tail(size_t position);

    // A file of which further names, or the data, are still to come.
    struct Linked {
        uint32_t inode = 0, names_left = 0;
        Ref<MemoryFile> file;
    };
    static constexpr size_t most_linked = 32;

    std::span<const uint8_t> archive_;
    CpioReader reader_;
    Linked linked_[most_linked];
    size_t tail_start_ = 0, tail_end_ = 0;  // of the last adopted page: bytes that are the archive's, not the file's
};

const char* words_for(Error error) {
    switch (error) {
    case Error::NoMemory:
        return "there is no memory for the entry";
    case Error::NoSpace:
        return "the file system is full";
    case Error::NotDirectory:
        return "a file is where a directory should be";
    case Error::Exists:
        return "there is a directory of that name";
    case Error::NameTooLong:
        return "a name is too long";
    case Error::TooManyLinks:
        return "too many files with hard links at once";
    default:
        return "the entry can not be made";
    }
}

unsigned Unpacker::run(CpioProblem& problem) {
    unsigned count = 0;
    CpioEntry entry;
    while (reader_.next(entry)) {
        clear_tail(entry.offset);
        if (Result<> made = unpack(entry); !made.ok()) {
            problem = {words_for(made.error()), entry.offset, entry.name};
            return count;
        }
        ++count;
    }
    problem = reader_.problem();
    return count;
}

// The rest of the last page of a file holds the headers of the next entries. When they were read it becomes zero, as
// programs may expect it.
void Unpacker::clear_tail(size_t position) {
    if (tail_start_ < tail_end_ && position >= tail_end_) {
        memset(const_cast<uint8_t*>(archive_.data()) + tail_start_, 0, tail_end_ - tail_start_);
        tail_start_ = tail_end_ = 0;
    }
}

// The directory of the last component; missing ones on the way are made.
Result<Ref<Directory>> Unpacker::parent_of(std::string_view path, std::string_view& name) {
    Ref<Directory> at = Ref<Directory>::share(*root);
    for (;;) {
        size_t slash = path.find('/');
        if (slash == path.npos) {
            name = path;
            return at;
        }
        std::string_view step = path.substr(0, slash);
        path.remove_prefix(slash + 1);
        if (step.empty() || step == ".") {
            continue;
        }
        if (step == "..") {
            return Error::Invalid;
        }
        Result<Ref<Directory>> made = at->make_directory(superuser, step, 0755);
        if (made.ok()) {
            at = std::move(made).value();
            continue;
        }
        if (made.error() != Error::Exists) {
            return made.error();
        }
        Ref<Vnode> found = TRY(walk({*root, *at, superuser}, step, false));
        if (!found->is_directory()) {
            return Error::NotDirectory;
        }
        at = Ref<Directory>::share(*found->as_directory());
    }
}

Result<> Unpacker::unpack(const CpioEntry& entry) {
    std::string_view path = entry.name;
    while (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    if (path.empty() || path == ".") {
        return {};      // the root itself
    }
    std::string_view name;
    Ref<Directory> parent = TRY(parent_of(path, name));
    if (name == "." || name == "..") {
        return Error::Invalid;
    }
    Identity owner{entry.uid, entry.gid};
    switch (entry.mode & FL_S_IFMT) {
    case FL_S_IFDIR: {
        Ref<Directory> directory = TRY(Directory::create(owner, entry.mode));
        Result<> added = parent->add(superuser, name, *directory);
        return added.ok() || added.error() == Error::Exists ? Result<>() : added;
    }
    case FL_S_IFLNK: {
        std::string_view target(reinterpret_cast<const char*>(entry.data.data()), entry.data.size());
        Ref<Symlink> link = TRY(Symlink::create(owner, target));
        return parent->add(superuser, name, *link);
    }
    case FL_S_IFREG:
        return unpack_file(entry, *parent, name);
    default:
        log("initrd: {} is neither file, directory nor link: left out", entry.name);
        return {};
    }
}

Result<> Unpacker::unpack_file(const CpioEntry& entry, Directory& parent, std::string_view name) {
    Ref<MemoryFile> file = TRY(file_of(entry));
    if (!entry.data.empty() && file->size() == 0) {
        TRY(give_data(*file, entry));
    }
    Result<> added = parent.add(superuser, name, *file);
    if (!added.ok() && added.error() == Error::Exists) {
        // As cpio does it: the later entry wins.
        TRY(parent.remove_file(superuser, name).ok() ? Result<>() : Error::Exists);
        return parent.add(superuser, name, *file);
    }
    return added;
}

// The vnode of a file entry: a new one, or that of an earlier name.
Result<Ref<MemoryFile>> Unpacker::file_of(const CpioEntry& entry) {
    Identity owner{entry.uid, entry.gid};
    Nanoseconds modified = entry.modified * nanoseconds_per_second;
    if (entry.links <= 1) {
        return MemoryFile::create(owner, entry.mode, modified);
    }
    Linked* free = nullptr;
    for (Linked& linked : linked_) {
        if (linked.names_left > 0 && linked.inode == entry.inode) {
            Ref<MemoryFile> file = linked.file;
            if (--linked.names_left == 0) {
                linked.file.reset();
            }
            return file;
        }
        free = linked.names_left == 0 ? &linked : free;
    }
    if (free == nullptr) {
        return Error::TooManyLinks;
    }
    Ref<MemoryFile> file = TRY(MemoryFile::create(owner, entry.mode, modified));
    *free = {entry.inode, entry.links - 1, file};
    return file;
}

Result<> Unpacker::give_data(MemoryFile& file, const CpioEntry& entry) {
    const uint8_t* data = entry.data.data();
    if ((reinterpret_cast<uint64_t>(data) & (page_size - 1)) != 0) {
        Transfer transfer{.buffer = IoBuffer(const_cast<uint8_t*>(data), entry.data.size())};
        size_t written = TRY(file.write(transfer));
        return written == entry.data.size() ? Result<>() : Error::NoSpace;
    }
    size_t end = static_cast<size_t>(data - archive_.data()) + entry.data.size();
    size_t page_end = static_cast<size_t>(data - archive_.data()) + PageCount::covering(entry.data.size()).bytes();
    if (page_end > archive_.size()) {
        // The last page is not wholly the archive's: what follows it is not ours to clear.
        Transfer transfer{.buffer = IoBuffer(const_cast<uint8_t*>(data), entry.data.size())};
        size_t written = TRY(file.write(transfer));
        return written == entry.data.size() ? Result<>() : Error::NoSpace;
    }
    file.adopt_archive(ram::phys_of(data), entry.data.size());
    tail_start_ = end;
    tail_end_ = page_end;
    return {};
}

Result<> make_directories() {
    struct {
        const char* name;
        uint32_t mode;
    } const wanted[] = {{"dev", 0755}, {"tmp", 01777}, {"home", 0755}};
    for (const auto& [name, mode] : wanted) {
        if (Result<Ref<Directory>> made = root->make_directory(superuser, name, mode); !made.ok()) {
            if (made.error() != Error::Exists) {
                return made.error();
            }
            Ref<Vnode> found = TRY(walk({*root, *root, superuser}, name));
            TRY(found->change_mode(superuser, mode));
        }
    }
    return {};
}

Result<> make_devices() {
    struct {
        const char* path;
        SimpleDevice device;
    } const wanted[] = {{"/dev/null", SimpleDevice::Null},
                        {"/dev/zero", SimpleDevice::Zero},
                        {"/dev/random", SimpleDevice::Random},
                        {"/dev/urandom", SimpleDevice::Random}};
    for (const auto& [path, device] : wanted) {
        Ref<Vnode> vnode = TRY(make_device(device));
        TRY(file_system_add_device(path, *vnode));
    }
    return {};
}

// A zone takes memory itself. Made when the first program wants an element, there might be none, and nobody to tell.
void make_zones() {
    Directory::make_zones();
    MemoryFile::zone();
    Symlink::zone();
    File::zone();
    FileTable::make_zones();
    make_pipe_zone();
}

}  // namespace

Directory& root_directory() {
    ASSERT(root != nullptr);
    return *root;
}

Result<RootReport> file_system_init(const RootOptions& options) {
    ASSERT(root == nullptr);
    make_zones();
    size_t limit = options.data_limit.value != 0 ? options.data_limit.value : pages::stats().free.value / 2;
    file_quota::set_limit(PageCount(limit));
    root = TRY(Directory::create(superuser, 0755)).release();
    root->make_root();

    RootReport report;
    if (!options.initrd.empty()) {
        Unpacker unpacker(options.initrd);
        report.entries = unpacker.run(report.problem);
    }
    TRY(make_directories());
    TRY(make_devices());
    return report;
}

Result<> file_system_add_device(const char* path, Vnode& device) {
    LastComponent last = TRY(walk_to_parent({*root, *root, superuser}, path));
    Result<> added = last.directory().add(superuser, last.name, device);
    if (!added.ok() && added.error() == Error::Exists) {
        TRY(last.directory().remove_file(superuser, last.name));
        return last.directory().add(superuser, last.name, device);
    }
    return added;
}

void file_system_destroy() {
    if (root != nullptr) {
        root->clear();
        Ref<Directory>::adopt(*std::exchange(root, nullptr)).reset();
    }
}

FileSystemStats file_system_stats() { return {file_quota::used(), file_quota::limit()}; }
