# Which of the hardware's drivers run on the host: all, over register blocks that are plain memory.
HOST_DRIVERS := $(call find,src/drivers,.cpp)
