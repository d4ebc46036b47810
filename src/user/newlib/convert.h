// Between the kernel's plain structs and newlib's types, where their layouts differ.
#pragma once

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "abi/forklore.h"

inline timespec timespec_from_kernel(const ForkloreTime& time) {
    return {static_cast<time_t>(time.seconds), static_cast<long>(time.nanoseconds)};
}
inline timeval timeval_from_kernel(const ForkloreTime& time) {
    return {static_cast<time_t>(time.seconds), static_cast<suseconds_t>(time.nanoseconds / 1000)};
}
inline ForkloreTime time_to_kernel(const timespec& time) { return {time.tv_sec, time.tv_nsec}; }
inline ForkloreTime time_to_kernel(const timeval& time) { return {time.tv_sec, time.tv_usec * 1000}; }

inline struct rusage usage_from_kernel(const ForkloreUsage& usage) {
    struct rusage result = {};
    result.ru_utime = timeval_from_kernel(usage.user);
    result.ru_stime = timeval_from_kernel(usage.system);
    result.ru_maxrss = usage.peak_pages * 4;
    result.ru_minflt = usage.minor_faults;
    result.ru_nsignals = usage.signals;
    result.ru_nvcsw = usage.voluntary_switches;
    result.ru_nivcsw = usage.involuntary_switches;
    return result;
}

inline struct stat stat_from_kernel(const ForkloreStat& from) {
    struct stat result = {};
    result.st_dev = static_cast<dev_t>(from.device);
    result.st_ino = static_cast<ino_t>(from.inode);
    result.st_mode = from.mode;
    result.st_nlink = static_cast<nlink_t>(from.links);
    result.st_uid = static_cast<uid_t>(from.uid);
    result.st_gid = static_cast<gid_t>(from.gid);
    result.st_rdev = static_cast<dev_t>(from.rdevice);
    result.st_size = from.size;
    result.st_atim = timespec_from_kernel(from.accessed);
    result.st_mtim = timespec_from_kernel(from.modified);
    result.st_ctim = timespec_from_kernel(from.changed);
    result.st_blksize = 4096;
    result.st_blocks = from.blocks;
    return result;
}
