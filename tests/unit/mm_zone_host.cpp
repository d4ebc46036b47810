// Zones on the host: who waits for an element, and what misuse says. The rest is in mm_zone.cpp, for both machines.
#include <thread>

#include "unit/panics.h"
#include "unit/support.h"

namespace {

bool says(const std::string& message, const char* what) { return message.find(what) != std::string::npos; }

void wait_for_sleepers(size_t count) {
    while (host::sleeping() != count) {
        std::this_thread::yield();
    }
}

// A stray write as the kernel makes it: AddressSanitizer does not see this one.
__attribute__((no_sanitize("address"))) void write_unseen(void* start, size_t byte) {
    static_cast<volatile uint64_t*>(start)[byte / sizeof(uint64_t)] = 1;
}

}  // namespace

TEST_GROUP(ZoneWaiting) {
    Zone* zone = nullptr;
    alignas(Ledger) unsigned char ledger_memory[sizeof(Ledger)];
    Ledger* ledger = nullptr;

    void setup() override {
        ledger = new (ledger_memory) Ledger;
        zone = &must(zone_create({.name = "scarce", .element_size = 64, .limit = 2}));
    }
    void teardown() override {
        zone_destroy(*zone);
        ledger->check();
    }
};

TEST(ZoneWaiting, lasts_until_an_element_is_freed) {
    void* first = must(zalloc(*zone));
    void* second = must(zalloc(*zone));
    void* third = nullptr;
    std::thread waiter([&] { third = zalloc(*zone).value_or(nullptr); });
    wait_for_sleepers(1);
    UNSIGNED_LONGS_EQUAL(2, zone_stats(*zone).live);
    zfree(*zone, first);
    waiter.join();
    CHECK_TRUE(third != nullptr);
    UNSIGNED_LONGS_EQUAL(2, zone_stats(*zone).live);
    zfree(*zone, second);
    zfree(*zone, third);
}

TEST(ZoneWaiting, one_free_element_wakes_one_waiter) {
    void* held[2] = {must(zalloc(*zone)), must(zalloc(*zone))};
    void* got[2] = {};
    std::thread first([&] { got[0] = zalloc(*zone).value_or(nullptr); });
    wait_for_sleepers(1);
    std::thread second([&] { got[1] = zalloc(*zone).value_or(nullptr); });
    wait_for_sleepers(2);
    zfree(*zone, held[0]);
    first.join();
    CHECK_TRUE(got[0] != nullptr);
    wait_for_sleepers(1);               // the second one goes on waiting
    zfree(*zone, held[1]);
    second.join();
    CHECK_TRUE(got[1] != nullptr && got[1] != got[0]);
    zfree(*zone, got[0]);
    zfree(*zone, got[1]);
}

TEST(ZoneWaiting, newcomers_take_no_element_past_a_waiter) {
    void* held[2] = {must(zalloc(*zone)), must(zalloc(*zone))};
    void* got = nullptr;
    std::thread waiter([&] { got = zalloc(*zone).value_or(nullptr); });
    wait_for_sleepers(1);
    must_fail(Error::TryAgain, zalloc(*zone, {.wait = false}));
    zfree(*zone, held[0]);              // the slot is the waiter's at once, whenever it runs
    must_fail(Error::TryAgain, zalloc(*zone, {.wait = false}));
    waiter.join();
    zfree(*zone, got);
    zfree(*zone, held[1]);
}

TEST(ZoneWaiting, with_memory_for_no_slab_is_no_waiting) {
    failpoint::arm(1);                  // the page of the first slab
    must_fail(Error::NoMemory, zalloc(*zone));
    failpoint::disarm();
    UNSIGNED_LONGS_EQUAL(0, zone_stats(*zone).live);
}

TEST(ZoneWaiting, is_not_for_a_zone_that_can_not_be_made) {
    failpoint::arm(0);
    must_fail(Error::NoMemory, zone_create({.name = "never", .element_size = 64}));
    failpoint::disarm();
}

// --- misuse ---

