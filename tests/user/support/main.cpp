// Runs the tests of one program, all or as CppUTest's options say. `after=Group.name` at the end skips all up to that test: the
// test run uses it to go on behind one that killed the program.
#include <malloc.h>
#include <string_view>
#include <sys/mman.h>

#include "CppUTest/CommandLineTestRunner.h"
#include "CppUTest/TestRegistry.h"

#include "user/support/ledger.h"
#include "user/support/support.h"

extern "C" char __bss_start[], _end[];

namespace {

// What this program takes sooner or later and keeps is taken now, so that no test is charged with it: the pages of its data,
// stack and heap, room for all descriptors.
[[gnu::noinline]] void warm_up() {
    for (volatile char* at = __bss_start; at < _end; at = at + 4096) {
        *at = *at;
    }
    volatile char stack[256 * 1024];
    for (size_t i = 0; i < sizeof stack; i += 4096) {
        stack[i] = 0;
    }
    mallopt(M_TRIM_THRESHOLD, 64 << 20);
    constexpr size_t heap = 1 << 20;
    auto* block = static_cast<volatile char*>(malloc(heap));
    for (size_t i = 0; block != nullptr && i < heap; i += 4096) {
        block[i] = 0;
    }
    free(const_cast<char*>(block));
    dup2(STDERR_FILENO, FORKLORE_OPEN_MAX - 1);
    close(FORKLORE_OPEN_MAX - 1);
}

void skip_until(std::string_view wanted) {
    TestRegistry& registry = *TestRegistry::getCurrentRegistry();
    for (bool found = false; !found && registry.getFirstTest() != nullptr; registry.unDoLastAddTest()) {
        const UtestShell& test = *registry.getFirstTest();
        const SimpleString name = test.getGroup() + "." + test.getName();
        found = wanted == name.asCharString();
    }
}

}  // namespace

int main(int argc, char** argv) {
    program_path = argv[0];
    if (argc == 3 && strcmp(argv[1], "role") == 0) {
        return Role::play(argv[2]);
    }
    constexpr std::string_view after = "after=";
    if (argc > 1 && std::string_view(argv[argc - 1]).starts_with(after)) {
        skip_until(argv[--argc] + after.size());
    }
    warm_up();
    Ledger::settle();
    LedgerPlugin ledger;
    TestRegistry::getCurrentRegistry()->installPlugin(&ledger);
    return CommandLineTestRunner::RunAllTests(argc, argv) == 0 ? 0 : 1;
}
