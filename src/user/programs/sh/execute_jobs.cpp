// The executor's processes: pipelines, background, subshells, captured output.
#include <stdio.h>
#include <unistd.h>

#include "user/programs/sh/execute.h"
#include "user/programs/sh/execute_kinds.h"
#include "user/programs/sh/jobs.h"
#include "user/programs/sh/launch.h"
#include "user/programs/sh/shell.h"

int captured_status = 0;

int run_pipeline(const Node& node) {
    if (node.children.count() == 1) {
        return execute(node.children[0]);       // in the shell itself: it may change it
    }
    Launch launch(Launch::Where::Foreground);
    int input = -1;
    for (int i = 0; i < node.children.count(); ++i) {
        const bool last = i + 1 == node.children.count();
        int ends[2] = {-1, -1};
        if (!last && pipe(ends) < 0) {
            complain_about("cannot make a pipe");
            break;
        }
        const pid_t child = launch.fork();
        if (child == 0) {
            if (input >= 0) {
                dup2(input, STDIN_FILENO);
                close(input);
            }
            if (!last) {
                dup2(ends[1], STDOUT_FILENO);
                close(ends[0]);
                close(ends[1]);
            }
            execute_and_exit(node.children[i]);
        }
        if (input >= 0) {
            close(input);
        }
        if (!last) {
            close(ends[1]);
        }
        input = ends[0];
        if (child < 0) {
            break;
        }
    }
    const bool whole = launch.children().count() == node.children.count();
    if (!whole && input >= 0) {
        close(input);
    }
    const int status = launch.wait(node.text.empty() ? "pipeline" : node.text.c_str());
    return whole ? status : cannot_execute;
}

int run_background(const Node& node) {
    Launch launch(Launch::Where::Background);
    const pid_t child = launch.fork();
    if (child == 0) {
        execute_and_exit(node.children[0]);
    }
    if (child < 0) {
        return cannot_execute;
    }
    jobs::add_background(launch.children(), node.text.empty() ? "background" : node.text.c_str());
    return 0;
}

int run_subshell(const Node& node) {
    Launch launch(Launch::Where::Foreground);
    if (launch.fork() == 0) {
        execute_and_exit(node.children[0]);
    }
    return launch.wait("subshell");
}

bool capture_output(const char* command, String& output) {
    int ends[2];
    if (pipe(ends) < 0) {
        complain_about("cannot make a pipe");
        return false;
    }
    fflush(stdout);
    const pid_t child = fork();
    if (child < 0) {
        complain_about("cannot fork");
        close(ends[0]);
        close(ends[1]);
        return false;
    }
    if (child == 0) {
        shell.interactive = false;
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        const int status = run_text(command);
        fflush(stdout);
        _exit(status);
    }
    close(ends[1]);
    char piece[512];
    for (ssize_t count; (count = read(ends[0], piece, sizeof piece)) > 0;) {
        output.append(piece, static_cast<int>(count));
    }
    close(ends[0]);
    shell.last_status = captured_status = jobs::wait_helper(child);
    while (!output.empty() && output[output.length() - 1] == '\n') {
        output.cut(output.length() - 1);
    }
    return true;
}
