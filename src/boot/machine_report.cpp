// Gathering the report. Nothing that the loader says is believed unless it makes sense.
#include "boot/machine_report.h"

#include "boot/early_map.h"
#include "drivers/devices.h"

extern "C" const char image_start[], image_end[];

namespace {

constexpr uint64_t block_size = 2 << 20;
constexpr uint64_t largest_tree = 2 << 20;
constexpr uint64_t image_size_at = 16;      // in the arm64 Image header

uint64_t image_bytes() { return static_cast<uint64_t>(image_end - image_start); }

void reserve(MachineReport& report, PhysAddr start, PhysAddr end) {
    if (start < end && report.reserved_count < pages::max_reserved - 1) {
        report.reserved[report.reserved_count++] = {start, end};
    }
}

void open_tree(uint64_t address, MachineReport& report) {
    if (!may_be_device_tree(address) || !DeviceTree::claims(ram::at<void>(PhysAddr(address)))) {
        return;
    }
    report.tree_problem = DeviceTree::open(ram::at<void>(PhysAddr(address)), largest_tree, report.tree);
    report.has_tree = report.tree_problem == nullptr;
}

// The range that holds the kernel; nothing is known of a range that does not.
bool use_memory(MachineReport& report, PhysAddr start, PhysAddr end) {
    const PhysAddr devices(layout::devices_start);
    const PhysAddr usable_end((end < devices ? end : devices).value & ~(block_size - 1));
    const PhysAddr image = image_load_address();
    if (image < start || usable_end < image + image_bytes()) {
        return false;
    }
    report.ram = {start.page_up(), usable_end};
    return true;
}

void find_memory(MachineReport& report) {
    if (report.has_tree) {
        DeviceTree::Range ranges[4];
        const size_t count = report.tree.memory(ranges, 4);
        for (size_t i = 0; i < count && i < 4; ++i) {
            if (!ranges[i].empty() && use_memory(report, ranges[i].start, ranges[i].end)) {
                return;
            }
        }
        report.memory_problem = "the device tree's memory does not hold the kernel";
    }
    devices::start_firmware();
    if (use_memory(report, devices::board.memory_start, devices::board.memory_end)) {
        return;
    }
    report.ram = {PhysAddr(0), first_linear_map_end()};
}

// From the device tree, or appended to the image: then the header's image_size reaches beyond the kernel's own end.
void find_initrd(MachineReport& report) {
    pages::Range range{};
    if (report.has_tree) {
        const DeviceTree::Range said = report.tree.initrd();
        range = {said.start, said.end};
    }
    if (range.start == range.end) {
        const PhysAddr image = image_load_address();
        const uint64_t loaded = *reinterpret_cast<const volatile uint64_t*>(image_start + image_size_at);
        if (loaded <= image_bytes()) {
            return;
        }
        range = {image + image_bytes(), image + loaded};
    }
    if (range.end <= range.start || range.start < report.ram.start || report.ram.end < range.end) {
        report.initrd_problem = "it does not lie in memory";
        return;
    }
    report.initrd = range;
}

void find_reserved(uint64_t device_tree, MachineReport& report) {
    const PhysAddr image = image_load_address();
    reserve(report, PhysAddr(0), PhysAddr(page_size));      // spin table and its code
    reserve(report, PhysAddr(CrashLog::physical), PhysAddr(CrashLog::physical) + CrashLog::bytes);
    reserve(report, image, image + image_bytes());
    reserve(report, report.initrd.start, report.initrd.end);
    if (report.has_tree) {
        reserve(report, PhysAddr(device_tree), PhysAddr(device_tree) + report.tree.size());
        constexpr size_t most = 8;
        DeviceTree::Range ranges[most];
        const size_t count = report.tree.reserved(ranges, most);
        for (size_t i = 0; i < count && i < most; ++i) {
            reserve(report, ranges[i].start, ranges[i].end);
        }
    }
}

}  // namespace

std::string_view MachineReport::model() const {
    if (has_tree && !tree.model().empty()) {
        return tree.model();
    }
    return devices::board.revision.model();
}

void read_machine(uint64_t device_tree, MachineReport& report) {
    open_tree(device_tree, report);
    find_memory(report);
    fit_linear_map(report.ram.end);
    ram::set_extent(report.ram);
    find_initrd(report);
    find_reserved(device_tree, report);
    report.spin_table = SpinTable::from(report.has_tree ? &report.tree : nullptr);
}
