// The executor's if, while, until, for and case.
#include "user/programs/sh/execute.h"
#include "user/programs/sh/execute_kinds.h"
#include "user/programs/sh/expand.h"
#include "user/programs/sh/pattern.h"
#include "user/programs/sh/shell.h"
#include "user/programs/sh/variables.h"

namespace {

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

}  // namespace

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
