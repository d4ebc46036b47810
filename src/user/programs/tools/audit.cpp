// audit: who made, changed and ended which process.
#include "user/programs/tools/tool.h"

#include "forklore/forklore.h"

static constexpr char help[] =
    "usage: audit [on|off]\n"
    "       audit -u UID COMMAND [ARGUMENT...]\n"
    "Writes the records of the kernel's audit ring, the oldest first, and how many were lost because the ring\n"
    "was full; turns auditing on or off (it is off at first). For root alone.\n"
    "AUDIT and SESSION are the audit identity, 0 for none. SUBJECT is the child of a fork, the target of a kill;\n"
    "ARGUMENT the wait status of an exit, the signal of a kill, the new user, group or audit user.\n"
    "  -u UID  runs a command in a new audit session of that user: what it and all that it starts do counts\n"
    "          for that user, whoever they become\n";

namespace {

const char* name_of(uint32_t event) {
    switch (event) {
    case FL_AUDIT_ON: return "on";
    case FL_AUDIT_OFF: return "off";
    case FL_AUDIT_FORK: return "fork";
    case FL_AUDIT_EXEC: return "exec";
    case FL_AUDIT_EXIT: return "exit";
    case FL_AUDIT_KILL: return "kill";
    case FL_AUDIT_SETUID: return "setuid";
    case FL_AUDIT_SETGID: return "setgid";
    case FL_AUDIT_SETGROUPS: return "setgroups";
    case FL_AUDIT_IDENTITY: return "identity";
    default: return "?";
    }
}

void print(const ForkloreAuditRecord& record) {
    printf("%8lu %5lu.%06lu %-9s %6d %5u %5u %7u %7d %8d %.24s\n", record.number, record.time_ns / 1'000'000'000,
           record.time_ns / 1000 % 1'000'000, name_of(record.event), record.pid, record.uid, record.identity.user,
           record.identity.session, record.subject, record.argument, record.name);
}

int show() {
    static ForkloreAuditRecord records[FORKLORE_AUDIT_RECORDS];
    const int count = audit_read(0, records, FORKLORE_AUDIT_RECORDS);
    if (count < 0) {
        return complain_about("audit records");
    }
    printf("%8s %12s %-9s %6s %5s %5s %7s %7s %8s %s\n", "NUMBER", "TIME", "EVENT", "PID", "UID", "AUDIT", "SESSION", "SUBJECT",
           "ARGUMENT", "NAME");
    uint64_t last = 0;
    for (int i = 0; i < count; ++i) {
        if (const uint64_t lost = records[i].number - last - 1; lost != 0) {
            printf("%lu records lost\n", lost);
        }
        print(records[i]);
        last = records[i].number;
    }
    return 0;
}

}  // namespace

int audit_main(int argc, char** argv) {
    const char* user = nullptr;
    while (next_option(argc, argv, "+u:", help) != -1) {
        user = optarg;
    }
    const int words = argc - optind;
    if (user != nullptr) {
        if (words == 0) {
            usage_error("a command is wanted");
        }
        return audit_identity(static_cast<int>(number_argument(user)), nullptr) == -1 ? complain_about("audit session")
                                                                                       : become(argv + optind);
    }
    if (words == 0) {
        return show();
    }
    const bool on = strcmp(argv[optind], "on") == 0;
    if (words > 1 || (!on && strcmp(argv[optind], "off") != 0)) {
        usage_error("on or off");
    }
    return audit_control(on ? 1 : 0) == -1 ? complain_about("auditing") : 0;
}
