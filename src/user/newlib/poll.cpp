// Waiting on several descriptors: poll, and select by it.
#include <poll.h>
#include <sys/select.h>
#include <sys/time.h>

#include "user/newlib/system_call.h"

extern "C" {

int poll(struct pollfd* descriptors, nfds_t count, int timeout) {
    return posix(system_call(SYS_poll, descriptors, count, timeout));
}

int select(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, struct timeval* timeout) {
    if (count < 0 || count > FD_SETSIZE) {
        return fail(EINVAL);
    }
    struct pollfd descriptors[FD_SETSIZE];
    nfds_t used = 0;
    for (int fd = 0; fd < count; ++fd) {
        const bool wants_read = readable != nullptr && FD_ISSET(fd, readable);
        const bool wants_write = writable != nullptr && FD_ISSET(fd, writable);
        if (wants_read || wants_write) {
            descriptors[used++] = {fd, static_cast<short>((wants_read ? POLLIN : 0) | (wants_write ? POLLOUT : 0)), 0};
        }
    }
    const int milliseconds =
        timeout == nullptr ? -1 : static_cast<int>(timeout->tv_sec * 1000 + (timeout->tv_usec + 999) / 1000);
    if (poll(descriptors, used, milliseconds) == -1) {
        return -1;
    }
    fd_set* const sets[] = {readable, writable, exceptional};
    for (fd_set* set : sets) {
        if (set != nullptr) {
            FD_ZERO(set);
        }
    }
    int ready = 0;
    for (nfds_t i = 0; i < used; ++i) {
        const struct pollfd& descriptor = descriptors[i];
        if (descriptor.revents & POLLNVAL) {
            return fail(EBADF);
        }
        if ((descriptor.events & POLLIN) && (descriptor.revents & (POLLIN | POLLHUP | POLLERR))) {
            FD_SET(descriptor.fd, readable);
            ++ready;
        }
        if ((descriptor.events & POLLOUT) && (descriptor.revents & (POLLOUT | POLLERR))) {
            FD_SET(descriptor.fd, writable);
            ++ready;
        }
    }
    return ready;
}

}  // extern "C"
