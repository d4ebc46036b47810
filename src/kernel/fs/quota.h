// The quota: what files, directories and their names may take of the memory all together. They outlive every process, so the
// end of none gives anything back.
#pragma once

#include "base/result.h"
#include "base/types.h"

namespace file_quota {

void set_limit(PageCount limit);
PageCount limit();
PageCount used();               // rounded up

Result<> take(uint64_t bytes);  // NoSpace: beyond the limit
void give(uint64_t bytes);

}  // namespace file_quota
