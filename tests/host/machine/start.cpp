// The host's boot: RAM, page frames, zones.
#include <cstdio>
#include <cstdlib>

#include "host.h"
#include "mm/address_space.h"

namespace host {

void make_ram();

void start() {
    make_ram();
    // As on a board: something in the way at the start, and something unaligned further on.
    const pages::Range reserved[] = {
        {ram_start, ram_start + 16 * page_size},
        {ram_start + 0x20'0100, ram_start + 0x20'2001},
    };
    // Memory may be short before there is a zone: nothing to give back then, and no harm.
    if (zone_reclaim().value != 0) {
        fprintf(stderr, "tests/host: pages came back from zones that are not there\n");
        exit(2);
    }
    pages::reclaim = [] { return zone_reclaim().value != 0; };
    if (!pages::init(ram::extent(), reserved, 2).ok() || !AddressSpace::init().ok()) {
        fprintf(stderr, "tests/host: the machine does not start\n");
        exit(2);
    }
}

}  // namespace host
