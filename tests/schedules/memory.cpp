// Address spaces: a copy on write sees its parent's memory as of one moment, and neither sees the other's later writes.
#include "schedules/support.h"

#include "explorer/ledger.h"
#include "mm/address_space.h"

namespace {

constexpr UserAddr data{0x20'0000};

// Two words of one page, or of two.
struct Words {
    uint64_t first, second;
};
Words words_in(AddressSpace& space, uint64_t distance) {
    Words words{};
    space.load(&words.first, data, 8).value();
    space.load(&words.second, data + distance, 8).value();
    return words;
}
void put(AddressSpace& space, uint64_t offset, uint64_t value) { space.store(data + offset, &value, 8).value(); }

}  // namespace

TEST_GROUP(Memory) {
    static void clone_against_writes(CopyMode mode, uint64_t distance) {
        explore({}, [=] {
            const explorer::Ledger before;
            {
                Ref<AddressSpace> parent = AddressSpace::create().value();
                parent->map(data, 2 * page_size, Protection::read_write(), {.fixed = true}).value();
                put(*parent, 0, 1);
                put(*parent, distance, 1);
                Ref<AddressSpace> child;
                explorer::thread("writes", [&] {
                    put(*parent, 0, 2);
                    put(*parent, distance, 2);
                });
                explorer::thread("forks", [&] {
                    child = parent->clone(mode).value();
                    const Words seen = words_in(*child, distance);
                    EXPECT(seen.first >= seen.second);       // the first was written first
                    put(*child, 0, seen.first + 10);
                    EXPECT_EQUAL(seen.second, words_in(*child, distance).second);
                });
                explorer::run();
                EXPECT_EQUAL(2, words_in(*parent, distance).first);
                EXPECT_EQUAL(2, words_in(*parent, distance).second);
                EXPECT(words_in(*child, distance).first > 10);
            }
            before.expect_equal();
        });
    }
};

TEST(Memory, a_copy_on_write_is_of_one_moment) { clone_against_writes(CopyMode::CopyOnWrite, 8); }
TEST(Memory, a_copy_on_write_of_two_pages_is_of_one_moment) { clone_against_writes(CopyMode::CopyOnWrite, page_size); }
TEST(Memory, an_eager_copy_is_of_one_moment) { clone_against_writes(CopyMode::Eager, page_size); }

TEST(Memory, parent_and_child_that_write_one_page_at_once_get_one_each) {
    explore({}, [] {
        const explorer::Ledger before;
        {
            Ref<AddressSpace> parent = AddressSpace::create().value();
            parent->map(data, page_size, Protection::read_write(), {.fixed = true}).value();
            put(*parent, 0, 7);
            Ref<AddressSpace> child = parent->clone(CopyMode::CopyOnWrite).value();
            explorer::thread("parent", [&] { put(*parent, 8, 1); });
            explorer::thread("child", [&] { put(*child, 8, 2); });
            explorer::run();
            EXPECT(words_in(*parent, 8).first == 7 && words_in(*parent, 8).second == 1);
            EXPECT(words_in(*child, 8).first == 7 && words_in(*child, 8).second == 2);
        }
        before.expect_equal();
    });
}

TEST(Memory, two_threads_that_touch_one_page_first_get_the_same) {
    explore({}, [] {
        const explorer::Ledger before;
        {
            Ref<AddressSpace> space = AddressSpace::create().value();
            space->map(data, page_size, Protection::read_write(), {.fixed = true}).value();
            explorer::thread("first", [&] { space->handle_fault(data, Access::Write).value(); });
            explorer::thread("second", [&] { space->handle_fault(data, Access::Write).value(); });
            explorer::run();
            EXPECT_EQUAL(1, space->resident().value);
        }
        before.expect_equal();
    });
}
