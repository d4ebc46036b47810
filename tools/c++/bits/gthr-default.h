// Stands before the file of this name that comes with Debian's cross libstdc++, which wants glibc's
// threads. Programs have no thread library, so libstdc++'s headers are told that there is one thread.
#pragma once

#include <bits/gthr-single.h>
