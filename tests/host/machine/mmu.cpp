// The record of what was asked of the MMU and of the instruction caches. What is asked of devices' memory comes from device.cpp.
#include "machine/mmu.h"

#include <mutex>

#include "host.h"

namespace host {

std::vector<MmuCall> mmu_calls;
bool mmu_recording = false;
std::function<void(const MmuCall&)> mmu_observe;
unsigned asid_width = 16;

static std::mutex recorder;

void record(const MmuCall& call) {
    {
        std::lock_guard guard(recorder);
        if (mmu_recording) {
            mmu_calls.push_back(call);
        }
    }
    if (mmu_observe) {      // which may let other cores do things of their own
        mmu_observe(call);
    }
}

}  // namespace host

using Kind = host::MmuCall::Kind;

namespace mmu {

void activate(PhysAddr root, Asid asid) { host::record({Kind::Activate, root.value, asid}); }
void activate_none() { host::record({Kind::ActivateNone}); }
void invalidate_page(UserAddr address, Asid asid) { host::record({Kind::InvalidatePage, address.value, asid}); }
void invalidate_space(Asid asid) { host::record({Kind::InvalidateSpace, 0, asid}); }
void invalidate_all() { host::record({Kind::InvalidateAll}); }
void entries_written() { host::record({Kind::EntriesWritten}); }
unsigned asid_bits() { return host::asid_width; }

}  // namespace mmu

namespace cpu {

void instructions_changed(const void* start, uint64_t bytes) {
    host::record({.kind = Kind::InstructionsChanged, .address = reinterpret_cast<uint64_t>(start), .bytes = bytes});
}
void send_event() { host::record({Kind::EventSent}); }

}  // namespace cpu
