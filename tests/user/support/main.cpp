// Runs the tests of one program, all or as CppUTest's options say. `after=Group.name` at the end skips all up to that test: the
// test run uses it to go on behind one that killed the program.
#include <string_view>

#include "CppUTest/CommandLineTestRunner.h"
#include "CppUTest/TestRegistry.h"

#include "user/support/ledger.h"
#include "user/support/support.h"

namespace {

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
