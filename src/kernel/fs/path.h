// Paths: from a text to a vnode, one component after the other.
//
// The whole walk happens under the lock of names (directory.h). A symbolic link is walked where it stands; more than
// eight in one walk are TooManySymlinks. Search permission is asked of every directory on the way.
#pragma once

#include <string_view>

#include "kernel/fs/directory.h"
#include "kernel/fs/file.h"

struct PathContext {
    Vnode& root;
    Vnode& current_directory;
    Identity who;
};

// The vnode that `path` names. NoEntry, NotDirectory (also for "file/"), AccessDenied, NameTooLong, TooManySymlinks.
// follow_last: if the last component is a symbolic link, what it leads to.
Result<Ref<Vnode>> walk(const PathContext& context, std::string_view path, bool follow_last = true);

// The directory in which the last component of `path` is, or would be. The name is a part of `path`; it may be "."
// or "..", or empty for the root directory.
struct LastComponent {
    Ref<Vnode> parent;              // a directory
    std::string_view name;
    bool trailing_slash = false;    // it must be a directory

    Directory& directory() const { return *parent->as_directory(); }
};
Result<LastComponent> walk_to_parent(const PathContext& context, std::string_view path);

struct OpenOptions {
    unsigned flags = 0;             // FL_O_*
    uint32_t mode = 0;              // of a file that is made, umask already applied
    uint64_t size_limit = ~0ull;
};
// open(2) without the descriptor: finds or makes, checks permission, truncates.
Result<Ref<File>> open_path(const PathContext& context, std::string_view path, const OpenOptions& options);

// The absolute path of a directory, NUL-terminated: its length with the NUL. Range; NoEntry if it was removed.
Result<size_t> path_of(Vnode& directory, char* to, size_t capacity);
