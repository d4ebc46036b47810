// Process 1 is made like any other, but its first steps are the kernel's.
#include "kernel/entry/first_process.h"

#include "kernel/entry/trap.h"
#include "kernel/log.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/fork.h"
#include "kernel/sched.h"
#include "machine/power.h"

namespace {

constexpr const char* path = "/bin/init";

const char* reason(Error error) {
    switch (error) {
    case Error::NoEntry:
    case Error::NotDirectory:
        return "there is none in the initrd";
    case Error::NotExecutable:
        return "it is no program for this machine";
    case Error::AccessDenied:
        return "it may not be executed";
    case Error::NoMemory:
        return "there is not enough memory";
    default:
        return "it can not be loaded";
    }
}

[[noreturn]] void give_up(const char* what, const char* why, Error error) {
    log_set_quiet(false);
    log("init: {}: {} (errno {})", what, why, static_cast<int>(error));
    power::off(1);
}

void run_init(void*) {
    UserFrame& frame = cpu::current_thread()->user_frame();
    if (Result<> started = exec_first(frame, path); !started.ok()) {
        give_up("can not run /bin/init", reason(started.error()), started.error());
    }
    return_to_program(frame);
}

}  // namespace

void start_first_process() {
    before_first_return = look_at_return_work;
    if (Result<Pid> made = cloneproc_init(run_init, nullptr); !made.ok()) {
        give_up("the first process can not be made", made.error() == Error::NotImplemented ? "fork.cpp is not written yet" : "cloneproc_init fails",
                made.error());
    }
}
