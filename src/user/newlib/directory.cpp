// Directory streams over getdents.
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/newlib/system_call.h"

struct DirectoryStream {
    int fd;
    long filled;    // bytes of `records` that the kernel filled
    long next;      // offset of the next one
    struct dirent entry;
    alignas(8) char records[2048];
};

extern "C" {

DIR* fdopendir(int fd) {
    DIR* stream = static_cast<DIR*>(malloc(sizeof(DIR)));
    if (stream != nullptr) {
        stream->fd = fd;
        stream->filled = stream->next = 0;
    }
    return stream;
}

DIR* opendir(const char* path) {
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1) {
        return nullptr;
    }
    DIR* stream = fdopendir(fd);
    if (stream == nullptr) {
        close(fd);
    }
    return stream;
}

struct dirent* readdir(DIR* stream) {
    if (stream->next >= stream->filled) {
        stream->next = 0;
        stream->filled = posix<long>(system_call(SYS_getdents, stream->fd, stream->records, sizeof stream->records));
        if (stream->filled <= 0) {
            stream->filled = 0;
            return nullptr;
        }
    }
    const auto* record = reinterpret_cast<const ForkloreDirent*>(stream->records + stream->next);
    stream->next += record->length;
    stream->entry.d_ino = record->inode;
    stream->entry.d_type = record->type;
    strlcpy(stream->entry.d_name, record->name, sizeof stream->entry.d_name);
    return &stream->entry;
}

void rewinddir(DIR* stream) {
    lseek(stream->fd, 0, SEEK_SET);
    stream->filled = stream->next = 0;
}

int dirfd(DIR* stream) { return stream->fd; }

int closedir(DIR* stream) {
    const int fd = stream->fd;
    free(stream);
    return close(fd);
}

int alphasort(const struct dirent** a, const struct dirent** b) { return strcmp((*a)->d_name, (*b)->d_name); }

int scandir(const char* path, struct dirent*** result, int (*wanted)(const struct dirent*),
            int (*compare)(const struct dirent**, const struct dirent**)) {
    DIR* stream = opendir(path);
    if (stream == nullptr) {
        return -1;
    }
    struct dirent** list = nullptr;
    int count = 0;
    bool exhausted = false;
    while (const struct dirent* entry = readdir(stream)) {
        if (wanted != nullptr && !wanted(entry)) {
            continue;
        }
        auto** longer = static_cast<struct dirent**>(realloc(list, (count + 1) * sizeof *list));
        auto* copy = static_cast<struct dirent*>(malloc(sizeof *entry));
        list = longer != nullptr ? longer : list;
        if (longer == nullptr || copy == nullptr) {
            free(copy);
            exhausted = true;
            break;
        }
        *copy = *entry;
        list[count++] = copy;
    }
    closedir(stream);
    if (exhausted) {
        while (count > 0) {
            free(list[--count]);
        }
        free(list);
        return fail(ENOMEM);
    }
    if (compare != nullptr && count > 1) {
        qsort(list, count, sizeof *list, reinterpret_cast<int (*)(const void*, const void*)>(compare));
    }
    *result = list;
    return count;
}

}  // extern "C"
