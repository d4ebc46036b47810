// The device tree reader, over trees that a small writer makes: sound ones, and ones broken in every place.
#include "drivers/device_tree.h"

#include <cstring>

#include <CppUTest/TestHarness.h>

namespace {

// Writes a flattened device tree of version 17 into a buffer.
class Writer {
public:
    void begin(const char* name) {
        word(1);
        text(name);
    }
    void end() { word(2); }
    void property(const char* name, const void* value, uint32_t size) {
        word(3);
        word(size);
        word(string(name));
        std::memcpy(structure_ + used_, value, size);
        used_ = (used_ + size + 3) & ~3u;
    }
    void property(const char* name, const char* value) {
        property(name, value, static_cast<uint32_t>(std::strlen(value)) + 1);
    }
    void cells(const char* name, uint32_t a) {
        uint32_t value = __builtin_bswap32(a);
        property(name, &value, 4);
    }
    void cells(const char* name, uint32_t a, uint32_t b) {
        uint32_t value[2] = {__builtin_bswap32(a), __builtin_bswap32(b)};
        property(name, value, 8);
    }
    void word(uint32_t value) {
        put(structure_ + used_, value);
        used_ += 4;
    }
    uint32_t finish(uint8_t* to) {
        word(9);
        constexpr uint32_t reservations = 40, structure = 40 + 32;
        const uint32_t strings = structure + used_, total = strings + strings_used_;
        std::memset(to, 0, total);
        const uint32_t header[10] = {0xd00dfeed, total, structure, strings, reservations, 17, 16, 0, strings_used_, used_};
        for (int i = 0; i < 10; ++i) put(to + 4 * i, header[i]);
        put(to + reservations + 12, 0x1000);        // one reservation: 0..0x1000
        std::memcpy(to + structure, structure_, used_);
        std::memcpy(to + strings, strings_text_, strings_used_);
        return total;
    }

private:
    static void put(uint8_t* at, uint32_t value) {
        value = __builtin_bswap32(value);
        std::memcpy(at, &value, 4);
    }
    void text(const char* value) {
        std::strcpy(reinterpret_cast<char*>(structure_) + used_, value);
        used_ = (used_ + static_cast<uint32_t>(std::strlen(value)) + 4) & ~3u;
    }
    uint32_t string(const char* name) {
        const uint32_t at = strings_used_;
        std::strcpy(strings_text_ + at, name);
        strings_used_ += static_cast<uint32_t>(std::strlen(name)) + 1;
        return at;
    }
    uint8_t structure_[2048] = {};
    char strings_text_[512] = {};
    uint32_t used_ = 0, strings_used_ = 0;
};

}  // namespace

TEST_GROUP(DeviceTree) {
    Writer writer;
    alignas(8) uint8_t bytes[4096];
    uint32_t size = 0;
    DeviceTree tree;

    void setup() override {
        writer.begin("");
        writer.cells("#address-cells", 1);
        writer.cells("#size-cells", 1);
        writer.property("model", "A Test Board");
        writer.begin("memory@0");
        writer.cells("reg", 0, 0x3c000000);
        writer.end();
        writer.begin("chosen");
        writer.property("bootargs", "quiet seed=1");
        writer.cells("linux,initrd-start", 0x8000000);
        writer.cells("linux,initrd-end", 0, 0x8100000);
        writer.end();
        writer.begin("cpus");
        writer.cells("#address-cells", 1);
        writer.cells("#size-cells", 0);
        writer.begin("cpu@2");
        writer.cells("reg", 2);
        writer.cells("cpu-release-addr", 0, 0xe8);
        writer.end();
        writer.end();
        writer.begin("reserved-memory");
        writer.cells("#address-cells", 1);
        writer.cells("#size-cells", 1);
        writer.begin("firmware@3b000000");
        writer.cells("reg", 0x3b000000, 0x10000);
        writer.end();
        writer.end();
        writer.end();
        size = writer.finish(bytes);
    }
    const char* open() { return DeviceTree::open(bytes, size, tree); }
};

TEST(DeviceTree, ASoundTreeIsAccepted) {
    CHECK(DeviceTree::claims(bytes));
    POINTERS_EQUAL(nullptr, open());
    LONGS_EQUAL(size, tree.size());
}

