// Descriptors: taking, filling, looking up, giving back.
#include "kernel/fs/file_table.h"

#include <algorithm>
#include <bit>

#include "base/failpoint.h"

Zone& FileTable::zone() {
    static Zone& zone = zone_create({.name = "file_table", .element_size = sizeof(FileTable)}).value();
    return zone;
}

Zone& FileTable::More::zone() {
    static Zone& zone = zone_create({.name = "file_table_more", .element_size = sizeof(More)}).value();
    return zone;
}

void FileTable::make_zones() {
    FileTable::zone();
    More::zone();
}

namespace {

bool bit(const uint64_t* words, unsigned i) { return (words[i / 64] >> (i % 64)) & 1; }
void set_bit(uint64_t* words, unsigned i, bool on) {
    uint64_t mask = uint64_t{1} << (i % 64);
    words[i / 64] = on ? words[i / 64] | mask : words[i / 64] & ~mask;
}

void drop(File* file) {
    if (file != nullptr) {
        (void)Ref<File>::adopt(*file);
    }
}

}  // namespace

Result<ZoneOwned<FileTable>> FileTable::create() { return zone_new<FileTable>({}); }

FileTable::~FileTable() {
    close_all();
    SpinGuard guard(lock_);
    if (more_ != nullptr) {
        zfree(More::zone(), more_);
    }
}

File** FileTable::slot_locked(int fd) {
    auto at = static_cast<unsigned>(fd);
    if (at < inline_count) {
        return &files_[at];
    }
    return more_ != nullptr ? &more_->files[at - inline_count] : nullptr;
}

// For the only thread that knows the table, or under the lock.
File* FileTable::file_at(int fd) const {
    auto at = static_cast<unsigned>(fd);
    if (at < inline_count) {
        return files_[at];
    }
    return at < capacity && more_ != nullptr ? more_->files[at - inline_count] : nullptr;
}

Result<FileUse> FileTable::use(int fd) {
    if (!shared_.load(std::memory_order_relaxed)) [[likely]] {
        File* file = file_at(fd);
        return file != nullptr ? Result<FileUse>(FileUse(*file, false)) : Error::BadDescriptor;
    }
    SpinGuard guard(lock_);
    File* file = file_at(fd);
    if (file == nullptr) {
        return Error::BadDescriptor;
    }
    file->ref();
    return FileUse(*file, true);
}

Result<Ref<File>> FileTable::get(int fd) {
    SpinGuard guard(lock_);
    File* file = file_at(fd);
    if (file == nullptr) {
        return Error::BadDescriptor;
    }
    return Ref<File>::share(*file);
}

int FileTable::lowest_free_locked(unsigned from) const {
    for (unsigned word = from / 64; word < word_count; ++word) {
        uint64_t free = ~used_[word];
        if (word == from / 64) {
            free &= ~uint64_t{0} << (from % 64);
        }
        if (free != 0) {
            return static_cast<int>(word * 64 + static_cast<unsigned>(std::countr_zero(free)));
        }
    }
    return capacity;
}

// Memory for the slot of `fd`.
Result<> FileTable::make_room(int fd) {
    if (static_cast<unsigned>(fd) < inline_count) {
        return {};
    }
    {
        SpinGuard guard(lock_);
        if (more_ != nullptr) {
            return {};
        }
    }
    auto* fresh = static_cast<More*>(TRY(zalloc(More::zone(), {.zero = true})));
    {
        SpinGuard guard(lock_);
        if (more_ == nullptr) {
            more_ = std::exchange(fresh, nullptr);
        }
    }
    if (fresh != nullptr) {
        zfree(More::zone(), fresh);
    }
    return {};
}

Result<FileTable::Reservation> FileTable::reserve(uint64_t limit, int from) {
    if (failpoint::should_fail()) {
        return Error::TooManyFiles;
    }
    int end = static_cast<int>(std::min<uint64_t>(limit, capacity));
    if (from < 0 || (from > 0 && from >= end)) {
        return Error::Invalid;
    }
    for (;;) {
        int fd;
        {
            SpinGuard guard(lock_);
            fd = lowest_free_locked(static_cast<unsigned>(from));
            if (fd >= end) {
                return Error::TooManyFiles;
            }
            if (slot_locked(fd) != nullptr) {
                set_bit(used_, static_cast<unsigned>(fd), true);
                return Reservation(*this, fd);
            }
        }
        TRY(make_room(fd));
    }
}

void FileTable::fill(int fd, Ref<File> file, bool close_on_exec) {
    SpinGuard guard(lock_);
    File** slot = slot_locked(fd);
    ASSERT(slot != nullptr && *slot == nullptr);
    *slot = file.release();
    set_bit(close_on_exec_, static_cast<unsigned>(fd), close_on_exec);
}

