// Address-space ids across generations: no two spaces that live share a number.
#include <array>
#include <thread>

#include "CppUTest/TestHarness.h"

#include "host/machine/host.h"
#include "mm/address_space_id.h"

namespace {

constexpr PhysAddr root{0x1000};

// Another core runs spaces until there are no numbers left, so that the next generation begins; this core goes on with
// the space that it has active.
void begin_next_generation() {
    std::thread([] {
        const uint64_t generation = AddressSpaceId::generation();
        while (AddressSpaceId::generation() == generation) {
            AddressSpaceId passing;
            passing.activate(root);
            passing.retire();
        }
    }).join();
}

}  // namespace

TEST_GROUP(AddressSpaceIds) {
    static constexpr unsigned few = 4;      // bits: fifteen numbers a generation
    unsigned width_before = host::asid_width;
    void setup() override {
        host::asid_width = few;
        begin_next_generation();
    }
    void teardown() override {
        host::mmu_observe = nullptr;
        host::asid_width = width_before;
    }

    // While this core is in the middle of `leave`, with the tables of `left` still in its MMU, another one begins the next
    // generation. What this core fetches of them meanwhile bears the number of `left`: nobody else may get it.
    template <typename Leave>
    void check_number_stays_until_left(AddressSpaceId& left, host::MmuCall::Kind call_of_leave, Leave leave) {
        host::mmu_observe = [&](const host::MmuCall& call) {
            if (call.kind == call_of_leave) {
                host::mmu_observe = nullptr;
                begin_next_generation();
            }
        };
        leave();
        CHECK(!host::mmu_observe);
        std::array<AddressSpaceId, 10> others;
        for (AddressSpaceId& other : others) {
            other.activate(root);
            CHECK(other.asid() != left.asid());
        }
        for (AddressSpaceId& other : others) {
            other.retire();
        }
    }
};

TEST(AddressSpaceIds, a_space_that_runs_keeps_its_number_when_a_generation_begins) {
    AddressSpaceId running;
    running.activate(root);
    const mmu::Asid number = running.asid();
    begin_next_generation();
    running.activate(root);
    LONGS_EQUAL(number, running.asid());
    running.retire();
}

// The sleepers' numbers of old belong to others now, one of whom runs when a further generation begins. A sleeper that
// wakes may not take that one's number for its own: the TLBs would give it the other's pages.
TEST(AddressSpaceIds, a_space_that_slept_through_a_generation_gets_no_number_of_a_running_one) {
    std::array<AddressSpaceId, 8> sleepers, spaces;
    for (AddressSpaceId& sleeper : sleepers) {
        sleeper.activate(root);
    }
    AddressSpaceId::activate_none();
    begin_next_generation();
    for (AddressSpaceId& space : spaces) {
        space.activate(root);
    }
    AddressSpaceId& running = spaces[3];
    running.activate(root);
    begin_next_generation();
    running.activate(root);
    for (AddressSpaceId& sleeper : sleepers) {
        sleeper.activate(root);
        CHECK(sleeper.asid() != running.asid());
    }
    for (AddressSpaceId& sleeper : sleepers) {
        sleeper.retire();
    }
    for (AddressSpaceId& space : spaces) {
        space.retire();
    }
}

TEST(AddressSpaceIds, a_number_is_not_dealt_again_before_its_core_has_left_the_tables_for_others) {
    AddressSpaceId left, entered;
    entered.activate(root);
    left.activate(root);
    check_number_stays_until_left(left, host::MmuCall::Kind::Activate, [&] { entered.activate(root); });
    left.retire();
    entered.retire();
}

TEST(AddressSpaceIds, a_number_is_not_dealt_again_before_its_core_has_left_the_tables_for_none) {
    AddressSpaceId left;
    left.activate(root);
    check_number_stays_until_left(left, host::MmuCall::Kind::ActivateNone, [] { AddressSpaceId::activate_none(); });
    left.retire();
}
