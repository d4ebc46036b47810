# Which of the hardware's drivers run on the host: all, over register blocks that are plain memory; and who blinks the light.
HOST_DRIVERS := $(call find,src/drivers,.cpp) src/boot/light.cpp
# What only hardware can run, and what tests/host/machine/ plays instead: the scheduler, sleeping, kernel stacks.
TARGET_ONLY := $(addprefix src/kernel/,balance.cpp idle.cpp park.cpp sched.cpp sched_stats.cpp stack.cpp start.cpp)
# CppUTest's macro `new` breaks the kernel's placement new; AddressSanitizer finds the leaks.
HOST_FLAGS += -DCPPUTEST_MEM_LEAK_DETECTION_DISABLED=1
