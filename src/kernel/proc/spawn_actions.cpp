// The file actions of posix_spawn: open, dup2, close, chdir and fchdir, as the child would have called them.
#include "kernel/fs/path.h"
#include "kernel/fs/root.h"
#include "kernel/proc/spawn.h"
#include "kernel/proc/sys_files.h"
#include "kernel/proc/user_path.h"

namespace {

// The child's descriptors and directory. Without analysis: nobody else can see the child yet.
class ChildFiles {
public:
    explicit ChildFiles(Proc& child) NO_THREAD_SAFETY_ANALYSIS
        : child_(child), limit_(child.limits->current(FL_RLIMIT_NOFILE)),
          who_(child.credentials->identity()) {}

    Result<> run(const ForkloreSpawnAction& action) {
        switch (action.kind) {
        case FL_SPAWN_OPEN:
            return open(action);
        case FL_SPAWN_DUP2:
            return duplicate(action.from, action.fd);
        case FL_SPAWN_CLOSE:
            TRY(check_number(action.fd));
            (void)child_.files->close(action.fd);       // POSIX: what is not open need not be closed
            return {};
        case FL_SPAWN_CHDIR: {
            UserPath path;
            TRY(path.load(action.path));
            Ref<Vnode> directory = TRY(walk(context(), path.text()));
            return enter(std::move(directory));
        }
        case FL_SPAWN_FCHDIR: {
            Ref<File> file = TRY(child_.files->get(action.fd));
            return enter(Ref<Vnode>::share(file->vnode()));
        }
        default:
            return Error::Invalid;
        }
    }

private:
    PathContext context() NO_THREAD_SAFETY_ANALYSIS {
        return {root_directory(), child_.directory ? *child_.directory : root_directory(), who_};
    }
    Result<> check_number(int fd) const {
        if (fd < 0 || static_cast<uint64_t>(fd) >= FileTable::capacity) {
            return Error::BadDescriptor;
        }
        return {};
    }
    Result<> open(const ForkloreSpawnAction& action) {
        TRY(check_number(action.fd));
        if ((action.flags & FL_O_ACCMODE) == FL_O_ACCMODE) {
            return Error::Invalid;
        }
        UserPath path;
        TRY(path.load(action.path));
        (void)child_.files->close(action.fd);           // POSIX: first
        uint32_t mode = action.mode & 07777 & ~child_.inherited.file_mode_mask;
        Ref<File> file = TRY(open_path(context(), path.text(), {.flags = action.flags | FL_O_NOCTTY, .mode = mode}));
        return child_.files->replace(action.fd, std::move(file), (action.flags & FL_O_CLOEXEC) != 0, limit_);
    }
    // Onto itself it stays open in the program.
    Result<> duplicate(int from, int to) {
        Ref<File> file = TRY(child_.files->get(from));
        if (from == to) {
            return child_.files->set_close_on_exec(to, false);
        }
        return child_.files->replace(to, std::move(file), false, limit_);
    }
    Result<> enter(Ref<Vnode> directory) NO_THREAD_SAFETY_ANALYSIS {
        TRY(check_may_enter(*directory, who_));
        child_.directory = std::move(directory);
        return {};
    }

    Proc& child_;
    const uint64_t limit_;
    const Identity who_;
};

}  // namespace

Result<> run_file_actions(Proc& child, const ForkloreSpawn& request) {
    ChildFiles files(child);
    for (uint64_t i = 0; i < request.action_count; ++i) {
        UserAddr at = UserAddr(request.actions) + i * sizeof(ForkloreSpawnAction);
        auto action = TRY(copy_in_value<ForkloreSpawnAction>(at));
        TRY(files.run(action));
    }
    return {};
}
