#include "grader/target/kernel/key.h"

#include <atomic>
#include <bit>
#include <cstring>

#include "machine/spin_lock.h"
#include "machine/ram.h"

TargetOrders orders;
uint64_t check_seed = 1;

namespace {

volatile uint64_t key_on_its_way[2];
std::atomic<unsigned> cores_with_key{0};

// DBGBVRn_EL1 (ARM ARM D17.3.2): bits 48:2 are an address, bits 63:49 follow bit 48, bits 1:0 are 0. So each takes 46 bits.
constexpr unsigned piece_bits = 46, lowest_bit = 2;
constexpr uint64_t piece_mask = (uint64_t{1} << piece_bits) - 1;

void keep(uint64_t low, uint64_t high) {
    const uint64_t first = low & piece_mask;
    const uint64_t second = (low >> piece_bits | high << (64 - piece_bits)) & piece_mask;
    const uint64_t third = high >> (2 * piece_bits - 64);
    asm volatile("msr dbgbvr1_el1, %0\n\tmsr dbgbvr2_el1, %1\n\tmsr dbgbvr3_el1, %2\n\tisb"
                 ::"r"(first << lowest_bit), "r"(second << lowest_bit), "r"(third << lowest_bit));
}

[[gnu::always_inline]] inline void recall(uint64_t& low, uint64_t& high) {
    uint64_t first, second, third;
    asm volatile("mrs %0, dbgbvr1_el1\n\tmrs %1, dbgbvr2_el1\n\tmrs %2, dbgbvr3_el1" : "=r"(first), "=r"(second), "=r"(third));
    low = first >> lowest_bit | second >> lowest_bit << piece_bits;
    high = second >> (lowest_bit + 64 - piece_bits) | third >> lowest_bit << (2 * piece_bits - 64);
}

void take_orders() {
    auto* page = ram::at<TargetOrders>(PhysAddr(TargetOrders::physical));
    key_on_its_way[0] = page->key[0];
    key_on_its_way[1] = page->key[1];
    page->key[0] = page->key[1] = 0;
    memcpy(&orders, page, sizeof orders);
    check_seed = orders.seed;
}

// All cores have it before core 0 goes on: call_cores() waits for them.
void take_key() {
    keep(key_on_its_way[0], key_on_its_way[1]);
    if (cores_with_key.fetch_add(1) + 1 == max_cores) {
        key_on_its_way[0] = 0;
        key_on_its_way[1] = 0;
    }
}

struct State {
    uint64_t v0, v1, v2, v3;
    void round() {
        v0 += v1;
        v1 = std::rotl(v1, 13) ^ v0;
        v0 = std::rotl(v0, 32);
        v2 += v3;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 += v3;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 += v1;
        v1 = std::rotl(v1, 17) ^ v2;
        v2 = std::rotl(v2, 32);
    }
    void add(uint64_t word) {
        v3 ^= word;
        round();
        round();
        v0 ^= word;
    }
};

}  // namespace

// Interrupts are off, and nothing but registers holds the state: no frame of an interrupt and no stack keeps it.
[[gnu::noinline]] uint64_t signature(std::string_view text) {
    InterruptGuard off;
    uint64_t low, high;
    recall(low, high);
    State state = {low ^ 0x736f'6d65'7073'6575, high ^ 0x646f'7261'6e64'6f6d, low ^ 0x6c79'6765'6e65'7261, high ^ 0x7465'6462'7974'6573};
    low = high = 0;
    uint64_t word = 0;
    for (size_t i = 0; i < text.size(); ++i) {
        word |= static_cast<uint64_t>(static_cast<unsigned char>(text[i])) << (i % 8 * 8);
        if (i % 8 == 7) {
            state.add(word);
            word = 0;
        }
    }
    state.add(word | static_cast<uint64_t>(text.size()) << 56);
    state.v2 ^= 0xff;
    for (int i = 0; i < 4; ++i) {
        state.round();
    }
    return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
}

// The first thing that each core does in C++, before memory, zones or pids are there. (Linked with --wrap.)
extern "C" void __real__Z10enter_corej(unsigned core);
extern "C" void __wrap__Z10enter_corej(unsigned core) {
    if (core == 0) {
        take_orders();
    }
    take_key();
    __real__Z10enter_corej(core);
}
