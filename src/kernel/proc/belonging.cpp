// Coalitions and personas. See belonging.h.
#include "kernel/proc/belonging.h"

#include <atomic>

#include "kernel/proc/calls.h"
#include "kernel/proc/family.h"
#include "kernel/proc/memory_pressure.h"
#include "mm/user_copy.h"

namespace {

std::atomic<uint64_t> last_coalition{0};
std::atomic<int32_t> last_persona{0};

}  // namespace

Zone& Coalition::zone() {
    static Zone& zone = zone_create({.name = "coalitions", .element_size = sizeof(Coalition)}).value();
    return zone;
}

Result<Ref<Coalition>> Coalition::create() {
    auto coalition = TRY(zone_new<Coalition>({.wait = false}, last_coalition.fetch_add(1, std::memory_order_relaxed) + 1));
    return Ref<Coalition>::adopt(*coalition.release());
}

void Coalition::last_reference_gone() { ZoneDelete<Coalition>{}(*this); }

void Coalition::member_ended_locked(const ForkloreUsage& usage) {
    ++ended_;
    usage_add(usage_of_ended_, usage);
}

ForkloreCoalitionInfo Coalition::sum_locked() const {
    ForkloreCoalitionInfo sum{.number = number, .members = 0, .ended = ended_, .resident_pages = 0, .usage = usage_of_ended_};
    for (Proc& proc : all_processes()) {
        if (proc.inherited.coalition.get() != this) {
            continue;
        }
        ++sum.members;
        usage_add(sum.usage, proc_usage(proc));
        SpinGuard guard(proc.signals.lock);
        sum.resident_pages += resident_pages_locked(proc).value;
    }
    return sum;
}

Zone& Persona::zone() {
    static Zone& zone = zone_create({.name = "personas", .element_size = sizeof(Persona)}).value();
    return zone;
}

Result<Ref<Persona>> Persona::create(UserAddr name) {
    ForklorePersona info{.number = last_persona.fetch_add(1, std::memory_order_relaxed) + 1, .name = {}};
    TRY(copy_in_string(info.name, name, sizeof info.name));
    auto persona = TRY(zone_new<Persona>({.wait = false}, info));
    return Ref<Persona>::adopt(*persona.release());
}

Result<Ref<Persona>> Persona::find(int32_t number) {
    SpinGuard guard(families_lock);
    for (Proc& proc : all_processes()) {
        if (const Ref<Persona>& persona = proc.inherited.persona; persona && persona->info.number == number) {
            return persona;
        }
    }
    return Error::NoProcess;
}

void Persona::last_reference_gone() { ZoneDelete<Persona>{}(*this); }

Result<> choose_belonging(Belonging& belonging, const ForkloreSpawn& attributes) {
    if ((attributes.flags & FL_SPAWN_NEWCOALITION) != 0) {
        belonging.coalition = TRY(Coalition::create());
    }
    if ((attributes.flags & FL_SPAWN_SETPERSONA) == 0) {
        return {};
    }
    if (!current_credentials()->is_root()) {
        return Error::NotPermitted;
    }
    if (attributes.persona_name != 0) {
        belonging.persona = TRY(Persona::create(UserAddr(attributes.persona_name)));
    } else if (attributes.persona != 0) {
        belonging.persona = TRY(Persona::find(attributes.persona));
    } else {
        belonging.persona.reset();
    }
    return {};
}

namespace {

// The one with the lowest number above `last`; null behind the last.
Coalition* next_coalition_locked(uint64_t last) REQUIRES(families_lock) {
    Coalition* next = nullptr;
    for (Proc& proc : all_processes()) {
        Coalition* coalition = proc.inherited.coalition.get();
        if (coalition != nullptr && coalition->number > last && (next == nullptr || coalition->number < next->number)) {
            next = coalition;
        }
    }
    return next;
}

}  // namespace

// Each coalition's sum is one moment's; between two of them the table may change.
Result<uint64_t> sys_coalition_list(UserFrame& frame) {
    const UserAddr to(frame.x[0]);
    const uint64_t count = frame.x[1];
    ForkloreCoalitionInfo info{};
    for (uint64_t seen = 0;; ++seen) {
        {
            SpinGuard guard(families_lock);
            Coalition* coalition = next_coalition_locked(info.number);
            if (coalition == nullptr) {
                return seen;
            }
            info = coalition->sum_locked();
        }
        if (seen < count) {
            TRY(copy_out_value(to + seen * sizeof info, info));
        }
    }
}

Result<uint64_t> sys_persona(UserFrame& frame) {
    const auto pid = static_cast<int32_t>(frame.x[0]);
    const UserAddr info_at(frame.x[1]);
    ForklorePersona info{};
    {
        SpinGuard guard(families_lock);
        Proc* proc = pid == 0 ? &current_proc() : find_process_locked(static_cast<Pid>(pid));
        if (proc == nullptr) {
            return Error::NoProcess;
        }
        if (const Ref<Persona>& persona = proc->inherited.persona) {
            info = persona->info;
        }
    }
    if (!info_at.null()) {
        TRY(copy_out_value(info_at, info));
    }
    return static_cast<uint64_t>(info.number);
}
