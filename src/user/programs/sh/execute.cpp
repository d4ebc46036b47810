// The executor: one function a kind of node.
#include "user/programs/sh/execute.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/programs/sh/builtins.h"
#include "user/programs/sh/expand.h"
#include "user/programs/sh/jobs.h"
#include "user/programs/sh/launch.h"
#include "user/programs/sh/pattern.h"
#include "user/programs/sh/redirect.h"
#include "user/programs/sh/shell.h"
#include "user/programs/sh/variables.h"

namespace {

constexpr int cannot_execute = 126;
constexpr int not_found = 127;

int condition_depth = 0;        // set -e does not look at what is asked as a condition
int captured_status = 0;        // of the last $(...) of a command that is only assignments

int execute_condition(const Shared<Node>& node) {
    ++condition_depth;
    const int status = execute(node);
    --condition_depth;
    return status;
}

// The path of a command: itself if it has a slash, else in $PATH; empty if there is none.
String find_program(const char* name) {
    if (strchr(name, '/') != nullptr) {
        return name;
    }
    const char* path = variables::get("PATH");
    for (const char* part = path != nullptr ? path : "/bin"; part != nullptr;) {
        const char* colon = strchr(part, ':');
        String candidate(part, static_cast<int>(colon != nullptr ? colon - part : static_cast<long>(strlen(part))));
        candidate.append("/");
        candidate.append(name);
        if (access(candidate.c_str(), X_OK) == 0) {
            return candidate;
        }
        part = colon != nullptr ? colon + 1 : nullptr;
    }
    return {};
}

bool assign_all(const List<String>& assignments, List<String>* values) {
    for (const String& assignment : assignments) {
        const char* equals = strchr(assignment.c_str(), '=');
        const int name_length = static_cast<int>(equals - assignment.c_str()) + 1;
        String value;
        if (!expand::single(assignment.part(name_length, assignment.length() - name_length), value)) {
            return false;
        }
        String whole = assignment.part(0, name_length);
        whole.append(value);
        if (values != nullptr) {
            values->add(whole);
        } else {
            variables::assign(whole.c_str());
        }
    }
    return true;
}

int call_function(const Shared<Node>& body, const List<String>& words) {
    List<String> saved = moved(variables::arguments);
    variables::arguments.clear();
    for (int i = 1; i < words.count(); ++i) {
        variables::arguments.add(words[i]);
    }
    ++shell.call_depth;
    int status = execute(body);
    --shell.call_depth;
    if (shell.leaving == Leaving::Return) {
        shell.leaving = Leaving::Nothing;
        status = shell.last_status;
    }
    variables::arguments = moved(saved);
    return status;
}

// A command whose words are expanded already.
int run_words(const Node& node, const List<String>& words) {
    if (shell.trace && !words.empty()) {
        fprintf(stderr, "+");
        for (const String& word : words) {
            fprintf(stderr, " %s", word.c_str());
        }
        fprintf(stderr, "\n");
    }
    const Shared<Node> function = words.empty() ? Shared<Node>() : variables::find_function(words[0].c_str());
    const Builtin builtin = words.empty() ? nullptr : find_builtin(words[0].c_str());
    if (words.empty() || function || builtin != nullptr) {
        Redirections redirections;
        captured_status = 0;
        if (!redirections.apply(node.redirections, true) || !assign_all(node.assignments, nullptr)) {
            return 1;
        }
        if (words.empty()) {
            return captured_status;
        }
        if (!function && words[0].equals("exec")) {
            redirections.keep();
        }
        const int status = function ? call_function(function, words) : builtin(words);
        fflush(stdout);
        return status;
    }
    Launch launch(Launch::Where::Foreground);
    if (launch.fork() == 0) {
        Redirections redirections;
        List<String> environment;
        if (!redirections.apply(node.redirections, false) || !assign_all(node.assignments, &environment)) {
            _exit(1);
        }
        execute_program(words, environment);
    }
    return launch.wait(words[0].c_str());
}

int run_simple(const Node& node) {
    List<String> words;
    return expand::words(node.words, words) ? run_words(node, words) : 1;
}

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

int run_sequence(const Node& node) {
    int status = 0;
    for (const Shared<Node>& child : node.children) {
        status = execute(child);
        if (shell.leaving != Leaving::Nothing || interrupted) {
            break;
        }
    }
    return status;
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
    jobs::add_background(child, node.text.empty() ? "background" : node.text.c_str());
    return 0;
}

int run_if(const Node& node) {
    int i = 0;
    for (; i + 1 < node.children.count(); i += 2) {
        const int status = execute_condition(node.children[i]);
        if (shell.leaving != Leaving::Nothing) {
            return status;
        }
        if (status == 0) {
            return execute(node.children[i + 1]);
        }
    }
    return i < node.children.count() ? execute(node.children[i]) : 0;
}

// After a loop's body: whether the loop ends.
bool loop_ends() {
    if (interrupted) {
        return true;
    }
    if (shell.leaving != Leaving::Break && shell.leaving != Leaving::Continue) {
        return shell.leaving != Leaving::Nothing;
    }
    if (--shell.levels_to_leave > 0) {
        return true;
    }
    const bool ends = shell.leaving == Leaving::Break;
    shell.leaving = Leaving::Nothing;
    return ends;
}

int run_while(const Node& node, bool wanted) {
    int status = 0;
    ++shell.loop_depth;
    while (!interrupted && (execute_condition(node.children[0]) == 0) == wanted && shell.leaving == Leaving::Nothing) {
        status = execute(node.children[1]);
        if (loop_ends()) {
            break;
        }
    }
    --shell.loop_depth;
    return status;
}

int run_for(const Node& node) {
    List<String> items;
    if (node.over_arguments) {
        items = variables::arguments;
    } else {
        List<String> raw;
        for (int i = 1; i < node.words.count(); ++i) {
            raw.add(node.words[i]);
        }
        if (!expand::words(raw, items)) {
            return 1;
        }
    }
    int status = 0;
    ++shell.loop_depth;
    for (const String& item : items) {
        variables::set(node.words[0].c_str(), item.c_str());
        status = execute(node.children[0]);
        if (loop_ends()) {
            break;
        }
    }
    --shell.loop_depth;
    return status;
}

int run_case(const Node& node) {
    String word;
    if (!expand::single(node.words[0], word)) {
        return 1;
    }
    for (int arm = 0; arm < node.patterns.count(); ++arm) {
        for (const String& raw : node.patterns[arm]) {
            String pattern;
            if (!expand::pattern(raw, pattern)) {
                return 1;
            }
            if (pattern_matches(pattern.c_str(), word.c_str())) {
                return execute(node.children[arm]);
            }
        }
    }
    return 0;
}

int run_subshell(const Node& node) {
    Launch launch(Launch::Where::Foreground);
    if (launch.fork() == 0) {
        execute_and_exit(node.children[0]);
    }
    return launch.wait("subshell");
}

int run_compound(const Shared<Node>& node) {
    switch (node->kind) {
    case NodeKind::Pipeline: return run_pipeline(*node);
    case NodeKind::Sequence: return run_sequence(*node);
    case NodeKind::Background: return run_background(*node);
    case NodeKind::If: return run_if(*node);
    case NodeKind::While: return run_while(*node, true);
    case NodeKind::Until: return run_while(*node, false);
    case NodeKind::For: return run_for(*node);
    case NodeKind::Case: return run_case(*node);
    case NodeKind::Group: return execute(node->children[0]);
    case NodeKind::Subshell: return run_subshell(*node);
    case NodeKind::Function:
        variables::define_function(node->words[0].c_str(), node->children[0]);
        return 0;
    case NodeKind::Not: return execute_condition(node->children[0]) == 0 ? 1 : 0;
    case NodeKind::And: {
        const int status = execute_condition(node->children[0]);
        return status == 0 && shell.leaving == Leaving::Nothing ? execute(node->children[1]) : status;
    }
    case NodeKind::Or: {
        const int status = execute_condition(node->children[0]);
        return status != 0 && shell.leaving == Leaving::Nothing ? execute(node->children[1]) : status;
    }
    case NodeKind::Simple: break;
    }
    return run_simple(*node);
}

}  // namespace

