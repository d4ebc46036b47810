/* Forklore's own calls: what is going on in the machine, and turning it off. */
#ifndef FORKLORE_FORKLORE_H
#define FORKLORE_FORKLORE_H

#include <abi/forklore.h>
#include <stddef.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Both fill at most `count` entries and return how many there are (perhaps more), or -1. */
int proc_list(struct ForkloreProcInfo *list, int count);
int zone_list(struct ForkloreZoneInfo *list, int count);

/* A process's memory (0: the caller's): fill at most `count` entries, in order of address, and return how many; 0 if there are
   no more. Regions that end behind `from`; pages at `from` or behind it. ESRCH, EPERM. */
int region_list(pid_t pid, uintptr_t from, struct ForkloreRegionInfo *list, int count);
int page_list(pid_t pid, uintptr_t from, struct ForklorePageInfo *list, int count);

/* As proc_list. */
int coalition_list(struct ForkloreCoalitionInfo *list, int count);
/* The number of the persona that a process (0: the caller) carries, 0 for none; ESRCH. `info` may be null. */
int persona(pid_t pid, struct ForklorePersona *info);
/* Puts a process (0: the caller) into that band of memory, unless it is -1, and returns the one before. The lowest ends first when
   there is no memory left. ESRCH; EPERM: only the owner lowers it, only root raises it; EINVAL. */
int memory_band(pid_t pid, int band);

/* The audit session of the caller, 0 for none; `identity` may be null. Unless `user` is -1, begins a new one of that user first.
   EPERM: not root, or it has one, which it keeps. */
int audit_identity(int user, struct ForkloreAuditIdentity *identity);
/* Fills records with numbers above `number`, the oldest first, and returns how many; 0 if there are no more. A gap in the numbers is
   what was lost. EPERM. */
int audit_read(uint64_t number, struct ForkloreAuditRecord *records, int count);
/* Turns auditing on (1) or off (0), or asks alone (-1); returns whether it was on. EPERM, EINVAL. */
int audit_control(int on);

int sysinfo(struct ForkloreSysinfo *info);

/* Root only. Returns only on failure. */
int reboot(enum ForkloreReboot how, int status);

/* The kernel's boot log; returns its length. */
int klog(char *buffer, size_t size);

int gettid(void);
int futex_wait(uint32_t *word, uint32_t expected, const struct ForkloreTime *timeout);
int futex_wake(uint32_t *word, int count);

/* "Segmentation fault" for SIGSEGV, never null; and "SEGV", null if there is no such signal. */
const char *signal_description(int signal);
const char *signal_short_name(int signal);
/* The signal of "SEGV", "SIGSEGV", "segv" or "11"; -1 if there is none. */
int signal_number(const char *name);

#ifdef __cplusplus
}
#endif
#endif
