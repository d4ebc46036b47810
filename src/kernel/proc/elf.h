// ELF64 programs for AArch64: static, little-endian, ET_EXEC (System V gABI ch. 4, 5; AAELF64).
#pragma once

#include "kernel/fs/vnode.h"
#include "kernel/proc/arguments.h"

// Maps the program in `file` into the empty `space`. NotExecutable: not such a program, or a corrupt one; the log says what
// is wrong with it. NoMemory.
Result<ProgramImage> elf_load(Vnode& file, AddressSpace& space);
