// Names: they are listed whole, piece by piece, and what they take is bounded.
#include "unit/support.h"

#include "base/format.h"
#include "kernel/fs/directory.h"
#include "kernel/fs/quota.h"

TEST_GROUP(Names) {
    Ref<Directory> root;
    PageCount limit = file_quota::limit();
    PageCount used = file_quota::used();

    void setup() override {
        root = must(Directory::create({}, 0755));
        root->make_root();
    }
    void teardown() override {
        root->clear();
        root.reset();
        file_quota::set_limit(limit);
        UNSIGNED_LONGS_EQUAL(used.value, file_quota::used().value);
    }
    Result<> make(std::string_view name) {
        bool made = false;
        TRY(root->find_or_make_file({}, name, 0644, made));
        return {};
    }
    Result<> make_numbered(unsigned number) {
        TextBuffer<64> name;
        name.add("a name that does not lie in its entry {}", number);
        return make(name.text());
    }
    // How many the quota has room for.
    unsigned fill() {
        unsigned made = 0;
        while (made < 100'000 && make_numbered(made).ok()) {
            ++made;
        }
        return made;
    }
};

TEST(Names, of_a_large_directory_are_listed_once_each_in_several_pieces) {
    constexpr unsigned count = 300;
    for (unsigned i = 0; i < count; ++i) {
        must(make_numbered(i));
    }
    static char buffer[8192];
    Transfer transfer{.buffer = IoBuffer(buffer, sizeof buffer)};
    unsigned found = 0, pieces = 0;
    while (const size_t length = must(root->list(transfer))) {
        ++pieces;
        for (size_t at = 0; at < length; ++found) {
            at += reinterpret_cast<const ForkloreDirent*>(buffer + at)->length;
        }
    }
    UNSIGNED_LONGS_EQUAL(count + 2, found);
    CHECK_TRUE(pieces > 1);
}

TEST(Names, that_do_not_fit_the_buffer_are_refused) {
    char buffer[8];
    Transfer transfer{.buffer = IoBuffer(buffer, sizeof buffer)};
    must_fail(Error::Invalid, root->list(transfer));
    UNSIGNED_LONGS_EQUAL(0, transfer.offset);
}

TEST(Names, without_content_take_from_the_quota) {
    file_quota::set_limit(PageCount(used.value + 16));
    const unsigned made = fill();
    CHECK_TRUE(made > 16 && made < 16 * page_size / 256);
    must_fail(Error::NoSpace, make("one more"));
    must_fail(Error::NoSpace, root->make_directory({}, "directory", 0755));
    must(make_numbered(0));         // it is there
}

TEST(Names, give_their_quota_back_when_they_are_removed) {
    file_quota::set_limit(PageCount(used.value + 16));
    const unsigned made = fill();
    for (unsigned i = 0; i < made; ++i) {
        TextBuffer<64> name;
        name.add("a name that does not lie in its entry {}", i);
        must(root->remove_file({}, name.text()));
    }
    UNSIGNED_LONGS_EQUAL(made, fill());
}

TEST(Names, change_for_others_at_no_cost) {
    must(make("old"));
    const PageCount before = file_quota::used();
    for (int i = 0; i < 100; ++i) {
        must(Directory::rename({}, *root, "old", *root, "new"));
        must(Directory::rename({}, *root, "new", *root, "old"));
    }
    UNSIGNED_LONGS_EQUAL(before.value, file_quota::used().value);
}
