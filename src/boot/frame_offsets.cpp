// Asserts the offsets that the assembly uses.
#include "boot/frame_offsets.h"

#include <cstddef>

#include "kernel/entry/trap.h"
#include "machine/cpu.h"
#include "machine/fp.h"
#include "machine/rpi3/layout.h"
#include "machine/user_frame.h"

static_assert(sizeof(UserFrame) == FRAME_SIZE && sizeof(KernelFrame) == FRAME_SIZE);
static_assert(offsetof(UserFrame, x[30]) == FRAME_X30 && offsetof(KernelFrame, x[30]) == FRAME_X30);
static_assert(offsetof(UserFrame, sp) == FRAME_SP && offsetof(KernelFrame, sp) == FRAME_SP);
static_assert(offsetof(UserFrame, pc) == FRAME_PC && offsetof(KernelFrame, pc) == FRAME_PC);
static_assert(offsetof(UserFrame, pstate) == FRAME_PSTATE && offsetof(KernelFrame, pstate) == FRAME_PSTATE);
static_assert(KERNEL_FRAME_SPACE == FRAME_SIZE + 16);

static_assert(offsetof(KernelContext, x19_to_x28) == CONTEXT_X19);
static_assert(offsetof(KernelContext, frame_pointer) == CONTEXT_FP);
static_assert(offsetof(KernelContext, link) == CONTEXT_LINK);
static_assert(offsetof(KernelContext, stack) == CONTEXT_STACK);

static_assert(offsetof(FpState, fpsr) == FP_STATUS && offsetof(FpState, fpcr) == FP_STATUS + 4);
static_assert(layout::stack_slot == 1 << STACK_SLOT_SHIFT && STACK_GOOD_BIT == STACK_SLOT_SHIFT - 1);
