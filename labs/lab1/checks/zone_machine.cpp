// Lab 1 on the host's machine: misuse.
#include "grader/runner/host_check.h"
#include "unit/support.h"

TEST_GROUP(ZoneMisuse) {};

TEST(ZoneMisuse, double_free_panics) {
    Zone& zone = must(zone_create({.name = "tested", .element_size = 64}));
    void* first = must(zalloc(zone));
    void* second = must(zalloc(zone));
    zfree(zone, first);
    zfree(zone, second);
    MUST_PANIC(zfree(zone, first));
}

TEST(ZoneMisuse, free_into_the_wrong_zone_panics) {
    Zone& zone = must(zone_create({.name = "tested", .element_size = 64}));
    Zone& other = must(zone_create({.name = "other", .element_size = 64}));
    void* element = must(zalloc(zone));
    void* fellow = must(zalloc(other));
    zfree(other, fellow);
    MUST_PANIC(zfree(other, element));
}

TEST(ZoneMisuse, free_of_a_pointer_into_an_element_panics) {
    Zone& zone = must(zone_create({.name = "tested", .element_size = 64}));
    char* element = static_cast<char*>(must(zalloc(zone)));
    MUST_PANIC(zfree(zone, element + 16));
}

TEST(ZoneMisuse, destroying_a_zone_with_a_live_element_panics) {
    Zone& zone = must(zone_create({.name = "tested", .element_size = 64}));
    must(zalloc(zone));
    MUST_PANIC(zone_destroy(zone));
}
