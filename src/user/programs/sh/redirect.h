// Redirections of one command, undone at the end of its scope unless kept.
#pragma once

#include "user/programs/sh/node.h"

class Redirections {
public:
    Redirections() = default;
    ~Redirections();
    Redirections(const Redirections&) = delete;
    Redirections& operator=(const Redirections&) = delete;

    // In order; false after a complaint. `saving`: what is replaced comes back later.
    bool apply(const List<Redirection>& list, bool saving);
    void keep();            // exec: they stay

private:
    struct Saved {
        int fd, copy;       // copy -1: was closed
    };
    bool apply_one(const Redirection& redirection, bool saving);
    void save(int fd);

    List<Saved> saved_;
};
