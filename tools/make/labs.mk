# The labs: what the grader (labs/grader/) asks make for, and the verbs people type.

# $(call lab_object,sources): their host objects. Checks may lie outside the tree (HIDDEN=dir).
lab_object = $(patsubst %,$(H)/asan/%.o,$(patsubst /%,outside/%,$(1)))
LAB_RUNNER := $(call find,labs/grader/runner,.cpp)
LAB_PORTABLE = $(call lab_object,$(filter-out $(LAB_REPLACES),$(PORTABLE))) $(call find,prebuilt/asan,.o)
LAB_OBJECTS = $(call lab_object,$(LAB_RUNNER) $(filter-out tests/host/main.cpp,$(HOST_SEAM)) $(LAB_CHECKS))
# The checks are compiled with the grader's headers too.
$(H)/asan/labs/%.o $(H)/asan/outside/%.o: HOST_FLAGS += -Ilabs

$(H)/asan/outside/%.o: /% $(H)/asan/flags
	$(call say,HOSTCXX,$<)
	@mkdir -p $(@D)
	$(Q)$(HOST_CXX) $(HOST_FLAGS) $(ASAN_FLAGS) -MMD -MP -c $< -o $@

# The same for checks that run under the schedule explorer (schedules.mk), which the grader's runner is the main program of.
explored_object = $(patsubst %,$(E)/%.o,$(patsubst /%,outside/%,$(1)))
LAB_EXPLORED_PORTABLE = $(call explored_object,$(filter-out $(LAB_REPLACES),$(EXPLORED_KERNEL))) $(call find,prebuilt/explored,.o)
LAB_EXPLORED_OBJECTS = $(call explored_object,labs/grader/runner/records.cpp labs/grader/schedules/main.cpp $(LAB_SCHEDULES) $(ENGINE) \
                         $(filter-out tests/explorer/main.cpp tests/explorer/report.cpp,$(EXPLORER)))
$(E)/labs/%.o $(E)/outside/%.o: SCHEDULE_FLAGS += -Ilabs
$(E)/outside/%.o: /% $(E)/flags
	$(call say,EXPLORE,$<)
	@mkdir -p $(@D)
	$(Q)$(HOST_CXX) $(SCHEDULE_FLAGS) -MMD -MP -c $< -o $@

# Builds everything but the submission, then says what there is. LAB_REPLACES, LAB_CHECKS, LAB_SCHEDULES: sources, from lab.yaml.
.PHONY: grade-objects schedule-objects
grade-objects: $(LAB_PORTABLE) $(LAB_OBJECTS)
	@echo 'PORTABLE=$(LAB_PORTABLE)'
	@echo 'OBJECTS=$(LAB_OBJECTS)'
	@echo 'CXX=$(HOST_CXX)'
	@echo 'FLAGS=$(HOST_FLAGS) $(ASAN_FLAGS)'
	@echo 'LINK_FLAGS=$(HOST_FLAGS) $(ASAN_FLAGS)'
schedule-objects: $(LAB_EXPLORED_PORTABLE) $(LAB_EXPLORED_OBJECTS)
	@echo 'PORTABLE=$(LAB_EXPLORED_PORTABLE)'
	@echo 'OBJECTS=$(LAB_EXPLORED_OBJECTS)'
	@echo 'CXX=$(HOST_CXX)'
	@echo 'FLAGS=$(SCHEDULE_FLAGS)'
	@echo 'LINK_FLAGS=$(SCHEDULE_LINK)'
-include $(patsubst %.o,%.d,$(LAB_OBJECTS) $(if $(LAB_SCHEDULES),$(LAB_EXPLORED_OBJECTS)))

# The target tier: the kernel less the files that are handed in, with the runner in place of the first process, and the checks.
# Checks at EL0 are one program, which is process 1 of a machine of its own.
LAB_TARGET_SOURCES = $(call find,labs/grader/target/kernel,.cpp) tests/target/platform.cpp $(LAB_KERNEL_CHECKS)
LAB_TARGET_OBJECTS = $(patsubst %,$(T)/%.o,$(patsubst /%,outside/%,$(LAB_TARGET_SOURCES)))
LAB_TARGET_KERNEL = $(filter-out $(LAB_REPLACES:%=$(K)/%.o),$(KERNEL_OBJECTS))
LAB_PROGRAM_SOURCES = $(call find,labs/grader/target/program,.cpp) $(LAB_PROGRAM_CHECKS)
LAB_PROGRAM_OBJECTS = $(patsubst %,$(U)/obj/%.o,$(patsubst /%,outside/%,$(LAB_PROGRAM_SOURCES)))
LAB_PROGRAM := $(U)/checks/lab$(LAB_NUMBER)
$(T)/labs/%.o $(T)/outside/%.o: TARGET_TEST_FLAGS += -Ilabs
$(U)/obj/labs/%.o $(U)/obj/outside/%.o: USER_TEST_FLAGS += -Ilabs

