/* The name of the system; the layout is the kernel's (checked in newlib/check_values.cpp). */
#ifndef FORKLORE_SYS_UTSNAME_H
#define FORKLORE_SYS_UTSNAME_H

#ifdef __cplusplus
extern "C" {
#endif

struct utsname {
    char sysname[32], nodename[32], release[32], version[64], machine[32];
};

int uname(struct utsname *);

#ifdef __cplusplus
}
#endif
#endif
