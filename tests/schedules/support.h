// What the cases share.
#pragma once

#include "CppUTest/TestHarness.h"

#include "explorer/engine/engine.h"
#include "explorer/explorer.h"
