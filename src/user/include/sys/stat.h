/* newlib's <sys/stat.h> declares lstat for two systems only. */
#ifndef FORKLORE_SYS_STAT_H
#define FORKLORE_SYS_STAT_H

#include_next <sys/stat.h>

#ifdef __cplusplus
extern "C" {
#endif

int lstat(const char *__restrict, struct stat *__restrict);

#ifdef __cplusplus
}
#endif
#endif
