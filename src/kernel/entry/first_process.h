// From the kernel to the first program.
#pragma once

// Makes process 1, which will run /bin/init from the file system. Ends the run with a clear message if there is no memory
// for it, or no such program: a broken initrd is bad input, no broken invariant.
void start_first_process();
