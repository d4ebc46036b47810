/* Terminal requests; the numbers are the kernel's (checked in newlib/check_values.cpp). */
#ifndef FORKLORE_SYS_IOCTL_H
#define FORKLORE_SYS_IOCTL_H

#ifdef __cplusplus
extern "C" {
#endif

#define TCGETS 1
#define TCSETS 2
#define TCSETSF 3
#define TIOCGPGRP 4
#define TIOCSPGRP 5
#define TIOCSCTTY 6
#define TIOCGWINSZ 7
#define FIONREAD 8

struct winsize {
    unsigned short ws_row, ws_col, ws_xpixel, ws_ypixel;
};

int ioctl(int, unsigned long, ...);

#ifdef __cplusplus
}
#endif
#endif
