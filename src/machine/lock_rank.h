// The order of all locks: a core (spin locks) or a thread (mutexes) takes them from top to bottom.
//
// Taking one whose rank is not strictly greater than that of the innermost held panics, on both machines.
// docs/locking.md is this list with a sentence for each.
#pragma once

#include <cstdint>

enum class LockRank : uint8_t {
    // Sleeping mutexes: taken with interrupts on and no spin lock held.
    FileOffset = 15,        // one open file: its offset
    FileNames = 20,         // the tree of directories
    Kqueue = 25,            // one queue of events: its notes
    FileData = 30,          // one vnode's content
    Terminal = 35,          // one terminal: settings and line
    Pipe = 38,              // one pipe's ring
    AddressSpace = 50,      // one address space: regions and page tables
    // Spin locks: interrupts are off while one is held.
    Families = 100,         // pids, parents and children, groups, sessions, states of processes
    Proc = 110,             // one process: credentials, name, times
    ProcLimits = 112,       // nprocs and the per-user counts
    Signals = 115,          // one process's signal actions and pending signals, its threads' masks
    UserAccounts = 116, // the list of user accounts
    Pids = 117,             // the numbers in use
    Segments = 118,         // the System V shared memory segments
    FileTable = 120,        // one process's descriptors
    Task = 130,             // one task's list of threads
    Futex = 135,            // one bucket of futex waiters
    FileWait = 140,         // waiters of pipes, terminals and poll
    FilePages = 145,        // one memory file's index of page frames
    MutexWait = 150,        // the waiters of one mutex
    AddressSpaceIds = 155,  // which asid is whose
    SharedMemory = 156,     // the pages of one shared anonymous mapping
    KernelStacks = 158,     // the free kernel stacks
    Zone = 160,             // one zone's slabs
    ZoneList = 165,         // the list of all zones
    Pages = 170,            // the free page frames
    Park = 180,             // a channel of the host's machine
    Timers = 185,           // one core's timers
    RunQueue = 190,         // one core's ready threads
    Console = 200,          // the console's ring
    Devices = 205,          // one device's registers
    Random = 210,
    Audit = 215,            // the ring of audit records
    Log = 220,              // the kernel log
};
