# Tests inside the kernel: the same kernel, with CppUTest, tests/unit and tests/target in place of the
# first program. The test image is never what runs otherwise.

T := $(BUILD)/target$(if $(SAN),-san)
comma := ,

# CppUTest wants a C library: newlib's, above what tests/target/platform.cpp gives it.
TARGET_TEST_FLAGS := $(filter-out -Isrc -Isrc/machine/rpi3,$(KERNEL_FLAGS)) -Isrc -Isrc/machine/rpi3 -Itests \
    -nostdinc $(CXX_INCLUDES) -isystem $(N)/include -isystem $(GCC_INCLUDE) \
    -I$(CPPUTEST)/include -U__linux__ -U__linux -Ulinux
# No exceptions: a failed check leaves the test by longjmp. No memory-leak detection: it replaces `new`,
# and the ledgers of our own zones and pages say more.
TARGET_TEST_FLAGS += -DCPPUTEST_STD_CPP_LIB_DISABLED=1 -DCPPUTEST_MEM_LEAK_DETECTION_DISABLED=1
# The framework computes with doubles; the tests and the kernel do not.
CPPUTEST_FLAGS := $(filter-out -mgeneral-regs-only -Wall -Wextra -Wshadow -Werror -Wno-missing-field-initializers,$(TARGET_TEST_FLAGS)) -w

# Constructors of tests run in the tests' thread (tests/target/main.cpp), not when the kernel starts.
LATE_CONSTRUCTORS = $(Q)$(OBJCOPY_T) --rename-section .init_array=test_constructors,alloc,load,readonly,data $@

CPPUTEST_SOURCES := $(patsubst $(CPPUTEST)/%,%,$(wildcard $(CPPUTEST)/src/CppUTest/*.cpp))
CPPUTEST_OBJECTS := $(CPPUTEST_SOURCES:%=$(T)/cpputest/%.o)
# Tests that play with the host's machine (machine/host.h) or its threads stay there.
HOST_ONLY_TESTS := $(if $(UNIT_TESTS),$(shell grep -lE 'machine/host.h|panics.h|proc_support.h|<thread>' $(UNIT_TESTS) $(STRESS_TESTS)))
TARGET_TESTS := $(filter-out $(HOST_ONLY_TESTS),$(UNIT_TESTS) $(STRESS_TESTS)) $(call find,tests/target,.cpp)
TARGET_TEST_OBJECTS := $(TARGET_TESTS:%=$(T)/%.o)
$(call flags_file,$(T)/flags,$(CXX_T) $(TARGET_TEST_FLAGS))
$(call flags_file,$(T)/objects,$(TARGET_TEST_OBJECTS) $(KERNEL_OBJECTS) $(CPPUTEST_OBJECTS))

$(T)/cpputest/%.cpp.o: $(CPPUTEST)/%.cpp $(T)/flags | $(N)/stamp
	$(call say,CXX,cpputest/$(<F))
	@mkdir -p $(@D)
	$(Q)$(CXX_T) $(CPPUTEST_FLAGS) -c $< -o $@
	$(LATE_CONSTRUCTORS)
$(T)/tests/target/platform.cpp.o: tests/target/platform.cpp $(T)/flags | $(N)/stamp
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX_T) $(CPPUTEST_FLAGS) -MD -MP -c $< -o $@
	$(LATE_CONSTRUCTORS)
$(T)/%.cpp.o: %.cpp $(T)/flags | $(N)/stamp
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX_T) $(TARGET_TEST_FLAGS) -MD -MP -c $< -o $@
	$(LATE_CONSTRUCTORS)
-include $(TARGET_TEST_OBJECTS:.o=.d)

# --wrap: what would start the first program starts the tests (tests/target/main.cpp).
TARGET_WRAP := -Wl,--wrap=_Z19start_first_processv -Wl,--wrap=_ZdlPv -Wl,--wrap=_ZdlPvm
.PHONY: kernel-test
kernel-test: $(T)/kernel-test.img
$(T)/kernel-test.elf: $(KERNEL_OBJECTS) $(TARGET_TEST_OBJECTS) $(CPPUTEST_OBJECTS) $(KERNEL_LD) tools/mksymbols.py $(T)/objects
	$(call link_kernel,$(TARGET_WRAP) $(KERNEL_OBJECTS) $(TARGET_TEST_OBJECTS) $(CPPUTEST_OBJECTS) -L$(N)/lib -lc -lm -lgcc)

# The benchmark's own image: the same kernel, with tests/bench in place of the first program.
BENCH_OBJECTS := $(patsubst %,$(T)/%.o,$(call find,tests/bench,.cpp))
$(BENCH_OBJECTS): $(T)/%.cpp.o: %.cpp $(K)/flags
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX_T) $(KERNEL_FLAGS) -MD -MP -c $< -o $@
-include $(BENCH_OBJECTS:.o=.d)
.PHONY: kernel-bench
kernel-bench: $(T)/kernel-bench.img
$(T)/kernel-bench.elf: $(KERNEL_OBJECTS) $(BENCH_OBJECTS) $(KERNEL_LD) tools/mksymbols.py $(K)/objects
	$(call link_kernel,-Wl$(comma)--wrap=_Z19start_first_processv $(KERNEL_OBJECTS) $(BENCH_OBJECTS) -lgcc)
