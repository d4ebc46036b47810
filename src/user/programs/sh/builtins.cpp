// The built-in commands. Each gets its words and gives $?.
#include "user/programs/sh/builtins.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/programs/sh/builtin_kinds.h"
#include "user/programs/sh/execute.h"
#include "user/programs/sh/shell.h"
#include "user/programs/sh/variables.h"

namespace {

const char* argument(const List<String>& words, int i) { return i < words.count() ? words[i].c_str() : nullptr; }

long number_argument(const List<String>& words, int i, long otherwise) {
    long value = otherwise;
    if (i < words.count() && !parse_number(words[i].c_str(), value)) {
        complain(words[0].c_str(), "a number is wanted");
    }
    return value;
}

int do_colon(const List<String>&) { return 0; }
int do_false(const List<String>&) { return 1; }

int do_cd(const List<String>& words) {
    const char* to = argument(words, 1);
    if (to == nullptr) {
        to = variables::get("HOME");
    }
    if (to == nullptr || chdir(to) < 0) {
        complain_about(to != nullptr ? to : "cd");
        return 1;
    }
    char path[1024];
    if (getcwd(path, sizeof path) != nullptr) {
        variables::set("PWD", path);
    }
    return 0;
}

int leave(const List<String>& words, Leaving how) {
    shell.last_status = static_cast<int>(number_argument(words, 1, shell.last_status)) & 0xff;
    shell.leaving = how;
    return shell.last_status;
}
int do_exit(const List<String>& words) { return leave(words, Leaving::Exit); }
int do_return(const List<String>& words) { return leave(words, Leaving::Return); }

int leave_loop(const List<String>& words, Leaving how) {
    if (shell.loop_depth == 0) {
        complain(words[0].c_str(), "not in a loop");
        return 1;
    }
    const long levels = number_argument(words, 1, 1);
    shell.levels_to_leave = levels < 1 ? 1 : static_cast<int>(levels);
    shell.leaving = how;
    return 0;
}
int do_break(const List<String>& words) { return leave_loop(words, Leaving::Break); }
int do_continue(const List<String>& words) { return leave_loop(words, Leaving::Continue); }

int do_export(const List<String>& words) {
    if (words.count() == 1) {
        for (const String& entry : variables::list(true)) {
            printf("export %s\n", entry.c_str());
        }
    }
    for (int i = 1; i < words.count(); ++i) {
        const char* equals = strchr(words[i].c_str(), '=');
        const String name = equals != nullptr ? words[i].part(0, static_cast<int>(equals - words[i].c_str())) : words[i];
        if (!variables::is_name(name.c_str())) {
            complain(words[i].c_str(), "not a name");
            return 1;
        }
        if (equals != nullptr) {
            variables::assign(words[i].c_str());
        }
        variables::export_name(name.c_str());
    }
    return 0;
}

int do_unset(const List<String>& words) {
    for (int i = 1; i < words.count(); ++i) {
        variables::unset(words[i].c_str());
        variables::undefine_function(words[i].c_str());
    }
    return 0;
}

int do_set(const List<String>& words) {
    if (words.count() == 1) {
        for (const String& entry : variables::list(false)) {
            printf("%s\n", entry.c_str());
        }
        return 0;
    }
    int i = 1;
    for (; i < words.count() && (words[i][0] == '-' || words[i][0] == '+') && !words[i].equals("--"); ++i) {
        const bool on = words[i][0] == '-';
        for (int at = 1; at < words[i].length(); ++at) {
            if (words[i][at] == 'e') {
                shell.stop_on_error = on;
            } else if (words[i][at] == 'x') {
                shell.trace = on;
            } else {
                complain(words[i].c_str(), "only -e and -x are known");
                return 1;
            }
        }
    }
    if (i < words.count()) {
        i += words[i].equals("--") ? 1 : 0;
        List<String> arguments;
        for (; i < words.count(); ++i) {
            arguments.add(words[i]);
        }
        variables::arguments = moved(arguments);
    }
    return 0;
}

int do_shift(const List<String>& words) {
    const long count = number_argument(words, 1, 1);
    if (count < 0 || count > variables::arguments.count()) {
        return 1;
    }
    for (long i = 0; i < count; ++i) {
        variables::arguments.remove(0);
    }
    return 0;
}

int do_umask(const List<String>& words) {
    if (words.count() == 1) {
        const mode_t mask = umask(0);
        umask(mask);
        printf("%04o\n", static_cast<unsigned>(mask));
        return 0;
    }
    umask(static_cast<mode_t>(strtol(words[1].c_str(), nullptr, 8)));
    return 0;
}

int do_exec(const List<String>& words) {
    if (words.count() == 1) {
        return 0;
    }
    List<String> rest;
    for (int i = 1; i < words.count(); ++i) {
        rest.add(words[i]);
    }
    execute_program(rest, {});
}

int do_source(const List<String>& words) {
    if (words.count() < 2 || !run_file(words[1].c_str())) {
        complain_about(words.count() < 2 ? "." : words[1].c_str());
        return 1;
    }
    return shell.last_status;
}

int do_eval(const List<String>& words) {
    String text;
    for (int i = 1; i < words.count(); ++i) {
        text.append(words[i]);
        text.add(' ');
    }
    return run_text(text.c_str());
}

int do_read(const List<String>& words) {
    String line;
    char character = 0;
    ssize_t got = 0;
    while ((got = ::read(STDIN_FILENO, &character, 1)) == 1 && character != '\n') {
        line.add(character);
    }
    const char* rest = line.c_str();
    for (int i = 1; i < words.count(); ++i) {
        rest += strspn(rest, " \t");
        const int length = static_cast<int>(i + 1 < words.count() ? strcspn(rest, " \t") : strlen(rest));
        variables::set(words[i].c_str(), String(rest, length).c_str());
        rest += length;
    }
    return got == 1 ? 0 : 1;
}

int do_ulimit(const List<String>& words) {
    const char* which = argument(words, 1);
    struct Kind {
        char letter;
        int resource;
        long unit;
    };
    static constexpr Kind kinds[] = {{'u', RLIMIT_NPROC, 1}, {'n', RLIMIT_NOFILE, 1}, {'v', RLIMIT_AS, 1024},
                                     {'s', RLIMIT_STACK, 1024}, {'f', RLIMIT_FSIZE, 512}};
    for (const Kind& kind : kinds) {
        if (which == nullptr || which[0] != '-' || which[1] != kind.letter) {
            continue;
        }
        struct rlimit limit;
        getrlimit(kind.resource, &limit);
        if (words.count() > 2) {
            const bool unlimited = words[2].equals("unlimited");
            limit.rlim_cur = unlimited ? RLIM_INFINITY : static_cast<rlim_t>(number_argument(words, 2, 0) * kind.unit);
            if (setrlimit(kind.resource, &limit) < 0) {
                complain_about("ulimit");
                return 1;
            }
        } else if (limit.rlim_cur == RLIM_INFINITY) {
            printf("unlimited\n");
        } else {
            printf("%ld\n", static_cast<long>(limit.rlim_cur) / kind.unit);
        }
        return 0;
    }
    complain("ulimit", "-u, -n, -v, -s or -f, and a number");
    return 2;
}

struct Entry {
    const char* name;
    Builtin run;
};
constexpr Entry entries[] = {
    {":", do_colon},       {"true", do_colon},         {"false", do_false},   {"cd", do_cd},
    {"exit", do_exit},     {"return", do_return},      {"break", do_break},   {"continue", do_continue},
    {"export", do_export}, {"unset", do_unset},        {"set", do_set},       {"shift", do_shift},
    {"wait", do_wait},     {"jobs", do_jobs},          {"fg", do_fg},         {"bg", do_bg},
    {"kill", do_kill},     {"umask", do_umask},        {"exec", do_exec},
    {".", do_source},      {"source", do_source},      {"eval", do_eval},     {"read", do_read},
    {"ulimit", do_ulimit}, {"test", do_test},          {"[", do_test},
};

}  // namespace

Builtin find_builtin(const char* name) {
    for (const Entry& entry : entries) {
        if (strcmp(entry.name, name) == 0) {
            return entry.run;
        }
    }
    return nullptr;
}

void each_builtin(void (*visit)(const char* name, void* context), void* context) {
    for (const Entry& entry : entries) {
        visit(entry.name, context);
    }
}
