# The explorer (tests/explorer): the portable kernel under a scheduler that tries the orders of its threads. The tests are in
# tests/schedules; docs/testing.md explains. A machine of its own: it shares what is the same with tests/host.

# Every access to memory and every atomic operation calls a function, so that the explorer sees it: the compiler does that for
# ThreadSanitizer, and tests/explorer/engine/races.cpp has the functions. What is linked is AddressSanitizer's library.
SCHEDULE_FLAGS := -Itests/explorer $(HOST_FLAGS) -fsanitize=thread,undefined -fno-sanitize-recover=all
SCHEDULE_FLAGS += --param tsan-instrument-func-entry-exit=0
SCHEDULE_LINK := $(HOST_FLAGS) $(ASAN_FLAGS)
# The engine itself: quick, and not looked at. Its copying loops must not become calls of memcpy, which is checked.
ENGINE_FLAGS := -std=c++20 -O2 -g -Wall -Wextra -Wshadow -Werror -fno-omit-frame-pointer -fno-tree-loop-distribute-patterns

E := $(H)/explored
ENGINE := $(call find,tests/explorer/engine,.cpp)
EXPLORER := $(filter-out $(ENGINE),$(call find,tests/explorer,.cpp)) \
            tests/host/program_files.cpp $(addprefix tests/host/machine/,device.cpp ram.cpp start.cpp user_access.cpp)
# Of the drivers only what the doors of the kernel name.
EXPLORED_KERNEL := $(filter-out $(HOST_DRIVERS),$(PORTABLE)) $(addprefix src/drivers/,interrupts.cpp serial_port.cpp)
SCHEDULE_TESTS := $(call find,tests/schedules,.cpp)
$(call flags_file,$(E)/flags,$(HOST_CXX) $(SCHEDULE_FLAGS))
$(call flags_file,$(E)/link-flags,$(HOST_CXX) $(SCHEDULE_LINK))
$(call flags_file,$(E)/engine-flags,$(HOST_CXX) $(ENGINE_FLAGS))

$(E)/tests/explorer/engine/%.o: tests/explorer/engine/% $(E)/engine-flags
	$(call say,HOSTCXX,$<)
	@mkdir -p $(@D)
	$(Q)$(HOST_CXX) $(ENGINE_FLAGS) -MMD -MP -c $< -o $@
# RAM poisons what is free only if it is compiled for AddressSanitizer.
$(E)/tests/host/machine/ram.cpp.o: tests/host/machine/ram.cpp $(E)/flags
	$(call say,HOSTCXX,$<)
	@mkdir -p $(@D)
	$(Q)$(HOST_CXX) $(SCHEDULE_LINK) -MMD -MP -c $< -o $@
$(E)/%.o: % $(E)/flags
	$(call say,EXPLORE,$<)
	@mkdir -p $(@D)
	$(Q)$(HOST_CXX) $(SCHEDULE_FLAGS) -MMD -MP -c $< -o $@

$(E)/portable.a: $(EXPLORED_KERNEL:%=$(E)/%.o) $(call find,prebuilt/explored,.o) $(H)/sources
EXPLORED := $(patsubst %,$(E)/%.o,$(SCHEDULE_TESTS) $(EXPLORER) $(ENGINE))
.PHONY: schedules
schedules: $(H)/schedules
$(H)/schedules: $(EXPLORED) $(E)/portable.a
	$(call say,HOSTLD,$@)
	$(Q)$(HOST_CXX) $(SCHEDULE_LINK) $^ $(CPPUTEST_LIBS) -o $@

# Mistakes that the explorer must find (tests/schedules/mutants).
.PHONY: mutants
mutants: instructors-only $(H)/schedules
	@$(PYTHON) tools/mutants.py

-include $(patsubst %,$(E)/%.d,$(EXPLORED_KERNEL) $(SCHEDULE_TESTS) $(EXPLORER) $(ENGINE))
