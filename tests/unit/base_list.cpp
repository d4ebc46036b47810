// The intrusive list.
#include "CppUTest/TestHarness.h"

#include "base/list.h"

namespace {

struct Item {
    explicit Item(int n) : number(n) {}
    virtual ~Item() = default;      // not standard layout, on purpose
    int number;
    ListNode link;
    ListNode other_link;
};
using Items = List<Item, &Item::link>;
using OtherItems = List<Item, &Item::other_link>;

}  // namespace

TEST_GROUP(List) {
    Item one{1}, two{2}, three{3};
    Items items;
    // The numbers in order, as decimal digits.
    int digits() {
        int all = 0;
        for (Item& item : items) {
            all = all * 10 + item.number;
        }
        return all;
    }
};

TEST(List, starts_empty) {
    CHECK_TRUE(items.empty());
    POINTERS_EQUAL(nullptr, items.first());
    POINTERS_EQUAL(nullptr, items.pop_front());
}

TEST(List, keeps_the_order_of_its_making) {
    items.push_back(two);
    items.push_back(three);
    items.push_front(one);
    LONGS_EQUAL(123, digits());
    LONGS_EQUAL(3, items.count());
    POINTERS_EQUAL(&three, items.last());
    POINTERS_EQUAL(&two, items.after(one));
    POINTERS_EQUAL(nullptr, items.after(three));
}

TEST(List, inserts_before_an_element) {
    items.push_back(three);
    items.insert_before(three, one);
    items.insert_before(three, two);
    LONGS_EQUAL(123, digits());
}

TEST(List, lets_the_loop_remove_its_element) {
    items.push_back(one);
    items.push_back(two);
    items.push_back(three);
    for (Item& item : items) {
        if (item.number == 2) {
            items.remove(item);
        }
    }
    LONGS_EQUAL(13, digits());
    CHECK_FALSE(Items::linked(two));
}

TEST(List, one_element_on_two_lists_by_two_links) {
    OtherItems others;
    items.push_back(one);
    others.push_back(one);
    items.remove(one);
    CHECK_TRUE(items.empty());
    POINTERS_EQUAL(&one, others.first());
    others.remove(one);
}
