// sh: reads commands from a terminal, a file, its standard input or -c, and runs them.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/programs/sh/execute.h"
#include "user/programs/sh/jobs.h"
#include "user/programs/sh/line_editor.h"
#include "user/programs/sh/parser.h"
#include "user/programs/sh/shell.h"
#include "user/programs/sh/variables.h"

Shell shell;
volatile int interrupted = 0;

void complain(const char* what, const char* why) {
    fflush(stdout);
    fprintf(stderr, "%s: %s: %s\n", shell.name.c_str(), what, why);
}

void complain_about(const char* what) { complain(what, strerror(errno)); }

namespace {

constexpr int syntax_error = 2;

void on_interrupt(int signal_number) { interrupted = signal_number; }

// Runs all lines of a text. Incomplete: more lines are wanted; nothing of the unfinished command has run.
ParseResult run_lines(const char* text) {
    Parser parser(text);
    for (;;) {
        Shared<Node> line;
        switch (const ParseResult result = parser.next_line(line)) {
        case ParseResult::Command:
            execute(line);
            if (shell.leaving != Leaving::Nothing || interrupted) {
                return ParseResult::End;
            }
            break;
        case ParseResult::Empty:
            break;
        case ParseResult::Error:
            complain("syntax", parser.message().c_str());
            shell.last_status = syntax_error;
            return result;
        default:
            return result;
        }
    }
}

bool read_all(int fd, String& text) {
    char piece[1024];
    ssize_t count = 0;
    while ((count = read(fd, piece, sizeof piece)) > 0) {
        text.append(piece, static_cast<int>(count));
    }
    return count == 0;
}

void talk() {
    signal(SIGINT, on_interrupt);
    signal(SIGTSTP, on_interrupt);
    constexpr int ignored[] = {SIGQUIT, SIGTTIN, SIGTTOU};
    for (const int signal_number : ignored) {
        signal(signal_number, SIG_IGN);
    }
    jobs::remember_terminal();
    String pending;
    while (shell.leaving != Leaving::Exit) {
        shell.leaving = Leaving::Nothing;
        jobs::report_changes();
        interrupted = 0;
        const char* prompt = variables::get("PS1");
        String line;
        const LineResult result = edit_line(pending.empty() ? prompt != nullptr ? prompt : "forklore# " : "> ", line);
        if (result == LineResult::End) {
            break;
        }
        if (result == LineResult::Interrupted) {
            pending.clear();
            shell.last_status = 128 + SIGINT;
            continue;
        }
        pending.append(line);
        pending.add('\n');
        // A line is looked at whole before any of it runs, so that an unfinished one can go on.
        Parser look(pending.c_str());
        Shared<Node> node;
        ParseResult whole = ParseResult::Empty;
        while ((whole = look.next_line(node)) == ParseResult::Command || whole == ParseResult::Empty) {
        }
        if (whole == ParseResult::Incomplete) {
            continue;
        }
        const String text = moved(pending);
        pending.clear();
        run_lines(text.c_str());
        if (interrupted) {
            shell.last_status = 128 + interrupted;
        }
    }
}

constexpr const char* usage = "usage: sh [-eilx] [-c command | script] [arguments]\n";

}  // namespace

int run_text(const char* text) {
    if (run_lines(text) == ParseResult::Incomplete) {
        complain("syntax", "the text ends in the middle of a command");
        shell.last_status = syntax_error;
    }
    return shell.last_status;
}

bool run_file(const char* path) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    String text;
    if (fd < 0 || !read_all(fd, text)) {
        return false;
    }
    close(fd);
    run_text(text.c_str());
    return true;
}

int main(int argc, char** argv) {
    shell.pid = getpid();
    variables::take_environment(environ);
    int next = 1;
    const char* command = nullptr;
    for (; next < argc && argv[next][0] == '-'; ++next) {
        if (strcmp(argv[next], "-c") == 0 && next + 1 < argc) {
            command = argv[++next];
        } else if (strcmp(argv[next], "-e") == 0) {
            shell.stop_on_error = true;
        } else if (strcmp(argv[next], "-x") == 0) {
            shell.trace = true;
        } else if (strcmp(argv[next], "-i") == 0 || strcmp(argv[next], "-l") == 0) {
            // It talks to a terminal whenever there is one.
        } else {
            fputs(usage, strcmp(argv[next], "--help") == 0 ? stdout : stderr);
            return strcmp(argv[next], "--help") == 0 ? 0 : syntax_error;
        }
    }
    const char* script = command == nullptr && next < argc ? argv[next++] : nullptr;
    if (command != nullptr && next < argc) {
        shell.name = argv[next++];      // $0 of -c
    }
    for (; next < argc; ++next) {
        variables::arguments.add(argv[next]);
    }
    if (command != nullptr) {
        run_text(command);
    } else if (script != nullptr) {
        shell.name = script;
        if (!run_file(script)) {
            shell.name = "sh";
            complain_about(script);
            return 127;
        }
    } else if (isatty(STDIN_FILENO)) {
        shell.interactive = true;
        talk();
    } else {
        String text;
        read_all(STDIN_FILENO, text);
        run_text(text.c_str());
    }
    fflush(stdout);
    return shell.last_status;
}
