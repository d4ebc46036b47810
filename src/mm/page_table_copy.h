// fork's copy of a part of one address space into another: the required part of lab 3.
#pragma once

#include "mm/page_table.h"

enum class CopyMode : uint8_t {
    Eager,          // private pages are copied now, page by page
    CopyOnWrite,    // private pages are shared, read-only on both sides, until somebody writes
};

// Gives `child`, which has no page in [start, end), what `parent` has there. Shared pages (Descriptor::Shared) are
// shared again; a page that is copied on write already is shared as it is, in either mode. Each entry that the child
// gets holds its own reference. Both tables are under their owners' locks; the child is not active anywhere.
//
// Eager leaves the parent's entries as they are; a copy that the program may execute is shown to the instruction fetch
// (cpu::instructions_changed) when its bytes are there. Each entry is counted as soon as it is valid (entries_added); behind
// the last one comes mmu::entries_written().
//
// CopyOnWrite makes entries of the parent read-only: the caller makes all cores forget the parent's space afterwards,
// once for all ranges, also when this fails. NoMemory: the child has some of the pages; its owner unmaps them.
Result<> copy_page_tables(PageTable& child, PageTable& parent, UserAddr start, UserAddr end, CopyMode mode);
