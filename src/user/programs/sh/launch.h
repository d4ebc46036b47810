// Launch: a job in the making. With a terminal, its processes wait at a gate until all of them are there and the terminal
// is theirs: Ctrl-C and Ctrl-Z, also typed ahead, find the whole job or none of it, and no process reads what was not for it.
#pragma once

#include <sys/types.h>

#include "user/programs/sh/text.h"

class Launch {
public:
    enum class Where { Foreground, Background };
    explicit Launch(Where where);
    ~Launch() { go(); }
    Launch(const Launch&) = delete;

    // A copy of this shell that is the job, or a part of it. 0 in the child, when the gate is open; -1 after a complaint.
    pid_t fork();
    // Opens the gate.
    void go();
    // Opens the gate and waits; $? of the last process, or 126 without any. `text` is what the user calls the job.
    int wait(const char* text);

    const List<pid_t>& children() const { return children_; }

private:
    pid_t make_process();
    void wait_at_gate();

    Where where_;
    List<pid_t> children_;
    int gate_[2] = {-1, -1};
    bool gone_ = false;
};
