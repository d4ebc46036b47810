// Where a program without a slash in its name is looked for. No allocation: a vfork child may run this.
#pragma once

#include <stdlib.h>
#include <string.h>

#include "abi/forklore.h"

// Calls visit(path) for `file` in each directory of PATH, in order, until it returns true.
template <typename Visit>
void search_path(const char* file, Visit visit) {
    const char* path = getenv("PATH");
    if (path == nullptr) {
        path = "/bin";
    }
    const size_t length = strlen(file);
    for (const char* end;; path = end + 1) {
        end = strchrnul(path, ':');
        const size_t folder = static_cast<size_t>(end - path);
        char candidate[FORKLORE_PATH_MAX];
        if (folder + 1 + length < sizeof candidate) {
            memcpy(candidate, path, folder);
            candidate[folder] = '/';
            strcpy(candidate + (folder == 0 ? 0 : folder + 1), file);
            if (visit(static_cast<const char*>(candidate))) {
                return;
            }
        }
        if (*end == '\0') {
            return;
        }
    }
}
