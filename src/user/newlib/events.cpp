// Queues of events.
#include <sys/event.h>

#include "user/newlib/system_call.h"

extern "C" {

int kqueue() { return posix(system_call(SYS_kqueue)); }
int kevent(int queue, const struct kevent* changes, int change_count, struct kevent* events, int event_count, const struct timespec* timeout) {
    return posix(system_call(SYS_kevent, queue, changes, change_count, events, event_count, timeout));
}

}  // extern "C"
