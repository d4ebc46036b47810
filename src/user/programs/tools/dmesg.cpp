// dmesg: the kernel's boot log.
#include "user/programs/tools/tool.h"

#include "forklore/forklore.h"

int dmesg_main(int argc, char** argv) {
    no_options(argc, argv, "usage: dmesg\nWrites the kernel's log.\n");
    static char buffer[65536];
    const int length = klog(buffer, sizeof buffer);
    if (length < 0) {
        return complain_about("kernel log");
    }
    return write_all(STDOUT_FILENO, buffer, static_cast<size_t>(length)) ? 0 : 1;
}