$(T)/outside/%.cpp.o: /%.cpp $(T)/flags | $(N)/stamp
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX_T) $(TARGET_TEST_FLAGS) -MMD -MP -c $< -o $@
	$(LATE_CONSTRUCTORS)
define user_check
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX_T) $(USER_CXXFLAGS) $(USER_TEST_FLAGS) -c $< -o $@
endef
$(U)/obj/labs/%.cpp.o: labs/%.cpp $(U)/flags $(U)/tests.flags | $(N)/stamp
	$(user_check)
$(U)/obj/outside/%.cpp.o: /%.cpp $(U)/flags $(U)/tests.flags | $(N)/stamp
	$(user_check)
$(LAB_PROGRAM): $(LAB_PROGRAM_OBJECTS) $(filter-out %/main.cpp.o,$(USER_TEST_SUPPORT)) $(U)/lib/libcpputest.a $(USER_RUNTIME)
	$(call say,LINK,$@)
	@mkdir -p $(@D) $(U)/debug/checks
	$(Q)$(CXX_T) $(USER_LDFLAGS) $(filter %.o %.a,$^) $(USER_LIBS) -o $(U)/debug/checks/$(@F)
	$(Q)$(OBJCOPY_T) --strip-all $(U)/debug/checks/$(@F) $@
$(LAB_PROGRAM).cpio: $(LAB_PROGRAM) $(USER_ELFS) $(U)/initrd.list tools/mkinitrd.py
	$(call say,INITRD,$@)
	$(Q)$(PYTHON) tools/mkinitrd.py $@ bin/init=$(LAB_PROGRAM) $(filter-out bin/init=%,$(INITRD_ENTRIES))

# Builds everything for the target tier but the submission, and says what there is.
.PHONY: grade-target
grade-target: $(LAB_TARGET_KERNEL) $(LAB_TARGET_OBJECTS) $(CPPUTEST_OBJECTS) $(BUILD)/rpi3.dtb $(LAB_PROGRAM).cpio
	@echo 'OBJECTS=$(LAB_TARGET_KERNEL) $(LAB_TARGET_OBJECTS) $(CPPUTEST_OBJECTS)'
	@echo 'LIBRARIES=$(N)/lib/libc.a $(N)/lib/libm.a'
	@echo 'CXX=$(CXX_T)'
	@echo 'FLAGS=$(KERNEL_FLAGS)'
	@echo 'LINK=$(KERNEL_LDFLAGS)'
	@echo 'INITRD=$(LAB_PROGRAM).cpio'
-include $(patsubst %.o,%.d,$(filter $(T)/labs/% $(T)/outside/% $(U)/obj/labs/% $(U)/obj/outside/%,$(LAB_TARGET_OBJECTS) $(LAB_PROGRAM_OBJECTS)))

# The grader itself takes the options as FORKLORE_* (verbs.mk).
# Without a shell in between: whoever ends make ends the grader.
GRADER := env PYTHONPATH=labs PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m grader
.PHONY: grade grade-class autograder check-labs handout instructors-only
grade: $(S)/run.stamp $(S)/grade.stamp $(if $(BOARD)$(BOARDS),$(S)/board.stamp) $(if $(filter-out 0,$(GDB)),$(BUILD)/host/count.so)
	$(if $(filter-out %@target,$(CHECK)),,@$(MAKE) -s $(N)/stamp $(BUILD)/cpputest-source/stamp)
	@$(GRADER) grade
grade-class: export FORKLORE_JOBS := $(JOBS)
grade-class: instructors-only $(S)/run.stamp $(S)/grade.stamp $(S)/class.stamp
	@$(MAKE) -s $(N)/stamp $(BUILD)/cpputest-source/stamp
	@$(GRADER) grade-class
autograder: instructors-only $(S)/grade.stamp
	@$(GRADER) autograder
check-labs: instructors-only $(S)/run.stamp $(S)/grade.stamp
	@$(MAKE) -s $(N)/stamp $(BUILD)/cpputest-source/stamp
	@$(GRADER) check-labs
handout: instructors-only $(S)/run.stamp $(S)/test.stamp $(S)/grade.stamp
	@$(MAKE) $(N)/stamp
	@$(GRADER) handout

# A student's tree has neither the known solutions nor what makes trees of it.
instructors-only:
	@test ! -e labs/HANDOUT || { echo "That is for instructors; this tree is a student's." >&2; exit 1; }