TEST(DeviceTree, WhatTheKernelAsksForIsFound) {
    open();
    CHECK(tree.model() == "A Test Board");
    CHECK(tree.boot_arguments() == "quiet seed=1");
    CHECK(tree.initrd().start == PhysAddr(0x8000000));
    CHECK(tree.initrd().end == PhysAddr(0x8100000));
    CHECK(tree.release_address(2) == 0xe8);
    CHECK(tree.release_address(1) == 0);
}

TEST(DeviceTree, MemoryAndReservationsAreRanges) {
    open();
    DeviceTree::Range ranges[4];
    LONGS_EQUAL(1, tree.memory(ranges, 4));
    CHECK(ranges[0].start == PhysAddr(0) && ranges[0].end == PhysAddr(0x3c000000));
    LONGS_EQUAL(2, tree.reserved(ranges, 4));
    CHECK(ranges[0].end == PhysAddr(0x1000));
    CHECK(ranges[1].start == PhysAddr(0x3b000000) && ranges[1].end == PhysAddr(0x3b010000));
}

TEST(DeviceTree, MoreRangesThanRoomAreCountedNotStored) {
    open();
    DeviceTree::Range one[1];
    LONGS_EQUAL(2, tree.reserved(one, 1));
}

TEST(DeviceTree, ANodeIsFoundWithAndWithoutItsAddress) {
    open();
    CHECK(tree.find("/memory").valid());
    CHECK(tree.find("/memory@0").valid());
    CHECK_FALSE(tree.find("/memory@1").valid());
    CHECK_FALSE(tree.find("/mem").valid());
    CHECK(tree.name(tree.find("/cpus/cpu@2")) == "cpu@2");
}

TEST(DeviceTree, WhatIsMissingReadsAsEmpty) {
    open();
    CHECK_FALSE(tree.property(tree.find("/nowhere"), "reg").valid());
    CHECK_FALSE(tree.property(tree.root(), "serial").valid());
    CHECK(tree.property(tree.find("/chosen"), "none").text().empty());
}

TEST(DeviceTree, OtherMagicIsNamed) {
    bytes[0] = 0;
    CHECK_FALSE(DeviceTree::claims(bytes));
    STRCMP_EQUAL("the magic number is not d00dfeed", open());
}

TEST(DeviceTree, ATreeThatIsLongerThanItsMemoryIsNamed) {
    STRCMP_EQUAL("it is longer than the memory it lies in", DeviceTree::open(bytes, size - 1, tree));
    STRCMP_EQUAL("there is no room for the header", DeviceTree::open(bytes, 39, tree));
}

TEST(DeviceTree, AnUnknownTokenIsNamed) {
    bytes[40 + 32 + 3] = 7;     // the first token
    STRCMP_EQUAL("there is an unknown token in the structure block", open());
}

TEST(DeviceTree, NodesThatNeverEndAreNamed) {
    bytes[40 + 32 + 3] = 4;     // the root's beginning becomes nothing: its name is a token too
    CHECK(open() != nullptr);
}

// Every byte, set to each of a few values: never a read outside (the sanitizer looks), never a walk without end.
TEST(DeviceTree, NoBrokenByteLeadsAstray) {
    const uint8_t values[] = {0, 1, 2, 3, 9, 0x7f, 0xff};
    unsigned refused = 0;
    for (uint32_t at = 0; at < size; ++at) {
        for (uint8_t value : values) {
            const uint8_t before = bytes[at];
            bytes[at] = value;
            if (open() != nullptr) {
                ++refused;
            } else {
                DeviceTree::Range ranges[4];
                (void)tree.model();
                (void)tree.boot_arguments();
                (void)tree.initrd();
                (void)tree.release_address(2);
                (void)tree.memory(ranges, 4);
                (void)tree.reserved(ranges, 4);
            }
            bytes[at] = before;
        }
    }
    CHECK(refused > 100);
}

TEST(DeviceTree, EveryShortenedTreeIsRefused) {
    for (uint32_t room = 0; room < size; ++room) {
        CHECK(DeviceTree::open(bytes, room, tree) != nullptr);
    }
}
