// Owned, Ref and ScopeGuard: given back once, in reverse order.
#include "CppUTest/TestHarness.h"

#include "base/owned.h"
#include "base/ref.h"

namespace {

char order[8];
int given = 0;

struct Thing {
    char name;
};
struct GiveBack {
    void operator()(Thing& thing) const { order[given++] = thing.name; }
};
using OwnedThing = Owned<Thing, GiveBack>;

struct Shared : RefCounted {
    int gone = 0;
    void last_reference_gone() { ++gone; }
};

}  // namespace

TEST_GROUP(Owners) {
    Thing a{'a'}, b{'b'};
    void setup() override { given = 0; }
};

TEST(Owners, give_back_in_reverse_order) {
    {
        OwnedThing first(a);
        OwnedThing second(b);
    }
    STRNCMP_EQUAL("ba", order, 2);
    LONGS_EQUAL(2, given);
}

TEST(Owners, moved_from_owns_nothing) {
    {
        OwnedThing first(a);
        OwnedThing second(std::move(first));
        CHECK_FALSE(static_cast<bool>(first));
        POINTERS_EQUAL(&a, second.get());
    }
    LONGS_EQUAL(1, given);
}

TEST(Owners, assignment_gives_the_old_one_back) {
    OwnedThing owner(a);
    owner = OwnedThing(b);
    LONGS_EQUAL(1, given);
    LONGS_EQUAL('a', order[0]);
    POINTERS_EQUAL(&b, owner.release());
    LONGS_EQUAL(1, given);
}

TEST(Owners, last_reference_ends_the_object_once) {
    Shared shared;
    {
        Ref<Shared> one = Ref<Shared>::adopt(shared);
        Ref<Shared> two = one;
        LONGS_EQUAL(2, shared.references());
        one.reset();
        LONGS_EQUAL(0, shared.gone);
        Ref<Shared> three = std::move(two);
        LONGS_EQUAL(1, shared.references());
    }
    LONGS_EQUAL(1, shared.gone);
}

TEST(Owners, scope_guard_runs_unless_released) {
    int runs = 0;
    {
        ScopeGuard first([&] { ++runs; });
        ScopeGuard second([&] { ++runs; });
        second.release();
    }
    LONGS_EQUAL(1, runs);
}
