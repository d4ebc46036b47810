// System calls on names: each brings the path in, walks, and asks the vnode or its directory.
#include <algorithm>

#include "kernel/fs/path.h"
#include "kernel/fs/root.h"
#include "kernel/fs/upward.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/sys_files.h"
#include "kernel/proc/user_path.h"

namespace {

// Where a walk of the current process starts, and as whom. Keeps the directory while it lives.
class Caller {
public:
    Caller() : directory_(current_directory()), credentials_(current_credentials()), who_(credentials_->identity()) {}
    // access(2) asks what the real user may do.
    void use_real_ids() { who_ = credentials_->real_identity(); }
    const Identity& who() const { return who_; }
    PathContext context() const { return {root_directory(), *directory_, who_}; }

private:
    Ref<Vnode> directory_;
    Ref<Credentials> credentials_;
    Identity who_;
};

bool is_dots(std::string_view name) { return name == "." || name == ".."; }

uint32_t creation_mode(uint64_t mode, uint32_t keep) {
    return static_cast<uint32_t>(mode) & keep & ~current_proc().inherited.file_mode_mask;
}

Result<Ref<Vnode>> walk_to(const Caller& caller, uint64_t address, bool follow_last = true) {
    UserPath path;
    TRY(path.load(address));
    return walk(caller.context(), path.text(), follow_last);
}

Result<uint64_t> stat_path(UserFrame& frame, bool follow_last) {
    Caller caller;
    Ref<Vnode> vnode = TRY(walk_to(caller, frame.x[0], follow_last));
    TRY(copy_out_value(UserAddr(frame.x[1]), vnode->stat()));
    return uint64_t{0};
}

Result<> enter_directory(Ref<Vnode> directory, const Identity& who) {
    TRY(check_may_enter(*directory, who));
    set_current_directory(std::move(directory));
    return {};
}

}  // namespace

Result<> check_may_enter(Vnode& directory, const Identity& who) {
    return directory.is_directory() ? directory.check_access(who, may_execute) : Error::NotDirectory;
}

Result<uint64_t> sys_open(UserFrame& frame) {
    auto flags = static_cast<unsigned>(frame.x[1]);
    if ((flags & FL_O_ACCMODE) == FL_O_ACCMODE) {
        return Error::Invalid;
    }
    UserPath path;
    TRY(path.load(frame.x[0]));
    auto reservation = TRY(current_proc().files->reserve(current_limit(FL_RLIMIT_NOFILE)));
    Caller caller;
    OpenOptions options{.flags = flags};
    if ((flags & FL_O_CREAT) != 0) {
        options.mode = creation_mode(frame.x[2], mode_bits);
    }
    Ref<File> file = TRY(open_path(caller.context(), path.text(), options));
    return static_cast<uint64_t>(std::move(reservation).fill(std::move(file), (flags & FL_O_CLOEXEC) != 0));
}

Result<uint64_t> sys_stat(UserFrame& frame) { return stat_path(frame, true); }

Result<uint64_t> sys_lstat(UserFrame& frame) { return stat_path(frame, false); }

Result<uint64_t> sys_chdir(UserFrame& frame) {
    Caller caller;
    Ref<Vnode> directory = TRY(walk_to(caller, frame.x[0]));
    TRY(enter_directory(std::move(directory), caller.who()));
    return uint64_t{0};
}

Result<uint64_t> sys_fchdir(UserFrame& frame) {
    Ref<File> file = TRY(current_proc().files->get(static_cast<int>(frame.x[0])));
    TRY(enter_directory(Ref<Vnode>::share(file->vnode()), Caller().who()));
    return uint64_t{0};
}

Result<uint64_t> sys_getcwd(UserFrame& frame) {
    size_t size = static_cast<size_t>(frame.x[1]);
    if (size == 0) {
        return Error::Invalid;
    }
    char path[FORKLORE_PATH_MAX];
    Ref<Vnode> directory = current_directory();
    size_t length = TRY(path_of(*directory, path, std::min(size, sizeof path)));
    TRY(copy_out(UserAddr(frame.x[0]), path, length));
    return uint64_t{length};
}

Result<uint64_t> sys_mkdir(UserFrame& frame) {
    UserPath path;
    TRY(path.load(frame.x[0]));
    Caller caller;
    LastComponent last = TRY(walk_to_parent(caller.context(), path.text()));
    if (last.name.empty() || is_dots(last.name)) {
        return Error::Exists;
    }
    auto made = last.directory().make_directory(caller.who(), last.name, creation_mode(frame.x[1], 01777));
    return made.ok() ? Result<uint64_t>(0) : made.error();
}

