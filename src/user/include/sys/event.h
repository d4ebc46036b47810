/* Queues of events; the values are the kernel's (checked in newlib/check_values.cpp). */
#ifndef FORKLORE_SYS_EVENT_H
#define FORKLORE_SYS_EVENT_H

#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EVFILT_READ (-1)
#define EVFILT_WRITE (-2)
#define EVFILT_PROC (-5)
#define EVFILT_TIMER (-7)

#define EV_ADD 0x1
#define EV_DELETE 0x2
#define EV_ENABLE 0x4
#define EV_DISABLE 0x8
#define EV_ONESHOT 0x10
#define EV_CLEAR 0x20
#define EV_RECEIPT 0x40
#define EV_ERROR 0x4000
#define EV_EOF 0x8000

#define NOTE_EXIT 0x80000000u
#define NOTE_FORK 0x40000000u
#define NOTE_EXEC 0x20000000u

#define NOTE_SECONDS 0x1u
#define NOTE_USECONDS 0x2u
#define NOTE_NSECONDS 0x4u

struct kevent {
    uintptr_t ident;
    int16_t filter;
    uint16_t flags;
    uint32_t fflags;
    intptr_t data;
    void *udata;
};
#define EV_SET(event, i, f, l, n, d, u) \
    ((event)->ident = (uintptr_t)(i), (event)->filter = (f), (event)->flags = (l), (event)->fflags = (n), (event)->data = (d), (event)->udata = (u))

int kqueue(void);
int kevent(int, const struct kevent *, int, struct kevent *, int, const struct timespec *);

#ifdef __cplusplus
}
#endif
#endif
