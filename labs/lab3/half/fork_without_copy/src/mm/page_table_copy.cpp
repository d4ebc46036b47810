// Lab 3, first half: what a child sees of its parent's memory. The contract is page_table_copy.h, the handout
// labs/lab3/README.md.
//
// parent.next_leaf() gives runs of entries of one last-level table, child.ensure() the entry beside the first of them.
// Begin with CopyMode::Eager and private pages.
#include "mm/page_table_copy.h"

Result<> copy_page_tables(PageTable&, PageTable&, UserAddr, UserAddr, CopyMode) { return Error::NotImplemented; }
