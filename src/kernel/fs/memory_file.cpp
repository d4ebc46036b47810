// Reading, writing and cutting the page frames of a file.
#include "kernel/fs/memory_file.h"

#include <algorithm>

#include "kernel/fs/quota.h"

namespace {

// What a hole reads as.
alignas(16) constexpr char zeros[page_size] = {};

size_t page_of(uint64_t offset) { return static_cast<size_t>(offset >> page_shift); }
size_t in_page(uint64_t offset) { return static_cast<size_t>(offset & (page_size - 1)); }

// Two references: the file's, and `pinned`.
bool ours_alone(const PageRef& pinned) { return pinned && pages::references(pinned.address()) <= 2; }

}  // namespace

Zone& MemoryFile::zone() {
    static Zone& zone = zone_create({.name = "memory_file", .element_size = sizeof(MemoryFile)}).value();
    return zone;
}

Result<Ref<MemoryFile>> MemoryFile::create(const Identity& owner, uint32_t mode, Nanoseconds modified) {
    auto file = TRY(zone_new<MemoryFile>({}, Attributes{mode, owner.uid, owner.gid, modified}));
    return Ref<MemoryFile>::adopt(*file.release());
}

// Nobody else knows the file: no lock. A mapping may be the last to go, with its space's mutex held.
MemoryFile::~MemoryFile() {
    cut(0);
    file_quota::give(index_.table_count() * page_size);
}

void MemoryFile::last_reference_gone() { ZoneDelete<MemoryFile>{}(*this); }

void MemoryFile::adopt_archive(PhysAddr first, uint64_t bytes) {
    size_t count = PageCount::covering(bytes).value;
    for (size_t i = 0; i < count; ++i) {
        pages::adopt_reserved(first + i * page_size, PageUse::File);
    }
    SpinGuard guard(pages_lock_);
    archive_first_ = first;
    archive_count_ = count;
    held_.store(count, std::memory_order_relaxed);
    size_.store(bytes, std::memory_order_release);
}

bool MemoryFile::find_locked(size_t index, PhysAddr& frame) const {
    if (index_.find(index, frame)) {
        return true;
    }
    frame = archive_first_ + index * page_size;
    return index < archive_count_;
}

// A reference to the frame, or nothing for a hole.
PageRef MemoryFile::pin(size_t index) {
    SpinGuard guard(pages_lock_);
    PhysAddr frame;
    return find_locked(index, frame) ? PageRef::share(frame) : PageRef();
}

Result<PhysAddr> MemoryFile::page(uint64_t index) {
    if (index >= PageCount::covering(size()).value) {
        return Error::Range;
    }
    PageRef frame = pin(static_cast<size_t>(index));
    if (!frame) {
        frame = TRY(PageRef::allocate_zeroed(PageUse::File));
    }
    return frame.release();
}

Result<size_t> MemoryFile::read(Transfer& transfer) {
    uint64_t end = size();
    if (transfer.offset >= end || transfer.buffer.length() == 0) {
        return size_t{0};
    }
    size_t total = static_cast<size_t>(std::min<uint64_t>(transfer.buffer.length(), end - transfer.offset));
    size_t done = 0;
    while (done < total) {
        size_t start = in_page(transfer.offset);
        size_t piece = std::min(page_size - start, total - done);
        PageRef frame = pin(page_of(transfer.offset));
        const char* from = frame ? frame.at<char>() : zeros;
        if (Result<> moved = transfer.buffer.put(done, from + start, piece); !moved.ok()) {
            if (done == 0) {
                return moved.error();
            }
            break;
        }
        done += piece;
        transfer.offset += piece;
    }
    note_read();
    return done;
}

// Puts a page of ours where a hole, or a frame that is not ours alone, was.
Result<> MemoryFile::install(size_t index, PageRef page) {
    PageIndex::Tables tables = TRY(index_.make_tables(index));
    PhysAddr old_frame;
    bool was_ours = index_.find(index, old_frame);
    size_t price = tables.count() + (was_ours ? 0 : 1);
    TRY(file_quota::take(price * page_size));

    PageRef old;
    SpinGuard guard(pages_lock_);
    index_.put_tables(index, std::move(tables));
    old = index_.put(index, std::move(page));
    if (!old && index < archive_count_) {
        old = PageRef::adopt(archive_first_ + index * page_size);
    } else if (!old) {
        held_.fetch_add(1, std::memory_order_relaxed);
    }
    return {};
}