Result<uint64_t> sys_rmdir(UserFrame& frame) {
    UserPath path;
    TRY(path.load(frame.x[0]));
    Caller caller;
    LastComponent last = TRY(walk_to_parent(caller.context(), path.text()));
    if (last.name.empty()) {
        return Error::Busy;
    }
    if (is_dots(last.name)) {
        return last.name == "." ? Error::Invalid : Error::NotEmpty;
    }
    TRY(last.directory().remove_directory(caller.who(), last.name));
    return uint64_t{0};
}

Result<uint64_t> sys_unlink(UserFrame& frame) {
    UserPath path;
    TRY(path.load(frame.x[0]));
    Caller caller;
    LastComponent last = TRY(walk_to_parent(caller.context(), path.text()));
    if (last.name.empty() || is_dots(last.name) || last.trailing_slash) {
        // It means a directory, or it means nothing.
        Result<Ref<Vnode>> there = walk(caller.context(), path.text());
        return there.ok() ? Error::NotPermitted : there.error();
    }
    TRY(last.directory().remove_file(caller.who(), last.name));
    return uint64_t{0};
}

Result<uint64_t> sys_rename(UserFrame& frame) {
    UserPath old_path, new_path;
    TRY(old_path.load(frame.x[0]));
    TRY(new_path.load(frame.x[1]));
    Caller caller;
    LastComponent from = TRY(walk_to_parent(caller.context(), old_path.text()));
    LastComponent to = TRY(walk_to_parent(caller.context(), new_path.text()));
    if (from.name.empty() || to.name.empty()) {
        return Error::Busy;
    }
    if (is_dots(from.name) || is_dots(to.name)) {
        return Error::Invalid;
    }
    if (from.trailing_slash || to.trailing_slash) {
        Ref<Vnode> moved = TRY(walk(caller.context(), old_path.text(), false));
        if (!moved->is_directory()) {
            return Error::NotDirectory;
        }
    }
    TRY(Directory::rename(caller.who(), from.directory(), from.name, to.directory(), to.name));
    return uint64_t{0};
}

Result<uint64_t> sys_link(UserFrame& frame) {
    UserPath path;
    Caller caller;
    Ref<Vnode> vnode = TRY(walk_to(caller, frame.x[0], false));
    if (vnode->is_directory()) {
        return Error::NotPermitted;
    }
    TRY(path.load(frame.x[1]));
    LastComponent last = TRY(walk_to_parent(caller.context(), path.text()));
    if (last.name.empty() || is_dots(last.name)) {
        return Error::Exists;
    }
    if (last.trailing_slash) {
        return Error::NoEntry;
    }
    TRY(last.directory().add(caller.who(), last.name, *vnode));
    return uint64_t{0};
}

Result<uint64_t> sys_access(UserFrame& frame) {
    uint64_t want = frame.x[1];
    if ((want & ~uint64_t{may_read | may_write | may_execute}) != 0) {
        return Error::Invalid;
    }
    Caller caller;
    caller.use_real_ids();
    Ref<Vnode> vnode = TRY(walk_to(caller, frame.x[0]));
    TRY(vnode->check_access(caller.who(), static_cast<unsigned>(want)));
    return uint64_t{0};
}

Result<uint64_t> sys_chmod(UserFrame& frame) {
    Caller caller;
    Ref<Vnode> vnode = TRY(walk_to(caller, frame.x[0]));
    TRY(vnode->change_mode(caller.who(), static_cast<uint32_t>(frame.x[1])));
    return uint64_t{0};
}

Result<uint64_t> sys_truncate(UserFrame& frame) {
    if (static_cast<int64_t>(frame.x[1]) < 0) {
        return Error::Invalid;
    }
    Caller caller;
    Ref<Vnode> vnode = TRY(walk_to(caller, frame.x[0]));
    TRY(vnode->check_access(caller.who(), may_write));
    if (!vnode->is_file()) {
        return vnode->is_directory() ? Error::IsDirectory : Error::Invalid;
    }
    TRY(vnode->truncate(frame.x[1], current_limit(FL_RLIMIT_FSIZE)));
    return uint64_t{0};
}

Result<uint64_t> sys_utime(UserFrame& frame) {
    Caller caller;
    Ref<Vnode> vnode = TRY(walk_to(caller, frame.x[0]));
    TRY(vnode->touch(caller.who()));
    return uint64_t{0};
}

Result<uint64_t> sys_umask(UserFrame& frame) {
    Proc& proc = current_proc();
    SpinGuard guard(proc.lock);
    const uint64_t before = proc.inherited.file_mode_mask;
    proc.inherited.file_mode_mask = static_cast<uint32_t>(frame.x[0]) & 0777;
    return before;
}
