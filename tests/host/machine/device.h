// Who waits for a device, for a test that is told.
#pragma once

#include <functional>

#include "base/types.h"

namespace host {

// Sees each device::wait(); no time passes in it.
extern std::function<void(Nanoseconds)> wait_observe;

}  // namespace host
