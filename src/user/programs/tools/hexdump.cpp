// hexdump: bytes in figures and characters.
#include "user/programs/tools/tool.h"

static void show_line(unsigned long offset, const unsigned char* bytes, int count) {
    printf("%08lx ", offset);
    for (int i = 0; i < 16; ++i) {
        if (i % 8 == 0) {
            putchar(' ');
        }
        if (i < count) {
            printf("%02x ", bytes[i]);
        } else {
            fputs("   ", stdout);
        }
    }
    fputs(" |", stdout);
    for (int i = 0; i < count; ++i) {
        putchar(bytes[i] >= 32 && bytes[i] < 127 ? bytes[i] : '.');
    }
    puts("|");
}

int hexdump_main(int argc, char** argv) {
    no_options(argc, argv, "usage: hexdump [FILE...]\nWrites the bytes of the files or of the standard input.\n");
    return for_each_input(argc, argv, optind, [](int fd, const char* name) {
        unsigned long offset = 0;
        for (;;) {
            unsigned char bytes[16];
            int filled = 0, got = 0;
            while (filled < 16 && (got = read(fd, bytes + filled, static_cast<size_t>(16 - filled))) > 0) {
                filled += got;
            }
            if (filled > 0) {
                show_line(offset, bytes, filled);
                offset += static_cast<unsigned long>(filled);
            }
            if (got <= 0) {
                return got < 0 ? complain_about(name) : 0;
            }
        }
    });
}
