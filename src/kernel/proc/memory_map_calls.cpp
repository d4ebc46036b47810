// A process's memory as others may see it: its regions and the entries of its page tables, for pmap.
#include "abi/forklore.h"
#include "kernel/proc/calls.h"
#include "kernel/proc/family.h"
#include "mm/user_copy.h"

namespace {

// Whoever is the owner of the memory in every respect: a program that runs set-id shows it to root alone.
bool may_look_at(const Credentials& who, Proc& owner) REQUIRES(families_lock) {
    if (who.is_root()) {
        return true;
    }
    SpinGuard guard(owner.lock);
    const Credentials& whom = *owner.credentials;
    return who.effective_uid == whom.real_uid && who.effective_uid == whom.effective_uid && who.effective_uid == whom.saved_uid;
}

// The memory that `pid` runs in, its lender's while it is on loan; nothing for a zombie. 0 is the caller. The reference keeps it
// while the process ends or execs. NoProcess; NotPermitted: the process or its lender is not the caller's to look at.
Result<Ref<AddressSpace>> memory_of(Pid pid) {
    const Ref<Credentials> who = current_credentials();
    Ref<AddressSpace> space;        // given back, if it is not told, without the lock
    SpinGuard guard(families_lock);
    Proc* target = pid == Pid::Kernel ? &current_proc() : find_process_locked(pid);
    if (target == nullptr) {
        return Error::NoProcess;
    }
    Proc* owner = target;
    {
        SpinGuard signals_guard(target->signals.lock);
        if (const Task* task = target->lent_thread != nullptr ? target->lent_thread->task : target->task.get()) {
            space = task->space;
            owner = task->proc;
        }
    }
    if (!may_look_at(*who, *target) || !may_look_at(*who, *owner)) {
        return Error::NotPermitted;
    }
    return space;
}

uint32_t protection_bits(bool read, bool write, bool execute) {
    return (read ? FL_PROT_READ : 0) | (write ? FL_PROT_WRITE : 0) | (execute ? FL_PROT_EXEC : 0);
}

ForkloreRegionInfo told(const RegionInfo& region) {
    constexpr ForkloreRegionKind kinds[] = {FL_REGION_ANONYMOUS, FL_REGION_FILE, FL_REGION_HEAP, FL_REGION_STACK};
    const Protection& may = region.protection;
    return {.start = region.start.value, .end = region.end.value,
            .protection = protection_bits(may.read, may.write, may.execute),
            .kind = static_cast<uint32_t>(kinds[static_cast<unsigned>(region.kind)]),
            .shared = region.shared, .reserved = 0, .pages = region.resident.value};
}
UserAddr behind(const RegionInfo& region) { return region.end; }

ForklorePageInfo told(const PageInfo& page) {
    const Descriptor& entry = page.entry;
    return {.address = page.address.value, .entry = entry.bits, .frame = entry.address().value,
            .protection = protection_bits(entry.allows(Access::Read), entry.allows(Access::Write), entry.allows(Access::Execute)),
            .flags = entry.copy_on_write() * uint32_t{FL_PAGE_COPY_ON_WRITE} | entry.shared() * uint32_t{FL_PAGE_SHARED},
            .references = page.references};
}
UserAddr behind(const PageInfo& page) { return page.address + page_size; }

// (pid, from, array, count): piece by piece, because the array lies in memory that may have to be made, under a mutex of the
// same rank. What changes between two pieces is seen or not, as for two calls.
template <typename Told, typename Info>
Result<uint64_t> list(const UserFrame& frame, size_t (AddressSpace::*look)(UserAddr, Info*, size_t)) {
    const Ref<AddressSpace> space = TRY(memory_of(Pid(static_cast<int32_t>(frame.x[0]))));
    UserAddr from(frame.x[1]);
    const UserAddr to(frame.x[2]);
    const uint64_t count = frame.x[3];
    constexpr size_t piece = 8;
    Info seen[piece];
    Told out[piece];
    uint64_t done = 0;
    while (space && done < count && from < user_end) {
        const size_t wanted = count - done < piece ? count - done : piece;
        const size_t filled = (space.get()->*look)(from, seen, wanted);
        for (size_t i = 0; i < filled; ++i) {
            out[i] = told(seen[i]);
        }
        TRY(copy_out(to + done * sizeof(Told), out, filled * sizeof(Told)));
        done += filled;
        if (filled < wanted) {
            break;
        }
        from = behind(seen[filled - 1]);
    }
    return done;
}

}  // namespace

Result<uint64_t> sys_region_list(UserFrame& frame) { return list<ForkloreRegionInfo>(frame, &AddressSpace::regions); }
Result<uint64_t> sys_page_list(UserFrame& frame) { return list<ForklorePageInfo>(frame, &AddressSpace::page_entries); }
