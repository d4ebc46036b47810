// The ring of audit records, and the calls about auditing. See audit.h.
#include "kernel/proc/audit.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "kernel/proc/calls.h"
#include "kernel/proc/family.h"
#include "machine/clock.h"
#include "mm/user_copy.h"

namespace {

using Record = ForkloreAuditRecord;

SpinLock audit_lock{LockRank::Audit, "audit"};
Record ring[FORKLORE_AUDIT_RECORDS] GUARDED_BY(audit_lock);
uint64_t written GUARDED_BY(audit_lock) = 0;        // records ever, and the number of the newest

Record& place_of(uint64_t number) REQUIRES(audit_lock) { return ring[number % FORKLORE_AUDIT_RECORDS]; }

// The oldest there is with a number above `number`.
std::optional<Record> next_behind(uint64_t number) {
    SpinGuard guard(audit_lock);
    const uint64_t oldest = written > FORKLORE_AUDIT_RECORDS ? written - FORKLORE_AUDIT_RECORDS + 1 : 1;
    if (number >= written) {
        return std::nullopt;
    }
    return place_of(std::max(number + 1, oldest));
}

Record describe(ForkloreAuditEvent event, Proc& actor, int subject, int argument) {
    const ForkloreAuditIdentity identity = actor.inherited.audit;
    Record record{.number = 0,
                  .time_ns = 0,
                  .event = event,
                  .pid = number(actor.pid),
                  .uid = 0,
                  .identity = identity,
                  .subject = subject,
                  .argument = argument,
                  .reserved = 0,
                  .name = {}};
    SpinGuard guard(actor.lock);
    record.uid = actor.credentials->effective_uid;
    memcpy(record.name, actor.inherited.name, sizeof record.name);
    return record;
}

// Audit sessions so far. No number is given again.
uint32_t sessions GUARDED_BY(families_lock) = 0;

}  // namespace

void audit::write(ForkloreAuditEvent event, Proc& actor, int subject, int argument) {
    Record record = describe(event, actor, subject, argument);
    SpinGuard guard(audit_lock);
    record.number = ++written;
    record.time_ns = machine_clock::now();      // here, so that times rise as numbers do
    place_of(record.number) = record;
}

// Who has an identity keeps it, root too: what a session does counts for who began it.
Result<uint64_t> sys_audit_identity(UserFrame& frame) {
    const auto user = static_cast<Uid>(frame.x[0]);
    const UserAddr identity_at(frame.x[1]);
    constexpr Uid ask_alone = ~Uid{0};
    const bool root = current_credentials()->is_root();
    Proc& proc = current_proc();
    ForkloreAuditIdentity identity{};
    {
        SpinGuard guard(families_lock);
        identity = proc.inherited.audit;
        if (user != ask_alone) {
            if (!root || identity.session != 0) {
                return Error::NotPermitted;
            }
            identity = {.user = user, .session = ++sessions};
            proc.inherited.audit = identity;
            audit::event(FL_AUDIT_IDENTITY, proc, 0, static_cast<int>(user));
        }
    }
    if (!identity_at.null()) {
        TRY(copy_out_value(identity_at, identity));
    }
    return identity.session;
}

// The records are copied one by one: others may write meanwhile, and what is lost between two shows in their numbers.
Result<uint64_t> sys_audit_read(UserFrame& frame) {
    uint64_t last = frame.x[0];
    const UserAddr to(frame.x[1]);
    const uint64_t room = std::min<uint64_t>(frame.x[2], FORKLORE_AUDIT_RECORDS);
    if (!current_credentials()->is_root()) {
        return Error::NotPermitted;
    }
    uint64_t filled = 0;
    while (filled < room) {
        const std::optional<Record> record = next_behind(last);
        if (!record) {
            break;
        }
        TRY(copy_out_value(to + filled * sizeof(Record), *record));
        last = record->number;
        ++filled;
    }
    return filled;
}

// Turning it on is the first record, turning it off the last.
Result<uint64_t> sys_audit_control(UserFrame& frame) {
    const auto wanted = static_cast<int32_t>(frame.x[0]);
    constexpr int ask_alone = -1;
    if (wanted < ask_alone || wanted > 1) {
        return Error::Invalid;
    }
    if (!current_credentials()->is_root()) {
        return Error::NotPermitted;
    }
    SpinGuard guard(families_lock);
    const bool before = audit::on.load(std::memory_order_relaxed);
    if (wanted != ask_alone && before != (wanted == 1)) {
        audit::write(before ? FL_AUDIT_OFF : FL_AUDIT_ON, current_proc(), 0, 0);
        audit::on.store(!before, std::memory_order_relaxed);
    }
    return before;
}
