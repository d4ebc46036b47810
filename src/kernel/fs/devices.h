// The character devices without state: /dev/null, /dev/zero, /dev/random.
#pragma once

#include "kernel/fs/vnode.h"

enum class SimpleDevice : uint8_t { Null, Zero, Random };
Result<Ref<Vnode>> make_device(SimpleDevice which);
