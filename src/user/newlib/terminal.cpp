// Terminals.
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "user/newlib/system_call.h"

extern "C" {

int tcgetattr(int fd, struct termios* settings) { return ioctl(fd, TCGETS, settings); }

// Output is not buffered in the kernel long enough to be worth draining.
int tcsetattr(int fd, int when, const struct termios* settings) {
    return ioctl(fd, when == TCSAFLUSH ? TCSETSF : TCSETS, settings);
}

void cfmakeraw(struct termios* settings) {
    settings->c_iflag &= ~static_cast<tcflag_t>(ICRNL | IXON);
    settings->c_oflag &= ~static_cast<tcflag_t>(OPOST);
    settings->c_lflag &= ~static_cast<tcflag_t>(ISIG | ICANON | ECHO | ECHONL | IEXTEN);
    settings->c_cc[VMIN] = 1;
    settings->c_cc[VTIME] = 0;
}

pid_t tcgetpgrp(int fd) {
    int32_t group = 0;
    return ioctl(fd, TIOCGPGRP, &group) == -1 ? -1 : group;
}
int tcsetpgrp(int fd, pid_t group) {
    const int32_t value = group;
    return ioctl(fd, TIOCSPGRP, &value);
}

// Asked of every stream that stdio opens, so it leaves errno alone where the answer is no.
int isatty(int fd) {
    const int before = errno;
    struct termios settings;
    if (tcgetattr(fd, &settings) == 0) {
        return 1;
    }
    if (errno != EBADF) {
        errno = before;
    }
    return 0;
}
int _isatty(int) NEWLIB_NAME(isatty);

int ttyname_r(int fd, char* buffer, size_t size) {
    static constexpr char console[] = "/dev/console";
    if (!isatty(fd)) {
        return ENOTTY;
    }
    if (size < sizeof console) {
        return ERANGE;
    }
    memcpy(buffer, console, sizeof console);
    return 0;
}
char* ttyname(int fd) {
    static char name[32];
    const int error = ttyname_r(fd, name, sizeof name);
    if (error != 0) {
        errno = error;
        return nullptr;
    }
    return name;
}

}  // extern "C"
