// An Error for what the machine's copying answers. See user_copy.h.
#include "mm/user_copy.h"

#include "base/failpoint.h"
#include "machine/user_access.h"

Result<> copy_in(void* to, UserAddr from, size_t bytes) {
    if (failpoint::should_fail() || !user_access::copy_in(to, from, bytes)) {
        return Error::BadAddress;
    }
    return {};
}

Result<> copy_out(UserAddr to, const void* from, size_t bytes) {
    if (failpoint::should_fail() || !user_access::copy_out(to, from, bytes)) {
        return Error::BadAddress;
    }
    return {};
}

Result<size_t> copy_in_string(char* to, UserAddr from, size_t capacity) {
    if (failpoint::should_fail() || from >= user_end) {
        return Error::BadAddress;
    }
    int64_t length = user_access::copy_in_string(to, from, capacity);
    if (length >= 0) {
        return static_cast<size_t>(length);
    }
    return length == -2 ? Error::NameTooLong : Error::BadAddress;
}
