// What the assembly knows of C++ structures: offsets, each asserted in frame_offsets.cpp.
#pragma once

#define FRAME_SIZE 272          // UserFrame, KernelFrame
#define FRAME_X30 240
#define FRAME_SP 248
#define FRAME_PC 256
#define FRAME_PSTATE 264
#define KERNEL_FRAME_SPACE 288  // a KernelFrame and a frame record (x29, pc) for the backtrace

#define CONTEXT_X19 0           // KernelContext
#define CONTEXT_FP 80
#define CONTEXT_LINK 88
#define CONTEXT_STACK 96

#define FP_STATUS 512           // FpState

#define STACK_SLOT_SHIFT 15     // layout::stack_slot
#define STACK_GOOD_BIT 14       // set in every good stack pointer
