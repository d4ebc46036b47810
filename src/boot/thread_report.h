// What every program's threads are doing, for a run that ends because nothing ends it: the console shows where each sleeps.
#pragma once

// One line a process, a backtrace a thread that is not running. Takes the locks of processes and tasks; polled output.
void report_threads();
