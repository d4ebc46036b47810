// The host has no MMU: each call is written down (tests/host/machine/host.h reads it back).
#pragma once

#include "machine/mmu.h"
