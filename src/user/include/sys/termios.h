/* Terminal settings. The layout and the values are the kernel's (checked in newlib/check_values.cpp). */
#ifndef FORKLORE_SYS_TERMIOS_H
#define FORKLORE_SYS_TERMIOS_H

#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef unsigned char cc_t;
typedef unsigned speed_t;
typedef unsigned tcflag_t;

#define NCCS 16
struct termios {
    tcflag_t c_iflag, c_oflag, c_cflag, c_lflag;
    cc_t c_cc[NCCS];
};

/* c_iflag */
#define ICRNL 1
#define IXON 2
/* c_oflag */
#define OPOST 1
#define ONLCR 2
/* c_lflag */
#define ISIG 1
#define ICANON 2
#define ECHO 4
#define ECHOE 8
#define ECHOK 16
#define ECHONL 32
#define NOFLSH 64
#define TOSTOP 128
#define IEXTEN 256
/* c_cc */
#define VEOF 0
#define VEOL 1
#define VERASE 2
#define VINTR 3
#define VKILL 4
#define VMIN 5
#define VQUIT 6
#define VSTART 7
#define VSTOP 8
#define VSUSP 9
#define VTIME 10

#define TCSANOW 0
#define TCSADRAIN 1
#define TCSAFLUSH 2

int tcgetattr(int, struct termios *);
int tcsetattr(int, int, const struct termios *);
void cfmakeraw(struct termios *);
pid_t tcgetsid(int);

#ifdef __cplusplus
}
#endif
#endif
