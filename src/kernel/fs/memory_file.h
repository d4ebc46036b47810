// MemoryFile: a regular file whose content is page frames.
//
// A page is in one of three places: in the index; in the initrd's archive, if it was never written; or nowhere, and then it
// reads as zeros. A frame that somebody else refers to (a program's mapping, a reader at work) is never written: the writer
// puts a copy in its place. Bytes of a frame beyond the size are zero. The archive's pages alone are not taken from the quota.
// Locks: `data_lock_` for one writer or truncation at a time; `pages_lock_`, a spin lock, for index and size, so that a page
// fault can look a page up while any mutex is held.
#pragma once

#include "kernel/fs/page_index.h"
#include "kernel/fs/vnode.h"
#include "machine/mutex.h"
#include "mm/zone.h"

class MemoryFile final : public Vnode {
public:
    static Zone& zone();
    static constexpr uint64_t largest = PageIndex::capacity * page_size;

    static Result<Ref<MemoryFile>> create(const Identity& owner, uint32_t mode, Nanoseconds modified = 0);
    explicit MemoryFile(const Attributes& attributes) : Vnode(VnodeKind::File, attributes) {}
    ~MemoryFile() NO_THREAD_SAFETY_ANALYSIS;

    // Makes the reserved pages that begin at `first` the content of this still empty file. The last page's bytes beyond
    // `bytes` must be zero before anybody reads the file.
    void adopt_archive(PhysAddr first, uint64_t bytes);

    uint64_t size() const override { return size_.load(std::memory_order_acquire); }
    Result<size_t> read(Transfer& transfer) override;
    Result<size_t> write(Transfer& transfer) override;
    Result<> truncate(uint64_t size, uint64_t size_limit) override;
    Result<PhysAddr> page(uint64_t index) override;
    void last_reference_gone() override;

private:
    uint64_t blocks() const override { return held_.load(std::memory_order_relaxed) * (page_size / 512); }
    bool find_locked(size_t index, PhysAddr& frame) const REQUIRES(pages_lock_);
    PageRef pin(size_t index);
    Result<char*> writable_page(size_t index) REQUIRES(data_lock_);
    Result<> install(size_t index, PageRef page) REQUIRES(data_lock_);
    Result<> write_piece(const IoBuffer& buffer, uint64_t offset, size_t done, size_t piece) REQUIRES(data_lock_);
    Result<> write_page(const IoBuffer& buffer, uint64_t offset, size_t done) REQUIRES(data_lock_);
    void cut(size_t first_gone) REQUIRES(data_lock_);
    PageRef remove_locked(size_t index) REQUIRES(pages_lock_);

    Mutex data_lock_{LockRank::FileData, "file data"};
    SpinLock pages_lock_{LockRank::FilePages, "file pages"};
    std::atomic<uint64_t> size_{0};                     // written under data_lock_
    std::atomic<size_t> held_{0};                       // frames of any kind
    PageIndex index_;                                   // changed under both locks
    PhysAddr archive_first_ GUARDED_BY(pages_lock_);
    size_t archive_count_ GUARDED_BY(pages_lock_) = 0;  // pages below it that are not in the index are the archive's
};
