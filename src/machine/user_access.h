// Bytes to and from the program that runs on this core, through its own mapping.
//
// Sleeps if a page has to be made first, so: interrupts on, no spin lock held. Never trusts the address: any
// pointer, of any value, ends in `false` and not in a fault. Use mm/user_copy.h, which says Error::BadAddress.
#pragma once

#include "base/types.h"

namespace user_access {

// False if some byte can not be accessed; then some of the bytes may have been copied.
[[nodiscard]] bool copy_in(void* to, UserAddr from, size_t bytes);
[[nodiscard]] bool copy_out(UserAddr to, const void* from, size_t bytes);
// Copies up to and with the NUL, at most `capacity` bytes. The length without the NUL; -1 bad address,
// -2 no NUL within capacity.
[[nodiscard]] int64_t copy_in_string(char* to, UserAddr from, size_t capacity);
// Atomic access to an aligned word, for futexes.
[[nodiscard]] bool load_word(UserAddr from, uint32_t& value);

// For the handler of kernel faults, once it could not make the page at a user address (FAR below user_end): if `pc`
// lies in one of the copies above, sets it to where the copy answers failure. False: a fault of the kernel's own.
[[nodiscard]] bool fixup(uint64_t& pc);

}  // namespace user_access

#include "machine_inline/user_access.h"
