// Result, TRY, and what they do with values that can only be moved.
#include "CppUTest/TestHarness.h"

#include "base/owned.h"
#include "base/result.h"

namespace {

struct Counted {
    static inline int alive = 0;
    int number;
    explicit Counted(int n) : number(n) { ++alive; }
    Counted(Counted&& other) : number(other.number) { ++alive; }
    ~Counted() { --alive; }
};

Result<int> half(int n) {
    if (n % 2 != 0) {
        return Error::Invalid;
    }
    return n / 2;
}

Result<int> quarter(int n) {
    int once = TRY(half(n));
    return TRY(half(once));
}

Result<> check_even(int n) {
    TRY(half(n));
    return {};
}

Result<Counted> make(bool good) {
    if (!good) {
        return Error::NoMemory;
    }
    return Counted(7);
}

Result<int> number_of_made(bool good) {
    Counted made = TRY(make(good));
    return made.number;
}

}  // namespace

TEST_GROUP(Result) {
    void teardown() override { LONGS_EQUAL(0, Counted::alive); }
};

TEST(Result, holds_a_value_or_an_error) {
    LONGS_EQUAL(4, half(8).value());
    LONGS_EQUAL(static_cast<int>(Error::Invalid), static_cast<int>(half(3).error()));
}

TEST(Result, try_passes_the_first_error_on) {
    LONGS_EQUAL(3, quarter(12).value());
    CHECK_FALSE(quarter(6).ok());
    CHECK_TRUE(check_even(2).ok());
    LONGS_EQUAL(static_cast<int>(Error::Invalid), static_cast<int>(check_even(1).error()));
}

TEST(Result, moves_a_value_and_destroys_it_once) {
    LONGS_EQUAL(7, number_of_made(true).value());
    LONGS_EQUAL(static_cast<int>(Error::NoMemory), static_cast<int>(number_of_made(false).error()));
}

TEST(Result, of_a_reference_refers) {
    int number = 1;
    Result<int&> result(number);
    result.value() = 2;
    LONGS_EQUAL(2, number);
}

TEST(Result, value_or_gives_the_other_on_error) {
    LONGS_EQUAL(4, half(8).value_or(9));
    LONGS_EQUAL(9, half(7).value_or(9));
}
