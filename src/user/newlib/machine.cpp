// The machine and Forklore's own calls.
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "forklore/forklore.h"
#include "user/newlib/system_call.h"

extern "C" {

int uname(struct utsname* name) { return posix(system_call(SYS_uname, name)); }

int gethostname(char* name, size_t size) {
    struct utsname system;
    if (uname(&system) == -1) {
        return -1;
    }
    return strlcpy(name, system.nodename, size) < size ? 0 : fail(ENAMETOOLONG);
}

int getrandom(void* buffer, size_t size, unsigned flags) {
    return posix(system_call(SYS_getrandom, buffer, size, flags));
}
int getentropy(void* buffer, size_t size) {
    if (size > 256) {
        return fail(EIO);
    }
    return getrandom(buffer, size, 0) == static_cast<int>(size) ? 0 : -1;
}

int sysinfo(ForkloreSysinfo* info) { return posix(system_call(SYS_sysinfo, info)); }
int proc_list(ForkloreProcInfo* list, int count) { return posix(system_call(SYS_proc_list, list, count)); }
int zone_list(ForkloreZoneInfo* list, int count) { return posix(system_call(SYS_zone_list, list, count)); }
int coalition_list(ForkloreCoalitionInfo* list, int count) { return posix(system_call(SYS_coalition_list, list, count)); }
int persona(pid_t pid, ForklorePersona* info) { return posix(system_call(SYS_persona, pid, info)); }
int audit_identity(int user, ForkloreAuditIdentity* identity) { return posix(system_call(SYS_audit_identity, user, identity)); }
int audit_read(uint64_t number, ForkloreAuditRecord* records, int count) {
    return posix(system_call(SYS_audit_read, number, records, count));
}
int audit_control(int on) { return posix(system_call(SYS_audit_control, on)); }
int region_list(pid_t pid, uintptr_t from, ForkloreRegionInfo* list, int count) {
    return posix(system_call(SYS_region_list, pid, from, list, count));
}
int page_list(pid_t pid, uintptr_t from, ForklorePageInfo* list, int count) {
    return posix(system_call(SYS_page_list, pid, from, list, count));
}
int memory_band(pid_t pid, int band) { return posix(system_call(SYS_memory_band, pid, band)); }
int reboot(ForkloreReboot how, int status) { return posix(system_call(SYS_reboot, how, status)); }
int klog(char* buffer, size_t size) { return posix(system_call(SYS_klog, buffer, size)); }
int gettid() { return posix(system_call(SYS_gettid)); }
int futex_wait(uint32_t* word, uint32_t expected, const ForkloreTime* timeout) {
    return posix(system_call(SYS_futex_wait, word, expected, timeout));
}
int futex_wake(uint32_t* word, int count) { return posix(system_call(SYS_futex_wake, word, count)); }

long syscall(long number, ...) {
    va_list list;
    va_start(list, number);
    long arguments[6];
    for (long& argument : arguments) {
        argument = va_arg(list, long);
    }
    va_end(list);
    return posix<long>(system_call(number, arguments[0], arguments[1], arguments[2],
                                   arguments[3], arguments[4], arguments[5]));
}

int getpagesize() { return 4096; }

long sysconf(int name) {
    ForkloreSysinfo info;
    switch (name) {
    case _SC_PAGESIZE: return 4096;
    case _SC_ARG_MAX: return FORKLORE_ARG_MAX;
    case _SC_OPEN_MAX: return FORKLORE_OPEN_MAX;
    case _SC_CLK_TCK: return CLOCKS_PER_SEC;
    case _SC_NPROCESSORS_CONF:
    case _SC_NPROCESSORS_ONLN: return sysinfo(&info) == -1 ? -1 : static_cast<long>(info.cores);
    case _SC_PHYS_PAGES: return sysinfo(&info) == -1 ? -1 : static_cast<long>(info.pages_total);
    case _SC_AVPHYS_PAGES: return sysinfo(&info) == -1 ? -1 : static_cast<long>(info.pages_free);
    case _SC_CHILD_MAX: return sysinfo(&info) == -1 ? -1 : static_cast<long>(info.processes_max);
    default: return fail<long>(EINVAL);
    }
}

long pathconf(const char*, int name) {
    switch (name) {
    case _PC_NAME_MAX: return FORKLORE_NAME_MAX;
    case _PC_PATH_MAX: return FORKLORE_PATH_MAX;
    case _PC_PIPE_BUF: return FORKLORE_PIPE_BUF;
    default: return fail<long>(EINVAL);
    }
}
long fpathconf(int, int name) { return pathconf("/", name); }

}  // extern "C"