void FileTable::give_back(int fd) {
    SpinGuard guard(lock_);
    set_bit(used_, static_cast<unsigned>(fd), false);
}

File* FileTable::take_locked(int fd) {
    File** slot = valid(fd) ? slot_locked(fd) : nullptr;
    File* file = slot != nullptr ? std::exchange(*slot, nullptr) : nullptr;
    if (file != nullptr) {
        set_bit(used_, static_cast<unsigned>(fd), false);
        set_bit(close_on_exec_, static_cast<unsigned>(fd), false);
    }
    return file;
}

Result<> FileTable::close(int fd) {
    File* file;
    {
        SpinGuard guard(lock_);
        file = take_locked(fd);
    }
    if (file == nullptr) {
        return Error::BadDescriptor;
    }
    drop(file);
    return {};
}

Result<> FileTable::replace(int to, Ref<File> file, bool close_on_exec, uint64_t limit) {
    if (!valid(to) || static_cast<uint64_t>(to) >= limit) {
        return Error::BadDescriptor;
    }
    TRY(make_room(to));
    File* old;
    {
        SpinGuard guard(lock_);
        auto at = static_cast<unsigned>(to);
        File** slot = slot_locked(to);
        if (*slot == nullptr && bit(used_, at)) {
            return Error::Busy;     // another thread is opening it
        }
        old = std::exchange(*slot, file.release());
        set_bit(used_, at, true);
        set_bit(close_on_exec_, at, close_on_exec);
    }
    drop(old);
    return {};
}

Result<bool> FileTable::close_on_exec(int fd) {
    SpinGuard guard(lock_);
    if (file_at(fd) == nullptr) {
        return Error::BadDescriptor;
    }
    return bit(close_on_exec_, static_cast<unsigned>(fd));
}

Result<> FileTable::set_close_on_exec(int fd, bool on) {
    SpinGuard guard(lock_);
    if (file_at(fd) == nullptr) {
        return Error::BadDescriptor;
    }
    set_bit(close_on_exec_, static_cast<unsigned>(fd), on);
    return {};
}

Result<ZoneOwned<FileTable>> FileTable::clone() {
    auto copy = TRY(create());
    bool needs_more;
    {
        SpinGuard guard(lock_);
        needs_more = more_ != nullptr;
    }
    if (needs_more) {
        TRY(copy->make_room(inline_count));
    }
    copy->copy_from(*this);
    return copy;
}

// Two tables of one rank: the new one is nobody else's yet, so that only the old one's lock is taken.
void FileTable::copy_from(FileTable& from) {
    SpinGuard guard(from.lock_);
    for (unsigned word = 0; word < word_count; ++word) {
        uint64_t copied = used_[word];
        for (uint64_t left = from.used_[word]; left != 0; left &= left - 1) {
            unsigned at = word * 64 + static_cast<unsigned>(std::countr_zero(left));
            File* file = from.file_at(static_cast<int>(at));
            // Reserved ones stay behind; so do those whose memory came after clone() looked.
            if (file == nullptr || (file->flags() & FL_O_CLOFORK) != 0 || (at >= inline_count && more_ == nullptr)) {
                continue;
            }
            file->ref();
            (at < inline_count ? files_[at] : more_->files[at - inline_count]) = file;
            copied |= left & -left;
        }
        used_[word] = copied;
        close_on_exec_[word] = from.close_on_exec_[word] & copied;
    }
}

// Closing may sleep, so files are taken out under the lock, those of one word at once, and dropped behind it.
void FileTable::close_marked(bool only_close_on_exec) {
    File* files[64];
    for (unsigned word = 0; word < word_count;) {
        size_t count = 0;
        {
            SpinGuard guard(lock_);
            for (; word < word_count; ++word) {
                uint64_t marked = used_[word] & (only_close_on_exec ? close_on_exec_[word] : ~uint64_t{0});
                if (marked != 0 && count != 0) {
                    break;      // there is room for one word's
                }
                for (; marked != 0; marked &= marked - 1) {
                    files[count++] = take_locked(static_cast<int>(word * 64 + static_cast<unsigned>(std::countr_zero(marked))));
                }
            }
        }
        for (size_t i = 0; i < count; ++i) {
            ASSERT(files[i] != nullptr);
            drop(files[i]);
        }
    }
}

void FileTable::close_for_exec() { close_marked(true); }

void FileTable::close_all() { close_marked(false); }

unsigned FileTable::count() {
    SpinGuard guard(lock_);
    unsigned open = 0;
    for (uint64_t word : used_) {
        open += static_cast<unsigned>(std::popcount(word));
    }
    return open;
}
