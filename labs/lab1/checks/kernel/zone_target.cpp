// Lab 1 in the kernel, on four cores.
#include "grader/target/kernel_check.h"
#include "mm/zone.h"

namespace {

constexpr size_t bytes = 96, words = bytes / 8;

// Takes and gives back some elements at a time, and marks each word with who has it.
int use_zone(Zone& zone, unsigned core, int rounds) {
    constexpr unsigned most = 24;
    CheckRandom random(core + 7);
    uint64_t* mine[most] = {};
    int damaged = 0;
    for (int round = 0; round < rounds; ++round) {
        uint64_t*& slot = mine[random.below(most)];
        if (slot == nullptr) {
            Result<void*> got = zalloc(zone, {.wait = false});
            if (!got.ok()) {
                ++damaged;
                continue;
            }
            slot = static_cast<uint64_t*>(got.value());
            for (size_t i = 0; i < words; ++i) {
                slot[i] = reinterpret_cast<uint64_t>(slot) + core + 1;
            }
            continue;
        }
        for (size_t i = 0; i < words; ++i) {
            damaged += slot[i] != reinterpret_cast<uint64_t>(slot) + core + 1;
        }
        zfree(zone, slot);
        slot = nullptr;
    }
    for (uint64_t* left : mine) {
        if (left != nullptr) {
            zfree(zone, left);
        }
    }
    return damaged;
}

}  // namespace

TEST_GROUP(ZoneMachine) {};

TEST(ZoneMachine, four_cores_never_have_the_same_element) {
    Zone& zone = must(zone_create({.name = "four cores", .element_size = bytes}));
    std::atomic<int> damaged{0};
    on_all_cores([&](unsigned core) { damaged += use_zone(zone, core, 1'500); });
    LONGS_EQUAL_TEXT(0, damaged, "elements that another core wrote to, or that were refused");
    UNSIGNED_LONGS_EQUAL_TEXT(0, zone_stats(zone).live, "live elements when each was freed");
    zone_destroy(zone);
}

TEST(ZoneMachine, who_waits_at_the_limit_is_woken_by_a_free) {
    Zone& zone = must(zone_create({.name = "waited for", .element_size = bytes, .limit = 2}));
    void* first = must(zalloc(zone));
    void* second = must(zalloc(zone));
    struct Waiting {
        Zone& zone;
        std::atomic<void*> got{nullptr};
    } waiting{zone};
    Crew crew;
    CHECK_TRUE(crew.start([](void* of_waiting) {
        auto& self = *static_cast<Waiting*>(of_waiting);
        self.got = zalloc(self.zone).value();
    }, &waiting));
    sleep_until(machine_clock::now() + 10 * millisecond, false);
    const bool waited = waiting.got == nullptr;
    zfree(zone, first);
    const bool woken = crew.wait(nanoseconds_per_second);
    CHECK_TRUE_TEXT(waited, "at the limit zalloc sleeps");
    CHECK_TRUE_TEXT(woken, "zfree wakes it");
    zfree(zone, waiting.got);
    zfree(zone, second);
    zone_destroy(zone);
}
