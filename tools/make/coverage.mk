# What the host's unit tests reach of the files that the labs replace. `make coverage` prints a table and fails below all
# lines; build/coverage/index.html shows each line. No line is excluded.

COVERED := $(sort $(wildcard src/mm/zone*.cpp)) src/mm/page_table_copy.cpp \
           $(addprefix src/kernel/proc/,pid.cpp fork.cpp vfork.cpp)
GCOVR ?= gcovr

# As written: no optimisation, and no branches that the compiler makes for exceptions. No undefined-behaviour sanitizer,
# whose checks would be branches too. Tests have threads, so counters are atomic.
COVERAGE_FLAGS := $(filter-out -O1,$(HOST_FLAGS)) -O0 -fno-exceptions -fsanitize=address --coverage -fprofile-update=atomic
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

.PHONY: coverage coverage-unit
coverage-unit: $(H)/coverage/unit
coverage: $(S)/coverage.stamp
	@$(MAKE) $(PARALLEL) coverage-unit
	$(Q)find $(H)/coverage -name '*.gcda' -delete
	$(Q)$(H)/coverage/unit > $(H)/coverage/unit.log || { cat $(H)/coverage/unit.log; exit 1; }
	$(Q)mkdir -p $(BUILD)/coverage
	$(Q)$(GCOVR) --root . $(addprefix --filter ,$(COVERED)) --json $(BUILD)/coverage/coverage.json \
	    --html-details $(BUILD)/coverage/index.html $(H)/coverage
	@$(PYTHON) tools/coverage.py $(BUILD)/coverage/coverage.json $(COVERED)
