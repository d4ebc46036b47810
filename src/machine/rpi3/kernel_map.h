// The kernel's own half, one page at a time: for regions that are not all mapped from the start, like the stacks.
//
// Works on the tables that boot/early_map.cpp made. Lock: the caller's, one for each region of a gibibyte.
#pragma once

#include "base/result.h"
#include "base/types.h"

namespace kernel_map {

// Where further tables come from: a cleared page, which stays a table for ever.
using NewTable = Result<PhysAddr> (*)();

// Makes `page` appear at `at`, where nothing is (panics otherwise): for the kernel alone, to read and write. NoMemory.
Result<> map_page(KernAddr at, PhysAddr page, NewTable new_table);
// Takes the page that is there (panics otherwise) away, from all cores. The page.
PhysAddr unmap_page(KernAddr at);

}  // namespace kernel_map
