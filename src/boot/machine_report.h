// What the loader and the firmware say about this machine: memory, what lies in it, where the cores wait.
#pragma once

#include "base/format.h"
#include "boot/cores.h"
#include "drivers/device_tree.h"
#include "mm/page.h"

struct MachineReport {
    DeviceTree tree;                        // if has_tree
    bool has_tree = false;
    const char* tree_problem = nullptr;     // there is one, but it is broken: in words
    const char* memory_problem = nullptr;
    ram::Extent ram{};                      // what the kernel may use, and the linear map covers
    pages::Range initrd{};                  // empty: none
    const char* initrd_problem = nullptr;
    pages::Range reserved[pages::max_reserved - 1];
    size_t reserved_count = 0;
    SpinTable spin_table;

    std::string_view model() const;
    std::string_view arguments() const { return has_tree ? tree.boot_arguments() : std::string_view{}; }
};

// Asks the device tree at `device_tree`, if it is one, else the firmware; fits the linear map to the answer. Once, on
// core 0, before other cores run. Without any answer the smallest Pi 3 is assumed.
void read_machine(uint64_t device_tree, MachineReport& report);
