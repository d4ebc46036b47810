// What the parser makes and the executor runs: a tree of commands. Words stay as they were typed; they are expanded
// when their command runs.
#pragma once

#include "user/programs/sh/text.h"

enum class RedirectionKind { Read, Write, Append, ReadWrite, Duplicate, Here };

// `<< mark`: the lines up to one that is the mark.
struct HereText {
    int references = 0;
    String mark, text;
    bool expands = true;    // the mark was not quoted
};

struct Redirection {
    int fd;                 // that is changed
    RedirectionKind kind;
    String word;            // a path, the other descriptor's number or "-"
    Shared<HereText> here;
};

enum class NodeKind {
    Simple,         // words, assignments
    Pipeline,       // children, one after the other
    And,            // children[0] && children[1]
    Or,             // children[0] || children[1]
    Not,            // ! children[0]
    Sequence,       // children, in order
    Background,     // children[0] &
    If,             // condition, consequence, condition, consequence, ..., else
    While,          // condition, body
    Until,
    For,            // words[0] is the variable; in words[1...]; body
    Case,           // words[0] in; arms: patterns, and children in step
    Group,          // { children[0]; }
    Subshell,       // ( children[0] )
    Function        // words[0] () children[0]
};

struct Node {
    explicit Node(NodeKind node_kind) : kind(node_kind) {}

    int references = 0;
    NodeKind kind;
    bool over_arguments = false;    // For without `in`: over "$@"
    List<String> words;
    List<String> assignments;
    List<List<String>> patterns;
    List<Redirection> redirections;
    List<Shared<Node>> children;
    String text;                    // as typed, for `jobs`
};
