# What people type. `run`, `test` and `bench` first see that everything needed is installed; a stamp
# remembers it, so that the second time costs nothing.

# The recipes get the options as FORKLORE_* variables, unexpanded: `CMD='echo $$HOME'` reaches the guest as typed.
RUN_OPTIONS := BOOTS CMD INPUT TIMEOUT ICOUNT BOOT GDB GDB_PORT ADD SEED ARGS KERNEL INITRD DTB ACCEL SERIAL1 ONLY REPLAY EFFORT PROFILE \
               LAB SUBMISSION HIDDEN CHECK OUT QUIET SAMPLE CARRY SOLVED VARIANT VARIANTS SUBMISSIONS SCHEDULER SSHLOGIN THRESHOLD
# Of trace, debug and snapshot.
RUN_OPTIONS += TRACE GDB_SCRIPT AT
# Of sdcard and flash, and of boards.
RUN_OPTIONS += FIRMWARE DEV MODEL PORT BOARD BOARDS RESET BAUD TFTP WAIT LOG END
# SAN=1: the sanitized kernel takes the place of the usual one.
SANITIZED := $(if $(KERNEL),,$(SAN))
ifneq ($(SANITIZED),)
KERNEL := $(K)/kernel8.img
endif
# Asked first: `unexport` makes a variable known.
export FORKLORE_HAS_CMD := $(if $(filter undefined,$(origin CMD)),,1)
$(foreach v,$(RUN_OPTIONS),$(eval unexport $(v)))
$(foreach v,$(RUN_OPTIONS),$(eval export FORKLORE_$(v) := $$(value $(v))))
export FORKLORE_BUILD := $(BUILD)
# Make's own -j is left alone; without it a build uses every core.
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
PARALLEL = $(if $(findstring -j,$(MAKEFLAGS)),,-j$(JOBS))
# Tools that the user chose; setup does not install what is replaced.
TOOL_VARIABLES := CROSS QEMU NEWLIB_SRC CPPUTEST_SRC UBOOT DTC MKIMAGE SFDISK MTOOLS SB GDB_PROGRAM HOST_CXX CLANG_CXX GCOVR
$(foreach v,$(TOOL_VARIABLES),$(if $(filter command environment,$(origin $(v))),$(eval export FORKLORE_$(v) := $($(v)))))
export CROSS QEMU DTC HOST_CXX CLANG_CXX
export V

S := $(BUILD)/setup
$(S)/%.stamp: tools/packages.txt tools/setup.sh
	@tools/setup.sh $*
	@mkdir -p $(@D) && touch $@

# Installing comes before building: these verbs start make again when everything is there.
.PHONY: setup run trace debug snapshot symbolize test bench uboot doctor help clean clean-all
setup: $(S)/run.stamp $(S)/test.stamp $(S)/uboot.stamp $(S)/grade.stamp
	@$(MAKE) $(PARALLEL) $(N)/stamp $(BUILD)/cpputest-source/stamp uboot

$(BUILD)/rpi3.dtb: platforms/rpi3.dts
	$(call say,DTC,$@)
	@mkdir -p $(@D)
	$(Q)$(DTC) -q -I dts -O dtb $< -o $@

uboot: $(BUILD)/uboot/u-boot.bin
$(BUILD)/uboot/u-boot.bin:
	@$(PYTHON) tools/fetch.py uboot $(BUILD)

$(BUILD)/cpputest-source/stamp:
	@$(PYTHON) tools/fetch.py cpputest $(BUILD)
	@touch $@

RUN_FILES := $(if $(KERNEL),$(if $(SANITIZED),$(KERNEL)),$(K)/kernel8.img) $(if $(INITRD),,$(BUILD)/initrd.cpio) \
             $(if $(DTB),,$(BUILD)/rpi3.dtb) $(if $(filter uboot,$(BOOT)),$(BUILD)/uboot/u-boot.bin) \
             $(if $(filter bare,$(BOOT)),$(BUILD)/forklore.img)
.PHONY: run-files
run-files: $(RUN_FILES)
	@:
# The build's own lines go to standard error: with CMD, standard output is the guest's alone.
run: $(S)/run.stamp $(if $(filter uboot,$(BOOT)),$(S)/uboot.stamp)
	@$(MAKE) $(PARALLEL) run-files compilers >&2
	@$(PYTHON) tools/run.py

trace: $(S)/run.stamp
	@$(MAKE) $(PARALLEL) run-files compilers >&2
	@$(PYTHON) tools/make_trace.py

