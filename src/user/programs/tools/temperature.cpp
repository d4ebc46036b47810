// temperature: how warm the processor is, and whether it is held back.
#include "user/programs/tools/tool.h"

static constexpr char help[] =
    "usage: temperature [FILE]\n"
    "Writes the processor's temperature and what holds it back, now and since power-on. FILE is another than /dev/temperature.\n";

// The firmware's flags; the same 16 bits higher are since power-on.
struct Reason {
    unsigned bit;
    const char* what;
};
static constexpr Reason reasons[] = {
    {0, "the supply's voltage is too low"}, {1, "the clock is capped"}, {2, "throttled"}, {3, "near the limit of temperature"}};

static void show_reasons(unsigned long flags) {
    for (unsigned shift = 0; shift <= 16; shift += 16) {
        for (const Reason& reason : reasons) {
            if ((flags >> (reason.bit + shift) & 1) != 0) {
                printf("%s: %s\n", shift == 0 ? "now" : "since power-on", reason.what);
            }
        }
    }
    if (flags == 0) {
        printf("not held back\n");
    }
}

int temperature_main(int argc, char** argv) {
    no_options(argc, argv, help);
    const char* path = optind < argc ? argv[optind] : "/dev/temperature";
    FILE* file = fopen(path, "r");
    if (file == nullptr) {
        return complain_about(path);
    }
    char name[32], value[32];
    bool any = false;
    while (fscanf(file, "%31s %31s", name, value) == 2) {
        const unsigned long number = strtoul(value, nullptr, 0);
        if (strcmp(name, "temperature") == 0) {
            printf("%lu.%lu degrees Celsius\n", number / 1000, number % 1000 / 100);
            any = true;
        } else if (strcmp(name, "throttled") == 0) {
            show_reasons(number);
            any = true;
        }
    }
    fclose(file);
    return any ? 0 : complain(path, "the firmware does not say");
}
