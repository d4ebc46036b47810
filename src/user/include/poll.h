/* Waiting on several descriptors; layout and values are the kernel's (checked in newlib/check_values.cpp). */
#ifndef FORKLORE_POLL_H
#define FORKLORE_POLL_H

#ifdef __cplusplus
extern "C" {
#endif

struct pollfd {
    int fd;
    short events, revents;
};
typedef unsigned nfds_t;

#define POLLIN 1
#define POLLRDNORM POLLIN
#define POLLOUT 4
#define POLLWRNORM POLLOUT
#define POLLERR 8
#define POLLHUP 16
#define POLLNVAL 32

int poll(struct pollfd *, nfds_t, int);

#ifdef __cplusplus
}
#endif
#endif