debug: $(S)/run.stamp $(S)/debug.stamp
	@$(MAKE) $(PARALLEL) run-files compilers $(BUILD)/host/count.so >&2
	@$(PYTHON) tools/debug.py
# Loaded by QEMU; its functions are QEMU's own.
$(BUILD)/host/count.so: tools/qemu/count.cpp
	$(call say,PLUGIN,$@)
	@mkdir -p $(@D)
	$(Q)$(HOST_CXX) -std=c++20 -O2 -Wall -Wextra -Wshadow -Werror -fPIC -shared -fvisibility=hidden $< -o $@
snapshot: $(S)/run.stamp $(S)/debug.stamp
	@$(MAKE) $(PARALLEL) run-files compilers >&2
	@$(PYTHON) tools/make_snapshot.py
symbolize:
	@$(PYTHON) tools/symbolize.py

test: $(S)/run.stamp $(S)/test.stamp $(S)/uboot.stamp $(S)/grade.stamp $(if $(filter pages%,$(ONLY)),$(S)/pages.stamp) $(if $(filter world%,$(ONLY)),$(S)/world.stamp)
	@$(MAKE) $(N)/stamp $(BUILD)/cpputest-source/stamp
	@$(PYTHON) tools/testrun.py

# The card for a board. `flash` asks before it writes.
.PHONY: sdcard flash
sdcard: $(S)/run.stamp $(S)/uboot.stamp
	@$(MAKE) $(PARALLEL) run-files uboot >&2
	@$(PYTHON) tools/sdcard.py
flash: sdcard
	@$(PYTHON) tools/flash.py

# A board at a serial line.
.PHONY: board
board: $(S)/run.stamp $(S)/board.stamp
	@$(MAKE) $(PARALLEL) run-files compilers >&2
	@$(PYTHON) tools/board.py

bench: $(S)/run.stamp
	@$(MAKE) $(PARALLEL) run-files compilers kernel-bench
	@$(PYTHON) tools/bench.py

# The whole storm: four cores, as few pids as there can be, both ways of copying a page.
STORM ?= 100000
STORM_SEED ?= 1
# Not among the usual tests: four host threads on few host cores are slow and tell little about one change.
.PHONY: soak picture
soak: $(S)/run.stamp
	@$(MAKE) $(PARALLEL) run-files
	@$(PYTHON) tools/soak.py
picture: $(S)/run.stamp $(S)/test.stamp
	@$(MAKE) $(PARALLEL) run-files
	@$(PYTHON) tools/session_picture.py

.PHONY: storm
storm: $(S)/run.stamp
	@$(MAKE) $(PARALLEL) run-files
	@for copy in cow eager; do \
	   $(PYTHON) tools/run.py "CMD=storm $(STORM) $(STORM_SEED)" "ARGS=pid_max=110 copy=$$copy" TIMEOUT=3600 || exit 1; done

.PHONY: docs
docs: $(S)/docs.stamp
	@$(PYTHON) tools/docs.py

# Random system calls of four processes at a time; `make test` has a short run. By counted instructions: nobody waits while
# all of them sleep, and the same seed gives the same run.
CALLS ?= 5000000
FUZZ_SEED ?= 1
.PHONY: fuzz
fuzz: $(S)/run.stamp
	@$(MAKE) $(PARALLEL) run-files user-tests
	@$(PYTHON) tools/run.py "CMD=FUZZ_CALLS=$(CALLS) FUZZ_SEED=$(FUZZ_SEED) /add/fuzz" ADD=$(U)/tests TIMEOUT=360000 ICOUNT=1

# Programs written by others.
.PHONY: world
world: $(S)/run.stamp $(S)/world.stamp
	@$(MAKE) $(PARALLEL) compilers
	@$(PYTHON) tools/world.py build $(BUILD)

doctor:
	@if command -v $(PYTHON) >/dev/null; then $(PYTHON) tools/doctor.py; \
	 else echo 'python3: missing; install python3, or set PYTHON to its path'; exit 1; fi

# newlib and what was fetched stay: they take a minute and do not change.
clean:
	rm -rf $(BUILD)/kernel $(BUILD)/kernel-san $(U) $(H) $(T) $(BUILD)/bin $(BUILD)/initrd.cpio $(BUILD)/rpi3.dtb $(BUILD)/forklore.img
clean-all:
	rm -rf $(BUILD)

help:
	@cat tools/make/help.txt