int execute(const Shared<Node>& node) {
    if (!node) {
        return shell.last_status = 0;
    }
    Redirections redirections;
    const bool simple = node->kind == NodeKind::Simple;
    int status = 1;
    if (simple || redirections.apply(node->redirections, true)) {
        status = run_compound(node);
    }
    if (shell.leaving != Leaving::Exit && shell.leaving != Leaving::Return) {
        shell.last_status = status;
    }
    const bool checked = simple || node->kind == NodeKind::Subshell || node->kind == NodeKind::Pipeline;
    if (checked && status != 0 && shell.stop_on_error && condition_depth == 0 && shell.leaving == Leaving::Nothing) {
        shell.leaving = Leaving::Exit;
    }
    return status;
}

void execute_and_exit(const Shared<Node>& node) {
    int status = 1;
    List<String> words, environment;
    if (node->kind != NodeKind::Simple) {
        status = execute(node);
    } else if (expand::words(node->words, words)) {
        if (!words.empty() && find_builtin(words[0].c_str()) == nullptr &&
            !variables::find_function(words[0].c_str())) {
            // A program needs no further process.
            Redirections redirections;
            if (!redirections.apply(node->redirections, false) || !assign_all(node->assignments, &environment)) {
                _exit(1);
            }
            execute_program(words, environment);
        }
        status = run_words(*node, words);
    }
    fflush(stdout);
    _exit(shell.leaving == Leaving::Exit ? shell.last_status : status);
}

void execute_program(const List<String>& words, const List<String>& assignments) {
    const String path = find_program(words[0].c_str());
    if (path.empty()) {
        complain(words[0].c_str(), "not found");
        _exit(not_found);
    }
    List<char*> pointers;
    for (const String& word : words) {
        pointers.add(const_cast<char*>(word.c_str()));
    }
    pointers.add(nullptr);
    variables::Environment environment(assignments);
    execve(path.c_str(), pointers.begin(), environment.vector());
    const int error = errno;
    complain_about(words[0].c_str());
    _exit(error == ENOENT ? not_found : cannot_execute);
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
