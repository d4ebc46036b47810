#include "stress/four_cores.h"

#include <thread>
#include <vector>

void run_on_four_cores(void (*work)(const void*, int), const void* argument) {
    std::vector<std::thread> threads;
    for (int i = 1; i < four_cores; ++i) {
        threads.emplace_back(work, argument, i);
    }
    work(argument, 0);
    for (std::thread& thread : threads) {
        thread.join();
    }
}
