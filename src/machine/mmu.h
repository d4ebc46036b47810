// The memory-management unit: which user tables are active, and what it may have cached of them.
//
// The order that hardware demands is the caller's: to change a valid entry into another valid entry, write 0,
// invalidate, then write the new one (break-before-make, ARM ARM D8.14.1). Each function here ends with the
// barriers that make it complete. The host records the calls, so that a test can demand the order.
#pragma once

#include "base/types.h"

namespace mmu {

using Asid = uint16_t;      // 1..65535; 0 is the kernel's own, with no user half

// Makes `root` the user half of this core. No invalidation: asids keep spaces apart.
void activate(PhysAddr root, Asid asid);
void activate_none();       // user half empty: for kernel threads

// All cores forget what they cached of one page, or of a whole address space.
void invalidate_page(UserAddr address, Asid asid);
void invalidate_space(Asid asid);
void invalidate_all();      // every asid: at their wrap

// Makes stores to page-table entries visible to the walkers of all cores (DSB ISHST, ISB), after entries
// went from invalid to valid, for which no invalidation is needed.
void entries_written();

unsigned asid_bits();       // 16 on Cortex-A53 (TCR_EL1.AS set)

}  // namespace mmu

#include "machine_inline/mmu.h"
