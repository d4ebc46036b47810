// libstdc++'s <atomic> includes <syscall.h> for SYS_futex; glibc's would define SYS_exit and all the other
// names that src/abi/forklore.h has as enumerators. This one is found first and has just the one.
#pragma once

#include <asm/unistd.h>
#include <unistd.h>

#define SYS_futex __NR_futex
