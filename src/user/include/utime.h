/* File times: the kernel can set both to now. */
#ifndef FORKLORE_UTIME_H
#define FORKLORE_UTIME_H

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

struct utimbuf {
    time_t actime, modtime;
};

/* Only with a null pointer (now); else ENOTSUP. */
int utime(const char *, const struct utimbuf *);

#ifdef __cplusplus
}
#endif
#endif
