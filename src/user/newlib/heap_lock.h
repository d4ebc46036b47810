// The heap's lock: malloc and free take it, and fork holds it.
#pragma once

#include "user/newlib/recursive_lock.h"

extern RecursiveLock forklore_heap_lock;
