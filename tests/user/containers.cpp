// C++'s own types in programs: what the headers hold and what the library adds below them.
#include <algorithm>
#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "user/support/support.h"

TEST_GROUP(Containers) {
    uint32_t seed = 1;
    uint32_t random() {
        seed = seed * 1664525 + 1013904223;
        return seed >> 8;
    }
};

TEST(Containers, strings_grow_compare_and_search) {
    std::string text;
    for (int i = 0; i < 100; ++i) {
        text += std::to_string(i) + ",";
    }
    LONGS_EQUAL(290, text.size());
    LONGS_EQUAL(text.find("57,"), text.rfind("57,"));
    CHECK(text.substr(0, 4) == "0,1," && text < "1" && std::string("b") + 'c' == "bc");
    text.erase(4).insert(0, 3, 'x').replace(0, 1, "yz");
    STRCMP_EQUAL("yzxx0,1,", text.c_str());
    LONGS_EQUAL(-17, std::stoi("-17 rest"));
}

// Every insertion and removal is followed by a comparison with a sorted vector, in both directions.
TEST(Containers, maps_stay_sorted_and_complete_whatever_is_put_in_and_taken_out) {
    std::map<uint32_t, uint32_t> map;
    std::vector<uint32_t> keys;
    int differences = 0;
    for (int step = 0; step < 3000; ++step) {
        const uint32_t key = random() % 200;
        const auto at = std::lower_bound(keys.begin(), keys.end(), key);
        const bool there = at != keys.end() && *at == key;
        if (random() % 2 == 0) {
            differences += map.emplace(key, ~key).second == there;
            if (!there) {
                keys.insert(at, key);
            }
        } else {
            differences += map.erase(key) != there;
            if (there) {
                keys.erase(at);
            }
        }
        differences += !std::equal(map.begin(), map.end(), keys.begin(), keys.end(),
                                   [](const auto& entry, uint32_t wanted) { return entry.first == wanted && entry.second == ~wanted; });
        differences += !std::equal(map.rbegin(), map.rend(), keys.rbegin(), keys.rend(),
                                   [](const auto& entry, uint32_t wanted) { return entry.first == wanted; });
    }
    LONGS_EQUAL(0, differences);
}

TEST(Containers, a_set_of_ascending_keys_is_no_list) {
    // A comparison counts; an unbalanced tree would need a thousand of them.
    static int comparisons;
    struct Counted {
        bool operator()(int one, int other) const {
            ++comparisons;
            return one < other;
        }
    };
    std::set<int, Counted> set;
    for (int i = 0; i < 1000; ++i) {
        set.insert(i);
    }
    comparisons = 0;
    CHECK(set.count(999) == 1);
    CHECK(comparisons < 50);
    for (int i = 0; i < 900; ++i) {
        set.erase(i);
    }
    comparisons = 0;
    CHECK(set.count(950) == 1);
    CHECK(comparisons < 50);
}

TEST(Containers, lists_splice_reverse_and_sort) {
    std::list<int> one{3, 1, 2}, other{6, 5};
    one.splice(one.begin(), other);
    CHECK(other.empty() && (one == std::list<int>{6, 5, 3, 1, 2}));
    one.reverse();
    CHECK((one == std::list<int>{2, 1, 3, 5, 6}));
    one.sort();
    one.swap(other);
    CHECK(one.empty() && (other == std::list<int>{1, 2, 3, 5, 6}));
}

TEST(Containers, hash_tables_find_everything_again) {
    std::unordered_map<std::string, int> table;
    for (int i = 0; i < 2000; ++i) {
        table["key " + std::to_string(i)] = i;
    }
    int found = 0;
    for (int i = 0; i < 2000; ++i) {
        found += table.at("key " + std::to_string(i)) == i;
    }
    LONGS_EQUAL(2000, found);
    CHECK(table.count("key 2000") == 0 && table.load_factor() <= table.max_load_factor());
}

TEST(Containers, algorithms_sort_and_sum) {
    std::vector<uint32_t> numbers(1000);
    std::generate(numbers.begin(), numbers.end(), [this] { return random(); });
    const uint64_t sum = std::accumulate(numbers.begin(), numbers.end(), uint64_t{0});
    std::sort(numbers.begin(), numbers.end(), std::greater<>());
    CHECK(std::is_sorted(numbers.rbegin(), numbers.rend()));
    CHECK(sum == std::accumulate(numbers.begin(), numbers.end(), uint64_t{0}));
}

TEST(Containers, owners_delete_once_and_functions_are_values) {
    struct Noted {
        int& count;
        ~Noted() { ++count; }
    };
    int deleted = 0;
    {
        auto one = std::make_unique<Noted>(deleted);
        auto other = std::move(one);
        auto shared = std::make_shared<Noted>(deleted);
        auto again = shared;
        LONGS_EQUAL(0, deleted);
    }
    LONGS_EQUAL(2, deleted);
    std::optional<std::function<int(int)>> twice;
    CHECK(!twice);
    twice = [](int number) { return number * 2; };
    LONGS_EQUAL(8, (*twice)(4));
}

TEST(Containers, an_index_out_of_range_ends_the_program_by_SIGABRT) {
    LONGS_EQUAL(SIGABRT, killed_by(in_child([] {
        close(STDERR_FILENO);
        return std::vector<int>(3).at(3);
    })));
}

TEST(Containers, a_block_keeps_its_wanted_alignment) {
    struct alignas(256) Wide {
        char bytes[256];
    };
    auto wide = std::make_unique<Wide>();
    LONGS_EQUAL(0, reinterpret_cast<uintptr_t>(wide.get()) % 256);
}

TEST(Containers, the_steady_clock_goes_forward) {
    const auto before = std::chrono::steady_clock::now();
    usleep(2'000);
    CHECK(std::chrono::steady_clock::now() - before >= std::chrono::milliseconds(2));
}
