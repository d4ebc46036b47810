# Tests on the development machine: the portable part of the kernel against the machine seam of
# tests/host, with sanitizers; the clang thread-safety build; the level and header checks.

HOST_FLAGS := -std=c++20 -O1 -g -Wall -Wextra -Wshadow -Werror -Wno-missing-field-initializers
# tests/host holds the host's machine_inline/ and what stands behind src/machine's declarations.
HOST_FLAGS += -Isrc -Itests/host -Itests
HOST_FLAGS += -fno-omit-frame-pointer -pthread

# The first finding ends the run: a test that goes on after it proves nothing.
ASAN_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all
TSAN_FLAGS := -fsanitize=thread

# Everything is portable but the hardware's own folders; what a portable folder holds that only
# hardware can run is listed here. (An archive is linked: only files that tests use must link.)
TARGET_ONLY :=
HOST_DRIVERS :=
-include tests/host/sources.mk
PORTABLE := $(filter-out $(TARGET_ONLY) src/machine/rpi3/% src/drivers/% src/boot/% src/user/%, \
              $(call find,src,.cpp)) $(HOST_DRIVERS)
HOST_SEAM := $(call find,tests/host,.cpp)
UNIT_TESTS := $(call find,tests/unit,.cpp)
STRESS_TESTS := $(call find,tests/stress,.cpp)

H := $(BUILD)/host
CPPUTEST_LIBS ?= -lCppUTestExt -lCppUTest
$(call flags_file,$(H)/asan/flags,$(HOST_CXX) $(HOST_FLAGS) $(ASAN_FLAGS))
$(call flags_file,$(H)/tsan/flags,$(HOST_CXX) $(HOST_FLAGS) $(TSAN_FLAGS))
$(call flags_file,$(H)/sources,$(PORTABLE) $(HOST_SEAM) $(UNIT_TESTS) $(STRESS_TESTS))

$(H)/asan/%.o: % $(H)/asan/flags
	$(call say,HOSTCXX,$<)
	@mkdir -p $(@D)
	$(Q)$(HOST_CXX) $(HOST_FLAGS) $(ASAN_FLAGS) -MMD -MP -c $< -o $@

$(H)/tsan/%.o: % $(H)/tsan/flags
	$(call say,TSANCXX,$<)
	@mkdir -p $(@D)
	$(Q)$(HOST_CXX) $(HOST_FLAGS) $(TSAN_FLAGS) -MMD -MP -c $< -o $@

$(H)/asan/portable.a: $(PORTABLE:%=$(H)/asan/%.o) $(call find,prebuilt/asan,.o) $(H)/sources
$(H)/tsan/portable.a: $(PORTABLE:%=$(H)/tsan/%.o) $(call find,prebuilt/tsan,.o) $(H)/sources
%/portable.a:
	$(Q)rm -f $@ && ar rcs $@ $(filter %.o,$^)

.PHONY: unit stress
unit: $(H)/unit
stress: $(H)/stress

$(H)/unit: $(UNIT_TESTS:%=$(H)/asan/%.o) $(HOST_SEAM:%=$(H)/asan/%.o) $(H)/asan/portable.a
	$(call say,HOSTLD,$@)
	$(Q)$(HOST_CXX) $(HOST_FLAGS) $(ASAN_FLAGS) $^ $(CPPUTEST_LIBS) -o $@

$(H)/stress: $(STRESS_TESTS:%=$(H)/tsan/%.o) $(HOST_SEAM:%=$(H)/tsan/%.o) $(H)/tsan/portable.a
	$(call say,HOSTLD,$@)
	$(Q)$(HOST_CXX) $(HOST_FLAGS) $(TSAN_FLAGS) $^ $(CPPUTEST_LIBS) -o $@

-include $(foreach v,asan tsan,$(patsubst %,$(H)/$(v)/%.d,$(PORTABLE) $(HOST_SEAM) $(UNIT_TESTS) $(STRESS_TESTS)))

# Clang reads every kernel file as the target's compiler does and checks GUARDED_BY and REQUIRES.
CLANG_FLAGS := --target=aarch64-linux-gnu -std=c++20 -ffreestanding -fno-exceptions -fno-rtti -mgeneral-regs-only \
               -Isrc -Isrc/machine/rpi3 -isystem tools/c++ -fsyntax-only -Wall -Wextra -Wthread-safety -Werror -Wno-missing-field-initializers
THREAD_SAFETY := $(patsubst %,$(H)/thread-safety/%.ok,$(filter %.cpp,$(KERNEL_SOURCES)))
.PHONY: thread-safety
thread-safety: $(THREAD_SAFETY)
$(H)/thread-safety/%.ok: % tools/make/host.mk
	$(call say,CLANG,$<)
	@mkdir -p $(@D)
	$(Q)$(CLANG_CXX) $(CLANG_FLAGS) -MMD -MP -MF $(@:.ok=.d) -MT $@ $<
	@touch $@
-include $(THREAD_SAFETY:.ok=.d)

# Levels: who may include whom. Headers: each compiles alone; machine_inline is the inside of others.
HEADERS := $(patsubst %,$(H)/headers/%.ok,$(filter-out src/user/%,$(foreach h,$(call find,src,.h),$(if $(findstring machine_inline,$(h)),,$(h)))))
.PHONY: levels headers barriers
levels:
	$(Q)$(PYTHON) tools/check_levels.py
# What only silicon minds, in the machine code of the kernel and of the programs.
barriers: $(K)/kernel8.elf $(USER_ELFS)
	$(Q)OBJDUMP=$(OBJDUMP_T) $(PYTHON) tools/check_barriers.py $< $(USER_ELFS:$(U)/%=$(U)/debug/%)
headers: $(HEADERS)
$(H)/headers/%.ok: % $(K)/flags
	$(call say,HEADER,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX_T) $(KERNEL_FLAGS) -fsyntax-only -Wno-unused -MMD -MP -MF $(@:.ok=.d) -MT $@ -include $(<:src/%=%) -x c++ /dev/null
	@touch $@
-include $(HEADERS:.ok=.d)
