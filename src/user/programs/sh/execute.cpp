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
#include "user/programs/sh/execute_kinds.h"
#include "user/programs/sh/launch.h"
#include "user/programs/sh/redirect.h"
#include "user/programs/sh/shell.h"
#include "user/programs/sh/variables.h"

namespace {

constexpr int not_found = 127;

int condition_depth = 0;        // set -e does not look at what is asked as a condition

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

int execute_condition(const Shared<Node>& node) {
    ++condition_depth;
    const int status = execute(node);
    --condition_depth;
    return status;
}

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
    if (node->kind == NodeKind::Pipeline && node->children.count() == 1 && node->redirections.empty()) {
        execute_and_exit(node->children[0]);        // a program in it takes this process over
    }
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
