// Redirections: open, move to the wanted number, remember what was there.
#include "user/programs/sh/redirect.h"

#include <fcntl.h>
#include <unistd.h>

#include "user/programs/sh/expand.h"
#include "user/programs/sh/shell.h"

namespace {

constexpr int first_hidden = 20;    // saved descriptors live from here on

int open_flags(RedirectionKind kind) {
    switch (kind) {
    case RedirectionKind::Write: return O_WRONLY | O_CREAT | O_TRUNC;
    case RedirectionKind::Append: return O_WRONLY | O_CREAT | O_APPEND;
    case RedirectionKind::ReadWrite: return O_RDWR | O_CREAT;
    default: return O_RDONLY;
    }
}

// A file without a name that holds the text, opened at its beginning.
int open_text(const String& text) {
    String name = "/tmp/.here-";
    name.append(number_text(getpid()));
    const int out = open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (out < 0) {
        complain_about("here-text");
        return -1;
    }
    const bool whole = write(out, text.c_str(), static_cast<size_t>(text.length())) == text.length();
    close(out);
    const int in = whole ? open(name.c_str(), O_RDONLY) : -1;
    unlink(name.c_str());
    if (in < 0) {
        complain_about("here-text");
    }
    return in;
}

}  // namespace

Redirections::~Redirections() {
    for (int i = saved_.count() - 1; i >= 0; --i) {
        if (saved_[i].copy < 0) {
            close(saved_[i].fd);
        } else {
            dup2(saved_[i].copy, saved_[i].fd);
            close(saved_[i].copy);
        }
    }
}

void Redirections::keep() {
    for (Saved& saved : saved_) {
        if (saved.copy >= 0) {
            close(saved.copy);
        }
    }
    saved_.clear();
}

void Redirections::save(int fd) { saved_.add({fd, fcntl(fd, F_DUPFD_CLOEXEC, first_hidden)}); }

bool Redirections::apply(const List<Redirection>& list, bool saving) {
    for (const Redirection& redirection : list) {
        if (!apply_one(redirection, saving)) {
            return false;
        }
    }
    return true;
}

bool Redirections::apply_one(const Redirection& redirection, bool saving) {
    String word;
    int from = -1;
    if (redirection.kind == RedirectionKind::Here) {
        String text = redirection.here->text;
        if (redirection.here->expands && !expand::here_text(redirection.here->text, text)) {
            return false;
        }
        from = open_text(text);
    } else if (!expand::single(redirection.word, word)) {
        return false;
    } else if (redirection.kind == RedirectionKind::Duplicate) {
        long number = 0;
        if (saving) {
            save(redirection.fd);
        }
        if (word.equals("-")) {
            close(redirection.fd);
            return true;
        }
        if (!parse_number(word.c_str(), number) || dup2(static_cast<int>(number), redirection.fd) < 0) {
            complain(word.c_str(), "bad descriptor");
            return false;
        }
        return true;
    } else {
        from = open(word.c_str(), open_flags(redirection.kind), 0666);
        if (from < 0) {
            complain_about(word.c_str());
        }
    }
    if (from < 0) {
        return false;
    }
    if (saving) {
        save(redirection.fd);
    }
    if (from != redirection.fd) {
        dup2(from, redirection.fd);
        close(from);
    }
    return true;
}
