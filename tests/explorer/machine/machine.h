// Between the explorer's engine and the kernel: what tests/host/machine/host.h is to a host test.
#pragma once

#include "base/types.h"
#include "machine/cpu.h"

struct UserFrame;

namespace host {

void make_home();               // first of all: the calling context is a thread on core 0
void start();                   // then, once: RAM, page frames, zones

// Where a thread goes that enters its program; it must not return. A case sets it before threads with programs start.
extern void (*program)(UserFrame& frame);
// The clock moves to `now`, and sleepers whose deadline has passed wake up. It also moves when nobody else can go on.
void set_clock(Nanoseconds now);

// How often threads began to sleep in this schedule.
unsigned sleeps();

// Makes `thread` the current one of the calling context, for what is set up before threads run; the one before.
Thread& act_as(Thread& thread);

void interrupt_sleep(Thread& thread);

}  // namespace host
