// FileTable: a process's descriptors.
//
// Each used number has a File, or is reserved for one that is being opened. Lock: `lock_` for all of it, but while
// only one thread knows the table (until mark_shared) that thread needs none to look up. References are dropped
// outside the lock, because closing may sleep. Counterpart: struct filedesc.
#pragma once

#include "kernel/fs/file.h"

// A File in use by one system call; counted only if another thread could close it meanwhile.
class [[nodiscard]] FileUse {
public:
    FileUse(File& file, bool counted) : file_(&file), counted_(counted) {}
    FileUse(FileUse&& other) : file_(std::exchange(other.file_, nullptr)), counted_(other.counted_) {}
    ~FileUse() {
        if (counted_ && file_ != nullptr && file_->unref()) {
            file_->last_reference_gone();
        }
    }
    File& operator*() const { return *file_; }
    File* operator->() const { return file_; }

private:
    File* file_;
    bool counted_;
};

class FileTable {
public:
    static Zone& zone();
    static void make_zones();                   // that of tables with many descriptors too
    static constexpr unsigned capacity = FORKLORE_OPEN_MAX;

    static Result<ZoneOwned<FileTable>> create();
    FileTable() = default;
    FileTable(const FileTable&) = delete;
    ~FileTable();                               // closes what is open; may sleep

    // Before a second thread can reach the table; stays so.
    void mark_shared() { shared_.store(true, std::memory_order_relaxed); }

    Result<FileUse> use(int fd);                // BadDescriptor
    Result<Ref<File>> get(int fd);              // the same, counted: for keeping

    // A number is taken first and filled when nothing can fail any more: the lowest free one from `from` on and
    // below `limit` (RLIMIT_NOFILE). TooManyFiles; NoMemory; Invalid: `from` is no number below the limit.
    class Reservation;
    Result<Reservation> reserve(uint64_t limit, int from = 0);

    Result<> close(int fd);                     // BadDescriptor
    // dup2 and dup3: closes `to` if it is open. BadDescriptor if `to` is at or above `limit`, Busy if it is reserved.
    Result<> replace(int to, Ref<File> file, bool close_on_exec, uint64_t limit);
    Result<bool> close_on_exec(int fd);
    Result<> set_close_on_exec(int fd, bool on);

    // For fork: the same Files under the same numbers, but for those with FL_O_CLOFORK. NoMemory.
    Result<ZoneOwned<FileTable>> clone();
    void close_for_exec();                      // all that are marked so
    void close_all();
    unsigned count();                           // open descriptors

private:
    static constexpr unsigned word_count = capacity / 64;
    static constexpr unsigned inline_count = 32;        // most processes need no more
    struct More {
        static Zone& zone();
        File* files[capacity - inline_count];
    };

    bool valid(int fd) const { return static_cast<unsigned>(fd) < capacity; }
    File** slot_locked(int fd) REQUIRES(lock_);         // nullptr: no memory was ever made for it
    File* file_at(int fd) const NO_THREAD_SAFETY_ANALYSIS;
    File* take_locked(int fd) REQUIRES(lock_);
    int lowest_free_locked(unsigned from) const REQUIRES(lock_);
    Result<> make_room(int fd);
    void copy_from(FileTable& from) NO_THREAD_SAFETY_ANALYSIS;
    void close_marked(bool only_close_on_exec);
    void fill(int fd, Ref<File> file, bool close_on_exec);
    void give_back(int fd);

    std::atomic<bool> shared_{false};
    SpinLock lock_{LockRank::FileTable, "file table"};
    uint64_t used_[word_count] GUARDED_BY(lock_) = {};
    uint64_t close_on_exec_[word_count] GUARDED_BY(lock_) = {};
    File* files_[inline_count] GUARDED_BY(lock_) = {};
    More* more_ GUARDED_BY(lock_) = nullptr;            // from its first need on
};

// A descriptor number that nobody else can get. Given back unless filled.
class [[nodiscard]] FileTable::Reservation {
public:
    Reservation(FileTable& table, int fd) : table_(&table), fd_(fd) {}
    Reservation(Reservation&& other) : table_(std::exchange(other.table_, nullptr)), fd_(other.fd_) {}
    ~Reservation() {
        if (table_ != nullptr) {
            table_->give_back(fd_);
        }
    }
    int fd() const { return fd_; }
    // From here the program can use it. Can not fail.
    int fill(Ref<File> file, bool close_on_exec) && {
        std::exchange(table_, nullptr)->fill(fd_, std::move(file), close_on_exec);
        return fd_;
    }

private:
    FileTable* table_;
    int fd_;
};
