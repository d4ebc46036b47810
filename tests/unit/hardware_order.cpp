// What hardware is told, and when: tables, TLBs, caches, other cores, devices. docs/hardware-review.md names the manuals'
// paragraphs. The host records what the seam is asked; a test looks at memory at the moment of each call.
#include <optional>

#include "drivers/mailbox.h"
#include "drivers/spin_table.h"
#include "machine/host.h"
#include "mm/address_space.h"
#include "unit/support.h"

namespace {

using Call = host::MmuCall;
using Kind = Call::Kind;

constexpr UserAddr start{0x40'0000};

// What was asked since the recording began.
bool recorded(std::initializer_list<Kind> kinds) {
    if (host::mmu_calls.size() != kinds.size()) {
        return false;
    }
    size_t i = 0;
    for (Kind kind : kinds) {
        if (host::mmu_calls[i++].kind != kind) {
            return false;
        }
    }
    return true;
}

}  // namespace

// An address space that some core has active: its TLB may hold every valid entry.
TEST_GROUP(TableOrder) {
    std::optional<Ledger> ledger;
    std::optional<PageTable> table;
    std::optional<AddressSpaceId> id;

    void setup() override {
        ledger.emplace();
        table.emplace(must(PageTable::create()));
        id.emplace();
        InterruptGuard off;
        id->activate(table->root());
    }
    void teardown() override {
        host::mmu_recording = false;
        host::mmu_observe = nullptr;
        id->retire();
        table.reset();
        ledger->check();
    }

    PhysAddr map(UserAddr at, Protection protection = Protection::read_write()) {
        PageRef page = must(PageRef::allocate(PageUse::Anonymous));
        const PhysAddr address = page.address();
        must(table->map(at, std::move(page), protection, false, false));
        return address;
    }
    static void record() {
        host::mmu_calls.clear();
        host::mmu_recording = true;
    }
    static PageUse use_of(PhysAddr page) { return pages::frame_of(page).use(); }
};

TEST(TableOrder, a_new_entry_is_written_before_the_walkers_are_told) {
    record();
    bool valid = false;
    host::mmu_observe = [&](const Call& call) { valid = call.kind == Kind::EntriesWritten && table->find(start)->valid(); };
    map(start);
    CHECK_TRUE(valid);
    CHECK_TRUE(recorded({Kind::EntriesWritten}));
}

TEST(TableOrder, another_page_takes_a_pages_place_by_break_before_make) {
    const PhysAddr old = map(start);
    PageRef fresh = must(PageRef::allocate(PageUse::Anonymous));
    Descriptor& entry = *table->find(start);
    const Descriptor with = Descriptor::user_page(fresh.release(), Protection::read_write(), false, false);
    record();
    bool broken_first = false, old_kept = false, made_last = false;
    host::mmu_observe = [&](const Call& call) {
        if (call.kind == Kind::InvalidatePage) {
            broken_first = !entry.valid() && call.address == start.value && call.asid == id->asid();
            old_kept = use_of(old) == PageUse::Anonymous;
        }
        made_last = call.kind == Kind::EntriesWritten && entry == with;
    };
    table->replace(start, entry, with, *id);
    CHECK_TRUE(broken_first);
    CHECK_TRUE(old_kept);
    CHECK_TRUE(made_last);
    CHECK_TRUE(recorded({Kind::EntriesWritten, Kind::InvalidatePage, Kind::EntriesWritten}));
}

TEST(TableOrder, other_permissions_are_written_before_the_old_ones_are_forgotten) {
    const PhysAddr page = map(start);
    Descriptor& entry = *table->find(start);
    const Descriptor with = Descriptor::user_page(page, Protection::read_only(), false, false);
    record();
    bool written = false;
    host::mmu_observe = [&](const Call& call) { written = call.kind == Kind::InvalidatePage && entry == with; };
    table->change(start, entry, with, *id);
    CHECK_TRUE(written);
}

TEST(TableOrder, what_was_unmapped_is_forgotten_before_it_is_given_back) {
    constexpr size_t few = 3;
    PhysAddr page[few];
    for (size_t i = 0; i < few; ++i) {
        page[i] = map(start + i * page_size);
    }
    const PhysAddr leaf = ram::phys_of(table->find(start)).page_down();
    record();
    size_t forgotten = 0;
    bool reachable = false, given_back = false;
    host::mmu_observe = [&](const Call& call) {
        if (call.kind == Kind::InvalidatePage) {
            ++forgotten;
            reachable |= table->find(start) != nullptr;
            given_back |= use_of(page[0]) != PageUse::Anonymous || use_of(page[2]) != PageUse::Anonymous ||
                          use_of(leaf) != PageUse::PageTable;
        }
    };
    table->unmap(start, start + few * page_size, &*id);
    UNSIGNED_LONGS_EQUAL(few + 2, forgotten);       // and the two tables that became empty
    CHECK_FALSE(reachable);
    CHECK_FALSE(given_back);
}

TEST(TableOrder, many_pages_are_forgotten_at_once_before_they_are_given_back) {
    constexpr size_t many = 20;
    PhysAddr last{0};
    for (size_t i = 0; i < many; ++i) {
        last = map(start + i * page_size);
    }
    bool given_back = false, forgotten = false;
    host::mmu_observe = [&](const Call& call) {
        if (call.kind == Kind::InvalidateSpace) {
            forgotten = call.asid == id->asid();
            given_back |= use_of(last) != PageUse::Anonymous;
        }
    };
    table->unmap(start, start + many * page_size, &*id);
    CHECK_TRUE(forgotten);
    CHECK_FALSE(given_back);
}

TEST(TableOrder, a_page_that_becomes_executable_is_cleaned_before_it_can_be_fetched_from) {
    const PhysAddr page = map(start, Protection::read_only());
    bool fetched_early = false, cleaned = false;
    host::mmu_observe = [&](const Call& call) {
        if (call.kind == Kind::InstructionsChanged) {
            cleaned = call.address == reinterpret_cast<uint64_t>(ram::at<void>(page)) && call.bytes == page_size;
            fetched_early = table->find(start)->user_executable();
        }
    };
    table->protect(start, start + page_size, Protection::read_execute(), *id);
    CHECK_TRUE(cleaned);
    CHECK_FALSE(fetched_early);
    CHECK_TRUE(table->find(start)->user_executable());
}

TEST(TableOrder, the_walkers_are_told_of_all_entries_before_a_new_number_is_used) {
    AddressSpaceId fresh;
    record();
    {
        InterruptGuard off;
        fresh.activate(table->root());
    }
    CHECK_TRUE(recorded({Kind::EntriesWritten, Kind::Activate}));
    fresh.retire();
}

// A program's text, as exec maps it: a file's page, executable, present when it is first fetched.
namespace {

class OnePage final : public PageSource {
public:
    OnePage() : page_(must(PageRef::allocate(PageUse::File))) {}
    Result<PhysAddr> page(uint64_t) override {
        pages::share(page_.address());
        return page_.address();
    }
    void ref_source() override {}
    void unref_source() override {}
    const void* content() { return page_.at<void>(); }

private:
    PageRef page_;
};

}  // namespace

TEST_GROUP(TextOrder) {
    std::optional<Ledger> ledger;
    std::optional<OnePage> text;
    Ref<AddressSpace> space;
    void setup() override {
        ledger.emplace();
        text.emplace();
        space = must(AddressSpace::create());
        must(space->map_source(start, page_size, Protection::read_execute(), *text, 0, {.fixed = true}));
        host::mmu_calls.clear();
        host::mmu_recording = true;
    }
    void teardown() override {
        host::mmu_recording = false;
        host::mmu_observe = nullptr;
        space.reset();
        text.reset();
        ledger->check();
    }
};

TEST(TextOrder, a_page_of_text_is_cleaned_before_it_is_mapped) {
    must(space->handle_fault(start, Access::Execute));
    CHECK_TRUE(recorded({Kind::InstructionsChanged, Kind::EntriesWritten}));
    CHECK_TRUE(host::mmu_calls[0].address == reinterpret_cast<uint64_t>(text->content()));
    UNSIGNED_LONGS_EQUAL(page_size, host::mmu_calls[0].bytes);
}

// The loader's own writes, after which the page is the program's alone.
TEST(TextOrder, what_is_written_to_text_is_cleaned_after_it) {
    const uint32_t instruction = 0xd503'201f;
    uint32_t cleaned = 0;       // what lay there when it was cleaned last
    host::mmu_observe = [&](const Call& call) {
        if (call.kind == Kind::InstructionsChanged && call.bytes >= sizeof instruction) {
            cleaned = *reinterpret_cast<const uint32_t*>(call.address);
        }
    };
    must(space->store(start, &instruction, sizeof instruction, true));
    UNSIGNED_LONGS_EQUAL(instruction, cleaned);
}

TEST_GROUP(CoreStart) {
    void teardown() override {
        host::mmu_recording = false;
        host::mmu_observe = nullptr;
    }
};

TEST(CoreStart, each_slot_is_cleaned_after_its_store_and_the_event_comes_last) {
    static constexpr PhysAddr entry{0x8'1234};
    SpinTable table = SpinTable::from(nullptr);
    UNSIGNED_LONGS_EQUAL(0xe8, table.slot[2].value);
    for (PhysAddr& slot : table.slot) {
        slot = host::ram_start + slot.value;        // where the host has memory
        *ram::at<uint64_t>(slot) = 0;
    }
    volatile uint64_t own[max_cores] = {};
    unsigned cleaned = 0, stale = 0;
    host::mmu_observe = [&](const Call& call) {
        if (call.kind == Kind::DataCleaned) {
            ++cleaned;
            stale += *reinterpret_cast<const uint64_t*>(call.address) != entry.value;
        }
    };
    host::mmu_calls.clear();
    host::mmu_recording = true;
    table.call(own, entry);
    UNSIGNED_LONGS_EQUAL(6, cleaned);       // three cores, two tables
    UNSIGNED_LONGS_EQUAL(0, stale);
    UNSIGNED_LONGS_EQUAL(7, host::mmu_calls.size());
    CHECK_TRUE(host::mmu_calls.back().kind == Kind::EventSent);
    CHECK_TRUE(*ram::at<uint64_t>(table.slot[0]) == 0 && own[0] == 0);      // core 0 is here
}

// The test plays the firmware. It answers so late that only a reader who forgets what his caches hold sees it.
TEST_GROUP(MailboxOrder) {
    alignas(MailboxRegisters) uint32_t word[sizeof(MailboxRegisters) / 4] = {};
    static inline Mailbox mailbox;          // aligned to more than the test's allocator gives
    static constexpr size_t read = 0x00, write = 0x20;
    uint32_t& at(size_t offset) { return word[offset / 4]; }
    void setup() override { mailbox.start(*reinterpret_cast<MailboxRegisters*>(word)); }
    void teardown() override {
        host::mmu_recording = false;
        host::mmu_observe = nullptr;
    }
};

TEST(MailboxOrder, a_message_is_cleaned_before_it_is_sent_and_forgotten_before_its_answer_is_read) {
    unsigned steps = 0;
    bool complete = false, sent_early = false, sent = false;
    host::mmu_observe = [&](const Call& call) {
        if (call.kind != Kind::DataCleaned) {
            return;
        }
        auto& message = *reinterpret_cast<property::Message*>(call.address);
        if (++steps == 1) {
            complete = message.words[2] == property::GetTemperature::tag && call.bytes == sizeof message;
            sent_early = at(write) != 0;
            at(read) = static_cast<uint32_t>(call.address & 0x3fff'ffff) | 0xc000'0008;
        } else {
            sent = at(write) == at(read);
            message.words[1] = 0x8000'0000;
            message.words[4] = 0x8000'0008;
            message.words[6] = 48'312;
        }
    };
    host::mmu_calls.clear();
    host::mmu_recording = true;
    property::GetTemperature tag;
    CHECK_TRUE(mailbox.call(tag).ok());
    UNSIGNED_LONGS_EQUAL(48'312, tag.thousandths);
    CHECK_TRUE(complete);
    CHECK_FALSE(sent_early);
    CHECK_TRUE(sent);
    // At both ends of what is done to the device: accesses to two devices keep no order by themselves.
    CHECK_TRUE(recorded({Kind::DataCleaned, Kind::DeviceBarrier, Kind::DeviceBarrier, Kind::DataCleaned}));
}
