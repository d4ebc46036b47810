# Forklore's build. `make help` lists what to type; the parts are in tools/make/*.mk:
#   kernel.mk   the kernel image and its symbol table
#   user.mk     newlib, programs, the initial RAM disk
#   host.mk     tests on the development machine
#   schedules.mk  tests under the explorer's scheduler, on the development machine
#   target.mk   tests inside the kernel
#   coverage.mk what the host's tests reach of the labs' files
#   verbs.mk    run, test, bench, doctor, help
#   labs.mk     the labs: grade, check-labs
#
# Everything that is made goes to $(BUILD); `make BUILD=/tmp/mine kernel` makes a tree of your own.
# V=1 shows whole command lines.

BUILD ?= build

# Tools; each can be set on the command line where there is no Debian (make doctor names them).
CROSS     ?= aarch64-linux-gnu-
QEMU      ?= qemu-system-aarch64
HOST_CXX  ?= g++
CLANG_CXX ?= clang++-19
DTC       ?= dtc
# Debian's own interpreter: one installed by a user may come first in PATH and lack the packages.
PYTHON    ?= /usr/bin/python3

CC_T      := $(CROSS)gcc
CXX_T     := $(CROSS)g++
AR_T      := $(CROSS)ar
NM_T      := $(CROSS)nm
OBJCOPY_T := $(CROSS)objcopy
OBJDUMP_T := $(CROSS)objdump

MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:
Q := $(if $(V),,@)
# $(call say,CXX,file): the quiet form of a command line.
say = $(if $(V),@:,@printf '  %-7s %s\n' '$(1)' '$(2)')
# $(call find,folders,suffix): all files below, sorted so that builds are alike.
find = $(if $(strip $(1)),$(sort $(shell find $(1) -name '*$(2)' -type f 2>/dev/null)))
# $(call flags_file,name,text): a file that changes only when the text does; objects depend on it.
define flags_file
$(shell mkdir -p $(dir $(1)); printf '%s\n' '$(subst ','"'"',$(2))' | cmp -s - $(1) || printf '%s\n' '$(subst ','"'"',$(2))' > $(1))
endef

.PHONY: all
all: kernel user

include tools/make/kernel.mk
include tools/make/user.mk
include tools/make/host.mk
include tools/make/schedules.mk
include tools/make/target.mk
include tools/make/verbs.mk
include tools/make/labs.mk
include tools/make/coverage.mk

# These start make again, which would write the files that this one is making: what is asked for beside them comes first, and they
# come one after another (`make -j2 unit coverage`).
START_MAKE := setup run board test bench soak picture storm fuzz coverage grade check-labs handout
earlier := $(filter-out $(START_MAKE),$(MAKECMDGOALS))
$(foreach verb,$(filter $(START_MAKE),$(MAKECMDGOALS)),$(eval $(verb): | $(earlier))$(eval earlier += $(verb)))