TEST_GROUP(ZoneMisuse) {
    Zone* zone = nullptr;
    Zone* other = nullptr;
    void* element = nullptr;

    void setup() override {
        zone = &must(zone_create({.name = "abused", .element_size = 64}));
        other = &must(zone_create({.name = "innocent", .element_size = 128}));
        element = must(zalloc(*zone));
    }
    void teardown() override {
        zfree(*zone, element);
        zone_destroy(*zone);
        zone_destroy(*other);
    }
    // The word that says who has the element: behind the header of its page, one for each element (zone.cpp).
    uint32_t& record() {
        constexpr uint64_t header = 64;
        const auto address = reinterpret_cast<uint64_t>(element);
        const uint64_t page = address & ~(page_size - 1);
        const uint64_t count = (page_size - header) / (64 + sizeof(uint32_t));
        const uint64_t first = (header + count * sizeof(uint32_t) + 15) & ~uint64_t{15};
        return *reinterpret_cast<uint32_t*>(page + header + (address - page - first) / 64 * sizeof(uint32_t));
    }
};

TEST(ZoneMisuse, a_double_free_names_the_zone_and_both_callers) {
    void* twice = must(zalloc(*zone));
    zfree(*zone, twice);
    std::string message = must_panic([&] { zfree(*zone, twice); });
    CHECK_TRUE(says(message, "abused") && says(message, "double free"));
    CHECK_TRUE(says(message, ", caller") && says(message, "earlier caller"));
}

TEST(ZoneMisuse, an_element_of_another_zone_names_both_zones) {
    std::string message = must_panic([&] { zfree(*other, element); });
    CHECK_TRUE(says(message, "innocent") && says(message, "wrong zone") && says(message, "\"abused\""));
}

TEST(ZoneMisuse, a_pointer_into_an_element_is_no_element) {
    CHECK_TRUE(says(must_panic([&] { zfree(*zone, static_cast<char*>(element) + 16); }), "no element"));
}

TEST(ZoneMisuse, the_head_of_a_slab_is_no_element) {
    void* head = reinterpret_cast<void*>(reinterpret_cast<uint64_t>(element) & ~(page_size - 1));
    CHECK_TRUE(says(must_panic([&] { zfree(*zone, head); }), "no element"));
}

TEST(ZoneMisuse, what_lies_behind_the_last_element_is_no_element) {
    Zone& large = must(zone_create({.name = "large", .element_size = 1008}));     // leaves room behind the last one
    void* one = must(zalloc(large));
    const uint64_t page = reinterpret_cast<uint64_t>(one) & ~(page_size - 1);
    const uint64_t first = 64 + 16;     // the header, and the records rounded up
    CHECK_TRUE(says(must_panic([&] { zfree(large, reinterpret_cast<void*>(page + first + 3 * 1008)); }), "no element"));
    zfree(large, one);
    zone_destroy(large);
}

TEST(ZoneMisuse, memory_of_no_zone_is_found) {
    PageRef page = must(PageRef::allocate(PageUse::Kernel));
    CHECK_TRUE(says(must_panic([&] { zfree(*zone, page.at<void>()); }), "lies in no zone"));
}

TEST(ZoneMisuse, an_element_that_is_in_use_while_it_is_free_is_found) {
    zfree(*zone, element);
    record() |= 1;
    std::string message = must_panic([&] { (void)zalloc(*zone); });
    CHECK_TRUE(says(message, "abused") && says(message, "in use"));
    // The failed zalloc had the element already: teardown frees it.
}

TEST(ZoneMisuse, a_write_to_a_freed_element_is_found_when_it_is_taken_again) {
    for (bool cleared : {false, true}) {
        Zone& tested = must(zone_create({.name = "written", .element_size = 160, .clear_on_free = cleared}));
        ram::junk_everywhere = true;
        void* freed = must(zalloc(tested));
        zfree(tested, freed);
        write_unseen(freed, 152);
        std::string message = must_panic([&] { (void)zalloc(tested); });
        CHECK_TRUE(says(message, "written") && says(message, "at byte 152") && says(message, "earlier caller"));
        zfree(tested, freed);           // the failed zalloc had it already
        zfree(tested, must(zalloc(tested)));
        ram::junk_everywhere = false;   // zones that lived before are not ready for it
        zone_destroy(tested);
    }
}

TEST(ZoneMisuse, a_zone_with_a_live_element_does_not_end) {
    void* second = must(zalloc(*zone));
    std::string message = must_panic([&] { zone_destroy(*zone); });
    CHECK_TRUE(says(message, "abused") && says(message, "destroyed with a live element"));
    zfree(*zone, element);
    CHECK_TRUE(says(must_panic([&] { zone_destroy(*zone); }), "live element"));
    element = second;
}

TEST(ZoneMisuse, a_freed_element_can_not_be_read_on_the_host) {
    void* freed = must(zalloc(*zone));
    zfree(*zone, freed);
    CHECK_TRUE(host::poisoned(freed, 64));
    CHECK_FALSE(host::poisoned(element, 64));
}
