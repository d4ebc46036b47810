// Debian's cross libstdc++ is configured for Linux with glibc. Programs here have neither its threads
// nor its futex, and newlib has no timespec_get; the headers do without if they are told.
#pragma once

#include_next <bits/c++config.h>

#undef _GLIBCXX_HAS_GTHREADS
#undef _GLIBCXX_HAVE_LINUX_FUTEX
#undef _GLIBCXX_HAVE_TIMESPEC_GET
