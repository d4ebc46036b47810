# What the host's tests reach of the files that the labs replace. `make coverage` prints a table and fails below all lines and
# branches; build/coverage/index.html shows each line. No line is excluded.

COVERED := $(sort $(wildcard src/mm/zone*.cpp)) src/mm/page_table_copy.cpp \
           $(addprefix src/kernel/proc/,pid.cpp fork.cpp vfork.cpp)
GCOVR ?= gcovr

# As written: no optimisation, and no branches that the compiler makes for exceptions. No sanitizers, whose checks would be
# branches too, and others in each program: their counts are added. Tests have threads, so counters are atomic.
COVERAGE_FLAGS := $(filter-out -O1,$(HOST_FLAGS)) -O0 -fno-exceptions --coverage -fprofile-update=atomic
$(call flags_file,$(H)/coverage/flags,$(HOST_CXX) $(COVERAGE_FLAGS))
COVERED_OBJECTS := $(COVERED:%=$(H)/coverage/%.o)

$(H)/coverage/%.o: % $(H)/coverage/flags
	$(call say,COVERCXX,$<)
	@mkdir -p $(@D)
	$(Q)rm -f $(@:.o=.gcda)
	$(Q)$(HOST_CXX) $(COVERAGE_FLAGS) -MMD -MP -c $< -o $@
-include $(COVERED_OBJECTS:.o=.d)

# The counted files come first: the archive's own versions of them are not looked at any more.
$(H)/coverage/unit: $(UNIT_TESTS:%=$(H)/asan/%.o) $(HOST_SEAM:%=$(H)/asan/%.o) $(COVERED_OBJECTS) $(H)/asan/portable.a
	$(call say,HOSTLD,$@)
	$(Q)$(HOST_CXX) $(HOST_FLAGS) $(ASAN_FLAGS) --coverage $^ $(CPPUTEST_LIBS) -o $@

# What happens only if another core comes between two instructions, the explorer makes happen: its program once more, with the
# same files counted. Their counters are written without any lock, so no races are looked for.
RACING := $(addprefix Zones.,at_the_limit_who_does_not_wait_is_told_and_leaves_no_trace the_peak_is_as_many_as_there_were_at_once)
EXPLORED_COVERAGE_FLAGS := $(filter-out -O1,$(SCHEDULE_FLAGS)) -O0 -fno-exceptions -fno-sanitize=undefined --coverage
$(call flags_file,$(H)/coverage/explored/flags,$(HOST_CXX) $(EXPLORED_COVERAGE_FLAGS))
COVERED_EXPLORED := $(COVERED:%=$(H)/coverage/explored/%.o)
$(H)/coverage/explored/%.o: % $(H)/coverage/explored/flags
	$(call say,COVERCXX,$<)
	@mkdir -p $(@D)
	$(Q)rm -f $(@:.o=.gcda)
	$(Q)$(HOST_CXX) $(EXPLORED_COVERAGE_FLAGS) -MMD -MP -c $< -o $@
-include $(COVERED_EXPLORED:.o=.d)

$(H)/coverage/schedules: $(EXPLORED) $(COVERED_EXPLORED) $(E)/portable.a
	$(call say,HOSTLD,$@)
	$(Q)$(HOST_CXX) $(SCHEDULE_LINK) --coverage -u __gcov_dump $^ $(CPPUTEST_LIBS) -o $@

.PHONY: coverage coverage-programs
coverage-programs: $(H)/coverage/unit $(H)/coverage/schedules
coverage: $(S)/coverage.stamp
	@$(MAKE) $(PARALLEL) coverage-programs
	$(Q)find $(H)/coverage -name '*.gcda' -delete
	$(Q)$(H)/coverage/unit > $(H)/coverage/unit.log || { cat $(H)/coverage/unit.log; exit 1; }
	$(Q)$(H)/coverage/schedules -p $(RACING:%=-t %) --no-races > $(H)/coverage/schedules.log || { cat $(H)/coverage/schedules.log; exit 1; }
	$(Q)mkdir -p $(BUILD)/coverage
	$(Q)$(GCOVR) --root . $(addprefix --filter ,$(COVERED)) --json $(BUILD)/coverage/coverage.json \
	    --html-details $(BUILD)/coverage/index.html $(H)/coverage
	@$(PYTHON) tools/coverage.py $(BUILD)/coverage/coverage.json $(COVERED)
