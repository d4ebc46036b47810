// crash: does what a program must not do, to see that it alone ends. or how root gets rid of it.
// usage: crash null|kernel|text|jump|stack|undefined|bomb
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

namespace {

[[gnu::noinline]] void write_to(uint64_t address) {
    asm("" : "+r"(address));    // the compiler must not know where
    *reinterpret_cast<volatile int*>(address) = 1;
}

void write_null() { write_to(8); }
void write_kernel() { write_to(0xffffff8000000000); }
void write_text() { write_to(reinterpret_cast<uint64_t>(&write_null)); }
void jump_to_data() {
    static uint32_t code[] = {0xd65f03c0};     // ret
    reinterpret_cast<void (*)()>(code)();
}
int overflow_stack(int depth) {
    if (depth < 0) {
        return 0;
    }
    volatile char room[1024];
    room[0] = static_cast<char>(depth);
    return overflow_stack(depth + 1) + room[0];
}
void run_out_of_stack() { printf("%d\n", overflow_stack(0)); }
void undefined_instruction() { asm volatile("udf #0"); }

// As an ordinary user: the last place in the table of processes is root's.
void fork_for_ever() {
    constexpr uid_t somebody = 1000;
    if (setuid(somebody) == 0) {
        for (;;) {
            fork();
        }
    }
}

struct Way {
    const char* name;
    void (*crash)();
};
constexpr Way ways[] = {{"null", write_null},     {"kernel", write_kernel},    {"text", write_text},
                        {"jump", jump_to_data}, {"stack", run_out_of_stack}, {"undefined", undefined_instruction},
                        {"bomb", fork_for_ever}};

}  // namespace

int main(int argc, char** argv) {
    for (const Way& way : ways) {
        if (argc == 2 && strcmp(argv[1], way.name) == 0) {
            way.crash();
            printf("crash: %s did no harm\n", way.name);
            return 1;
        }
    }
    fprintf(stderr, "usage: crash null|kernel|text|jump|stack|undefined|bomb\n");
    return 2;
}
