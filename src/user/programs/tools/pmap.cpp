// pmap: the memory of a process: its regions, and the page-table entries that are there.
#include "user/programs/tools/tool.h"

#include "forklore/forklore.h"

static constexpr char help[] =
    "usage: pmap [-p] PID\n"
    "Shows the regions of a process's memory: what it may do there, the size, the pages that are there, and how many of\n"
    "them are copied on the next write (COW), shared with intent (SHARED), and had by others too (OTHERS).\n"
    "  -p  and each page: its address, page-table entry, frame, rights now, references to the frame\n"
    "A process that runs on loan (vfork) shows its lender's memory. Own processes only, but for root.\n";

namespace {

int pid = 0;
bool with_pages = false;

struct Totals {
    unsigned long pages = 0, copied = 0, shared = 0, others = 0;
    void add(const Totals& more) {
        pages += more.pages;
        copied += more.copied;
        shared += more.shared;
        others += more.others;
    }
};

const char* rights(uint32_t protection) {
    static char text[4];
    text[0] = protection & FL_PROT_READ ? 'r' : '-';
    text[1] = protection & FL_PROT_WRITE ? 'w' : '-';
    text[2] = protection & FL_PROT_EXEC ? 'x' : '-';
    return text;
}

void show_page(const ForklorePageInfo& page) {
    printf("  %09lx entry %016lx frame %08lx %s %3lu references%s%s\n", static_cast<unsigned long>(page.address),
           static_cast<unsigned long>(page.entry), static_cast<unsigned long>(page.frame), rights(page.protection),
           static_cast<unsigned long>(page.references), page.flags & FL_PAGE_COPY_ON_WRITE ? ", copied on write" : "",
           page.flags & FL_PAGE_SHARED ? ", shared" : "");
}

// Calls `each(page)` for the pages of a region; false on an error.
template <typename Each>
bool for_each_page(const ForkloreRegionInfo& region, Each each) {
    ForklorePageInfo pages[64];
    for (uintptr_t from = region.start; from < region.end;) {
        const int count = page_list(pid, from, pages, 64);
        for (int i = 0; i < count; ++i) {
            if (pages[i].address >= region.end) {
                return true;
            }
            each(pages[i]);
            from = pages[i].address + 4096;
        }
        if (count <= 0) {
            return count == 0;
        }
    }
    return true;
}

bool show_region(const ForkloreRegionInfo& region, Totals& all) {
    static constexpr const char* kinds[] = {"anonymous", "file", "heap", "stack"};
    Totals here;
    const auto count = [&](const ForklorePageInfo& page) {
        ++here.pages;
        here.copied += (page.flags & FL_PAGE_COPY_ON_WRITE) != 0;
        here.shared += (page.flags & FL_PAGE_SHARED) != 0;
        here.others += page.references > 1;
    };
    if (!for_each_page(region, count)) {
        return false;
    }
    printf("%09lx-%09lx %s%c %-9s %7s %6lu %6lu %6lu %6lu\n", static_cast<unsigned long>(region.start),
           static_cast<unsigned long>(region.end), rights(region.protection), region.shared ? 's' : 'p', kinds[region.kind & 3],
           human_size(region.end - region.start), here.pages, here.copied, here.shared, here.others);
    all.add(here);
    return !with_pages || for_each_page(region, show_page);
}

bool show_all() {
    ForkloreRegionInfo regions[16];
    Totals all;
    unsigned long long size = 0;
    uintptr_t from = 0;
    for (int count; (count = region_list(pid, from, regions, 16)) != 0;) {
        for (int i = 0; i < count; ++i) {
            if (!show_region(regions[i], all)) {
                return false;
            }
            size += regions[i].end - regions[i].start;
            from = regions[i].end;
        }
        if (count < 0) {
            return false;
        }
    }
    printf("%-34s %7s %6lu %6lu %6lu %6lu\n", "total", human_size(size), all.pages, all.copied, all.shared, all.others);
    return true;
}

}  // namespace

int pmap_main(int argc, char** argv) {
    for (int option; (option = next_option(argc, argv, "p", help)) != -1;) {
        with_pages |= option == 'p';
    }
    if (argc - optind != 1) {
        usage_error("one process identifier is wanted");
    }
    const long number = number_argument(argv[optind]);
    pid = static_cast<int>(number);
    ForkloreRegionInfo first;
    // 0 would be pmap itself.
    if (pid <= 0 || pid != number) {
        return complain(argv[optind], strerror(ESRCH));
    }
    if (region_list(pid, 0, &first, 1) < 0) {
        return complain_about(argv[optind]);
    }
    printf("%-19s %-4s %-9s %7s %6s %6s %6s %6s\n", "ADDRESSES", "MAY", "KIND", "SIZE", "PAGES", "COW", "SHARED", "OTHERS");
    return show_all() ? 0 : complain_about(argv[optind]);
}
