// A pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986). A timer knows its first child, its next sibling, and
// in `back_` its previous sibling or, if it is the first, its parent.
#include "kernel/timer_heap.h"

#include <utility>

// The two trees as one: the later root becomes the first child of the earlier one.
Timer* TimerHeap::meld(Timer* a, Timer* b) {
    if (a == nullptr || b == nullptr) {
        return a != nullptr ? a : b;
    }
    if (b->deadline_ < a->deadline_) {
        std::swap(a, b);
    }
    b->sibling_ = a->child_;
    if (a->child_ != nullptr) {
        a->child_->back_ = b;
    }
    b->back_ = a;
    a->child_ = b;
    return a;
}

// Siblings as one tree: first in pairs, from left to right, then the pairs, from right to left.
Timer* TimerHeap::meld_children(Timer* first) {
    Timer* pairs = nullptr;     // linked backwards by sibling_
    while (first != nullptr) {
        Timer* second = first->sibling_;
        Timer* rest = second != nullptr ? second->sibling_ : nullptr;
        first->sibling_ = first->back_ = nullptr;
        if (second != nullptr) {
            second->sibling_ = second->back_ = nullptr;
        }
        Timer* pair = meld(first, second);
        pair->sibling_ = pairs;
        pairs = pair;
        first = rest;
    }
    Timer* tree = nullptr;
    while (pairs != nullptr) {
        Timer* rest = std::exchange(pairs->sibling_, nullptr);
        tree = meld(tree, pairs);
        pairs = rest;
    }
    return tree;
}

void TimerHeap::insert(Timer& timer) { root_ = meld(root_, &timer); }

void TimerHeap::remove(Timer& timer) {
    Timer* below = meld_children(std::exchange(timer.child_, nullptr));
    if (&timer == root_) {
        root_ = below;
        return;
    }
    if (timer.back_->child_ == &timer) {
        timer.back_->child_ = timer.sibling_;
    } else {
        timer.back_->sibling_ = timer.sibling_;
    }
    if (timer.sibling_ != nullptr) {
        timer.sibling_->back_ = timer.back_;
    }
    timer.sibling_ = timer.back_ = nullptr;
    root_ = meld(root_, below);
}
