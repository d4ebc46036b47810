// TimerHeap: armed timers by deadline, as a pairing heap: whoever is first is first at once, arming costs one
// comparison, taking out costs the logarithm on average. The links lie in the timers.
// Lock: its owner's.
#pragma once

#include "kernel/timer.h"

class TimerHeap {
public:
    Timer* first() const { return root_; }
    static void set_deadline(Timer& timer, Nanoseconds deadline) { timer.deadline_ = deadline; }   // while in no heap
    void insert(Timer& timer);
    void remove(Timer& timer);      // which is in this heap

private:
    static Timer* meld(Timer* a, Timer* b);
    static Timer* meld_children(Timer* first);

    Timer* root_ = nullptr;
};
