// Lab 0: each check is a sentence of greeting.h.
#include <cstring>

#include "grader/runner/seed.h"
#include "kernel/greeting.h"
#include "unit/support.h"

namespace {

// A buffer of exactly that size, so that AddressSanitizer sees a byte too many.
class Buffer {
public:
    explicit Buffer(size_t size) : bytes_(new char[size]) { memset(bytes_, untouched, size); }
    ~Buffer() { delete[] bytes_; }
    Buffer(const Buffer&) = delete;

    char* at() const { return bytes_; }
    static constexpr char untouched = '#';

private:
    char* bytes_;
};

}  // namespace

TEST_GROUP(Greeting){};

TEST(Greeting, says_hello_to_a_name) {
    Buffer text(64);
    UNSIGNED_LONGS_EQUAL(11, must(greet("Ada", text.at(), 64)));
    STRCMP_EQUAL("Hello, Ada!", text.at());
}

TEST(Greeting, takes_any_name_as_it_is) {
    CheckRandom random;
    char name[20], wanted[40];
    const size_t length = 3 + random.below(sizeof name - 3);
    for (size_t i = 0; i < length; ++i) {
        name[i] = static_cast<char>('A' + random.below(50));
    }
    name[1 + random.below(length - 2)] = " '-.2"[random.below(5)];     // there is one that is no letter, in the middle
    const int size = snprintf(wanted, sizeof wanted, "Hello, %.*s!", static_cast<int>(length), name);
    Buffer text(sizeof wanted);
    UNSIGNED_LONGS_EQUAL(static_cast<unsigned long>(size), must(greet({name, length}, text.at(), sizeof wanted)));
    STRCMP_EQUAL(wanted, text.at());
}

TEST(Greeting, an_empty_name_is_invalid) {
    Buffer text(16);
    must_fail(Error::Invalid, greet("", text.at(), 16));
    BYTES_EQUAL(Buffer::untouched, text.at()[0]);
}

TEST(Greeting, fills_a_buffer_that_just_fits) {
    Buffer text(12);
    UNSIGNED_LONGS_EQUAL(11, must(greet("Ada", text.at(), 12)));
    STRCMP_EQUAL("Hello, Ada!", text.at());
}

TEST(Greeting, a_buffer_one_byte_too_short_is_an_error_and_stays_as_it_was) {
    Buffer text(11);
    must_fail(Error::NameTooLong, greet("Ada", text.at(), 11));
    for (size_t i = 0; i < 11; ++i) {
        BYTES_EQUAL(Buffer::untouched, text.at()[i]);
    }
}

TEST(Greeting, even_a_buffer_of_nothing_is_no_accident) {
    Buffer text(1);
    must_fail(Error::NameTooLong, greet("Ada", text.at(), 0));
    must_fail(Error::NameTooLong, greet("Ada", text.at(), 1));
    BYTES_EQUAL(Buffer::untouched, text.at()[0]);
}
