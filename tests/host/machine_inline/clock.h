// The host's clock stands still until a test moves it (tests/host/machine/host.h).
#pragma once

#include "machine/clock.h"
