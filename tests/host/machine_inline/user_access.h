// All of machine/user_access.h is in machine/user_access.cpp on the host.
#pragma once
