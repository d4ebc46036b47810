/* What of POSIX this system has; newlib's own headers declare accordingly. */
#ifndef FORKLORE_SYS_FEATURES_H
#define FORKLORE_SYS_FEATURES_H

#include_next <sys/features.h>

#define _POSIX_CPUTIME 200112L
#define _POSIX_JOB_CONTROL 1
#define _POSIX_MAPPED_FILES 1
#define _POSIX_MEMORY_PROTECTION 1
#define _POSIX_MONOTONIC_CLOCK 200112L
#define _POSIX_REALTIME_SIGNALS 1
#define _POSIX_SPAWN 1
#define _POSIX_THREADS 1
#define _POSIX_THREAD_CPUTIME 200112L
#define _POSIX_TIMERS 1

#endif