// The content of a page, for changing.
Result<char*> MemoryFile::writable_page(size_t index) {
    PageRef old = pin(index);
    if (ours_alone(old)) {
        return old.at<char>();
    }
    PageRef fresh = TRY(old ? PageRef::allocate(PageUse::File) : PageRef::allocate_zeroed(PageUse::File));
    char* content = fresh.at<char>();
    if (old) {
        ram::copy_page(content, old.at<char>());
    }
    TRY(install(index, std::move(fresh)));
    return content;
}

// Moves a piece that lies in one page. What could not be read from the program leaves zeros beyond the size.
Result<> MemoryFile::write_piece(const IoBuffer& buffer, uint64_t offset, size_t done, size_t piece) {
    char* page = TRY(writable_page(page_of(offset)));
    if (Result<> moved = buffer.take(done, page + in_page(offset), piece); !moved.ok()) {
        uint64_t end = offset + piece;
        uint64_t keep = std::max(std::min(size(), end), offset);
        memset(page + in_page(offset) + (keep - offset), 0, static_cast<size_t>(end - keep));
        return moved.error();
    }
    return {};
}

// Moves a whole page: into a frame that is filled first and shown then, unless ours can be written.
Result<> MemoryFile::write_page(const IoBuffer& buffer, uint64_t offset, size_t done) {
    if (ours_alone(pin(page_of(offset)))) {
        return write_piece(buffer, offset, done, page_size);
    }
    PageRef fresh = TRY(PageRef::allocate(PageUse::File));
    TRY(buffer.take(done, fresh.at<char>(), page_size));
    return install(page_of(offset), std::move(fresh));
}

Result<size_t> MemoryFile::write(Transfer& transfer) {
    size_t wanted = transfer.buffer.length();
    if (wanted == 0) {
        return size_t{0};
    }
    MutexGuard data(data_lock_);
    uint64_t offset = (transfer.open_flags & FL_O_APPEND) != 0 ? size() : transfer.offset;
    uint64_t limit = std::min(transfer.size_limit, largest);
    if (offset >= limit) {
        return Error::FileTooBig;
    }
    size_t total = static_cast<size_t>(std::min<uint64_t>(wanted, limit - offset));
    size_t done = 0;
    while (done < total) {
        size_t piece = std::min(page_size - in_page(offset), total - done);
        Result<> moved = piece == page_size ? write_page(transfer.buffer, offset, done)
                                            : write_piece(transfer.buffer, offset, done, piece);
        if (!moved.ok()) {
            if (done == 0) {
                return moved.error();
            }
            break;
        }
        done += piece;
        offset += piece;
        if (offset > size()) {
            size_.store(offset, std::memory_order_release);
        }
    }
    transfer.offset = offset;
    note_write();
    return done;
}

PageRef MemoryFile::remove_locked(size_t index) {
    PageRef gone = index_.remove(index);
    if (gone) {
        file_quota::give(page_size);
    } else if (index < archive_count_) {
        gone = PageRef::adopt(archive_first_ + index * page_size);
    }
    if (gone) {
        held_.fetch_sub(1, std::memory_order_relaxed);
    }
    return gone;
}

// Gives back every page from `first_gone` on. Page by page, so that no spin lock is held for long.
void MemoryFile::cut(size_t first_gone) {
    size_t archived;
    {
        SpinGuard guard(pages_lock_);
        archived = archive_count_;
    }
    for (size_t i = first_gone; i < PageIndex::capacity; ++i) {
        i = i < archived ? i : index_.next_used(i);
        if (i >= PageIndex::capacity) {
            break;
        }
        PageRef gone;
        SpinGuard guard(pages_lock_);
        gone = remove_locked(i);
    }
    SpinGuard guard(pages_lock_);
    archive_count_ = std::min(archive_count_, first_gone);
}

Result<> MemoryFile::truncate(uint64_t wanted, uint64_t size_limit) {
    MutexGuard data(data_lock_);
    uint64_t before = size();
    if (wanted > before && (wanted > largest || wanted > size_limit)) {
        return Error::FileTooBig;
    }
    if (wanted < before && in_page(wanted) != 0 && pin(page_of(wanted))) {
        char* last = TRY(writable_page(page_of(wanted)));
        memset(last + in_page(wanted), 0, page_size - in_page(wanted));
    }
    size_.store(wanted, std::memory_order_release);
    if (wanted < before) {
        cut(PageCount::covering(wanted).value);
    }
    note_write();
    return {};
}
