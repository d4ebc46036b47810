// Boot arguments: every known word, and what becomes of bad ones.
#include "kernel/boot_arguments.h"

#include <CppUTest/TestHarness.h>

namespace {

BootArgumentProblem problems[4];
size_t problem_count;

BootArguments parse(std::string_view text) { return parse_boot_arguments(text, problems, 4, problem_count); }

}  // namespace

TEST_GROUP(BootArguments){};

TEST(BootArguments, NothingGivesTheUsualValues) {
    BootArguments arguments = parse("  ");
    LONGS_EQUAL(0, problem_count);
    CHECK_FALSE(arguments.quiet);
    CHECK_FALSE(arguments.seeded);
    CHECK(arguments.command.empty());
    LONGS_EQUAL(0, arguments.pid_max);
}

TEST(BootArguments, EveryKnownWordIsRead) {
    BootArguments arguments = parse("quiet cmd=ps%3b%20ls pid_max=300 maxproc=50 copy=eager timeout=7 seed=0x1F "
                                    "console=serial1 test=Zones freed=check end=reset heartbeat memory=192");
    LONGS_EQUAL(0, problem_count);
    CHECK(arguments.quiet);
    CHECK(arguments.command == "ps%3b%20ls");
    LONGS_EQUAL(300, arguments.pid_max);
    LONGS_EQUAL(50, arguments.process_max);
    LONGS_EQUAL(192, arguments.memory_mib);
    CHECK(arguments.copy_eagerly);
    LONGS_EQUAL(7, arguments.timeout_seconds);
    CHECK(arguments.seeded);
    LONGS_EQUAL(31, arguments.seed);
    CHECK(arguments.console == "serial1");
    CHECK(arguments.test_filter == "Zones");
    CHECK(arguments.check_freed);
    CHECK(arguments.reset_at_end);
    CHECK(arguments.heartbeat);
}

TEST(BootArguments, AnUnknownWordIsReportedAndIgnored) {
    BootArguments arguments = parse("speed=fast quiet");
    LONGS_EQUAL(1, problem_count);
    CHECK(problems[0].word == "speed=fast");
    STRCMP_EQUAL("is not known", problems[0].what);
    CHECK(arguments.quiet);
}

TEST(BootArguments, AWrongValueIsReportedAndLeavesTheUsualOne) {
    BootArguments arguments = parse("pid_max=many seed= copy=never quiet=1 timeout=0 end=sleep heartbeat=2");
    LONGS_EQUAL(7, problem_count);
    LONGS_EQUAL(0, arguments.pid_max);
    CHECK_FALSE(arguments.seeded);
    CHECK_FALSE(arguments.quiet);
}

TEST(BootArguments, NumbersBeyondTheirRangeAreRefused) {
    parse("pid_max=4294967296");
    LONGS_EQUAL(1, problem_count);
    BootArguments arguments = parse("pid_max=4294967295 seed=18446744073709551615");
    LONGS_EQUAL(0, problem_count);
    CHECK(arguments.seed == ~uint64_t{0});
    parse("seed=18446744073709551616");
    LONGS_EQUAL(1, problem_count);
}

TEST(BootArguments, AValueMayContainEqualsSigns) {
    CHECK(parse("cmd=A=b").command == "A=b");
}

TEST(BootArguments, TheLastOfTwoCounts) {
    CHECK_FALSE(parse("copy=eager copy=cow").copy_eagerly);
}
