// Walking: every step asks permission to search, finds a name, and follows it if it is a link.
#include "kernel/fs/path.h"

#include "kernel/fs/symlink.h"

namespace {

constexpr unsigned most_symlinks = 8;

// Takes the first component off `path`; the slashes before it go too. Empty at the end.
std::string_view next_component(std::string_view& path) {
    size_t start = 0;
    while (start < path.size() && path[start] == '/') {
        ++start;
    }
    size_t end = start;
    while (end < path.size() && path[end] != '/') {
        ++end;
    }
    std::string_view name = path.substr(start, end - start);
    path.remove_prefix(end);
    return name;
}

bool only_slashes(std::string_view path) { return path.find_first_not_of('/') == path.npos; }

// One walk. Vnodes are plain pointers here: the lock of names keeps those that have a name, the context the others.
class Walker {
public:
    explicit Walker(const PathContext& context) : context_(context) {}

    Result<Vnode*> walk(Vnode& start, std::string_view path, bool follow_last) REQUIRES(names_mutex) {
        if (path.empty()) {
            return Error::NoEntry;
        }
        Vnode* at = path.front() == '/' ? &context_.root : &start;
        for (std::string_view name = next_component(path); !name.empty(); name = next_component(path)) {
            at = TRY(step(*at, name, !path.empty() || follow_last));
            if (!path.empty() && only_slashes(path) && !at->is_directory()) {
                return Error::NotDirectory;
            }
        }
        return at;
    }

private:
    Result<Vnode*> step(Vnode& at, std::string_view name, bool follow) REQUIRES(names_mutex) {
        Directory* directory = at.as_directory();
        if (directory == nullptr) {
            return Error::NotDirectory;
        }
        TRY(directory->check_access(context_.who, may_execute));
        if (name[0] == '.' && name.size() <= 2) [[unlikely]] {
            if (name.size() == 1) {
                return &at;
            }
            if (name[1] == '.') {
                Directory* parent = directory->parent_locked();
                return parent != nullptr ? Result<Vnode*>(parent) : Error::NoEntry;
            }
        }
        if (name.size() > FORKLORE_NAME_MAX) {
            return Error::NameTooLong;
        }
        Vnode* found = directory->find_locked(name);
        if (found == nullptr) {
            return Error::NoEntry;
        }
        return found->is_symlink() && follow ? follow_link(at, *found) : Result<Vnode*>(found);
    }

    Result<Vnode*> follow_link(Vnode& directory, Vnode& link) REQUIRES(names_mutex) {
        if (followed_++ == most_symlinks) {
            return Error::TooManySymlinks;
        }
        return walk(directory, static_cast<Symlink&>(link).target(), true);
    }

    const PathContext& context_;
    unsigned followed_ = 0;
};

Result<> check_open(const PathContext& context, const Vnode& vnode, unsigned flags) {
    bool writes = (flags & FL_O_ACCMODE) != FL_O_RDONLY || (flags & FL_O_TRUNC) != 0;
    if (vnode.is_symlink()) {
        return Error::TooManySymlinks;      // O_NOFOLLOW
    }
    if (vnode.is_directory() && (writes || (flags & FL_O_CREAT) != 0)) {
        return Error::IsDirectory;
    }
    if (!vnode.is_directory() && (flags & FL_O_DIRECTORY) != 0) {
        return Error::NotDirectory;
    }
    bool reads = (flags & FL_O_ACCMODE) != FL_O_WRONLY;
    return vnode.check_access(context.who, (reads ? may_read : 0) | (writes ? may_write : 0));
}

// open(O_CREAT) of a name that was not there a moment ago.
Result<Ref<Vnode>> make_file(const PathContext& context, std::string_view path, const OpenOptions& options, bool& made) {
    LastComponent last = TRY(walk_to_parent(context, path));
    if (last.trailing_slash || last.name.empty() || last.name == "." || last.name == "..") {
        return Error::IsDirectory;
    }
    return last.directory().find_or_make_file(context.who, last.name, options.mode, made);
}

}  // namespace

Result<Ref<Vnode>> walk(const PathContext& context, std::string_view path, bool follow_last) {
    MutexGuard guard(names_mutex);
    return Ref<Vnode>::share(*TRY(Walker(context).walk(context.current_directory, path, follow_last)));
}

Result<LastComponent> walk_to_parent(const PathContext& context, std::string_view path) {
    if (path.empty()) {
        return Error::NoEntry;
    }
    LastComponent last;
    bool absolute = path.front() == '/';
    while (!path.empty() && path.back() == '/') {
        path.remove_suffix(1);
        last.trailing_slash = true;
    }
    size_t slash = path.rfind('/');
    last.name = slash == path.npos ? path : path.substr(slash + 1);
    std::string_view before = slash == path.npos ? std::string_view() : path.substr(0, slash);
    if (last.name.size() > FORKLORE_NAME_MAX) {
        return Error::NameTooLong;
    }
    MutexGuard guard(names_mutex);
    Vnode* parent = absolute ? &context.root : &context.current_directory;
    if (!only_slashes(before)) {
        parent = TRY(Walker(context).walk(*parent, before, true));
    }
    if (!parent->is_directory()) {
        return Error::NotDirectory;
    }
    TRY(parent->check_access(context.who, may_execute));
    last.parent = Ref<Vnode>::share(*parent);
    return last;
}

Result<Ref<File>> open_path(const PathContext& context, std::string_view path, const OpenOptions& options) {
    bool creates = (options.flags & FL_O_CREAT) != 0;
    bool exclusive = creates && (options.flags & FL_O_EXCL) != 0;
    bool made = false;
    bool follow = (options.flags & FL_O_NOFOLLOW) == 0 && !exclusive;
    Result<Ref<Vnode>> found = walk(context, path, follow);
    if (!found.ok() && found.error() == Error::NoEntry && creates) {
        Ref<Vnode> vnode = TRY(make_file(context, path, options, made));
        if (!made && exclusive) {
            return Error::Exists;
        }
        if (!made && vnode->is_symlink()) {
            return Error::NoEntry;      // a link to nothing
        }
        if (!made) {
            TRY(check_open(context, *vnode, options.flags));
        }
        return File::open(std::move(vnode), options.flags);
    }
    Ref<Vnode> vnode = TRY(std::move(found));
    if (exclusive) {
        return Error::Exists;
    }
    TRY(check_open(context, *vnode, options.flags));
    if ((options.flags & FL_O_TRUNC) == 0) {
        return File::open(std::move(vnode), options.flags);
    }
    Ref<File> file = TRY(File::open(std::move(vnode), options.flags));
    TRY(file->vnode().truncate(0));
    return file;
}

Result<size_t> path_of(Vnode& vnode, char* to, size_t capacity) {
    MutexGuard guard(names_mutex);
    Directory* at = vnode.as_directory();
    if (at == nullptr) {
        return Error::NotDirectory;
    }
    if (capacity < 2) {
        return Error::Range;
    }
    // Built from the end of the buffer, then moved to its start.
    size_t start = capacity;
    to[--start] = '\0';
    if (at->is_root_) {
        to[--start] = '/';
    }
    while (!at->is_root_) {
        DirectoryEntry* entry = at->own_name_;
        if (entry == nullptr) {
            return Error::NoEntry;
        }
        std::string_view name = entry->name();
        if (name.size() + 1 > start) {
            return Error::Range;
        }
        start -= name.size();
        memcpy(to + start, name.data(), name.size());
        to[--start] = '/';
        at = entry->directory;
    }
    memmove(to, to + start, capacity - start);
    return capacity - start;
}
