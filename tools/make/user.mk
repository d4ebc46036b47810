# Programs for the guest: libforklore (start code and system calls under newlib), the programs, the
# initial RAM disk.
#
#   src/user/newlib/*.{c,cpp,S}     -> lib/libforklore.a, the start code (_start) too: a program that has
#                                      its own _start, like tiny.S, gets just that
#   src/user/newlib/program.ld      the programs' linker script
#   src/user/include/               headers that newlib lacks or that replace its own (first in the search)
#   src/user/programs.mk            says which programs there are:
#     PROGRAMS    one ELF each, from src/user/programs/NAME.{c,cpp,S} or all of src/user/programs/NAME/
#     MULTICALL   names that are hard links to one ELF, /bin/MULTICALL_ELF, made from MULTICALL_DIR
#     INITRD_FILES  more files: guest path=host path ...

N := $(BUILD)/newlib
U := $(BUILD)/user
CPPUTEST := $(BUILD)/cpputest-source
GCC_INCLUDE = $(shell $(CC_T) -print-file-name=include 2>/dev/null)

PROGRAMS      ?=
MULTICALL     ?=
MULTICALL_DIR ?= src/user/programs/tools
MULTICALL_ELF ?= tools
INITRD_FILES  ?=
-include src/user/programs.mk

# The system's own C headers are glibc's: only the compiler's and newlib's may be seen.
USER_FLAGS := -nostdinc -isystem src/user/include -isystem $(N)/include -isystem $(GCC_INCLUDE)
USER_FLAGS += -Isrc -O2 -g -Wall -Wextra -Werror
# Debian's cross compiler is for Linux and says so; our programs do not run there.
USER_FLAGS += -U__linux__ -U__linux -Ulinux -U__gnu_linux__ -D__forklore__=1
# Static programs at a fixed address, no stack-protector or thread-local support in the C library.
USER_FLAGS += -fno-pic -fno-pie -fno-stack-protector -mno-outline-atomics -mcpu=cortex-a53
USER_FLAGS += -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables
# -MD, not -MMD: what a system header includes would not be followed, and the system-call numbers are reached through one.
USER_FLAGS += -MD -MP
USER_FLAGS += -ffile-prefix-map=$(CURDIR)/=
USER_CFLAGS   := -std=gnu17 $(USER_FLAGS)
# C++ has the headers of libstdc++ but not the library; tools/c++ replaces what they want of glibc.
CXX_INCLUDES = $(shell echo | $(CXX_T) -x c++ -E -v - 2>&1 | sed -n 's,^ \(/.*c++.*\)$$,-isystem \1,p')
USER_CXXFLAGS := -std=gnu++20 -fno-exceptions -fno-rtti -fno-threadsafe-statics -isystem tools/c++ \
                 $(CXX_INCLUDES) $(USER_FLAGS)
USER_LD := src/user/newlib/program.ld
# Our own pages are 4 KiB; --gc-sections drops the parts of libc.a that nothing calls.
USER_LDFLAGS := -nostdlib -static -Wl,-z,max-page-size=4096 -Wl,--gc-sections -Wl,--build-id=none -T $(USER_LD)
# The processor's errata (kernel.mk), in newlib and libgcc too.
USER_LDFLAGS += -Wl,--fix-cortex-a53-843419 -Wl,--fix-cortex-a53-835769
# newlib's own raise() and signal() keep a table in the program; ours must be found before abort() asks for them.
USER_LIBS = -Wl,-u,raise -L$(U)/lib -L$(N)/lib -Wl,--start-group -lforklore -lc -lm -lgcc -Wl,--end-group

$(call flags_file,$(U)/flags,$(USER_CFLAGS) $(USER_CXXFLAGS) $(USER_LDFLAGS))

# newlib: made once; the folder is complete when the stamp is there.
$(BUILD)/newlib/stamp:
	@CROSS=$(CROSS) NEWLIB_SRC=$(NEWLIB_SRC) $(PYTHON) tools/fetch.py newlib $(BUILD)
	@touch $@

$(U)/obj/%.c.o: %.c $(U)/flags | $(N)/stamp
	$(call say,CC,$<)
	@mkdir -p $(@D)
	$(Q)$(CC_T) $(USER_CFLAGS) -c $< -o $@
$(U)/obj/%.cpp.o: %.cpp $(U)/flags | $(N)/stamp
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX_T) $(USER_CXXFLAGS) -c $< -o $@
$(U)/obj/%.S.o: %.S $(U)/flags | $(N)/stamp
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CC_T) $(USER_CFLAGS) -c $< -o $@

sources_in = $(sort $(wildcard $(1)/*.c $(1)/*.cpp $(1)/*.S))
user_objects = $(patsubst %,$(U)/obj/%.o,$(1))
# A program's sources: one file of its name, or all of the folder of its name.
program_sources = $(or $(wildcard $(addprefix src/user/programs/$(1),.c .cpp .S)),$(call sources_in,src/user/programs/$(1)))

LIBFORKLORE_SOURCES := $(call sources_in,src/user/newlib)
$(U)/lib/libforklore.a: $(call user_objects,$(LIBFORKLORE_SOURCES))
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR_T) rcsD $@ $^

USER_RUNTIME := $(U)/lib/libforklore.a $(USER_LD)
# $(call program,folder,name,sources,more objects and libraries): how one ELF is linked. The copy with debug information is NAME.debug.
define program
$(U)/$(1)/$(2): $(call user_objects,$(3)) $(4) $(USER_RUNTIME) | $(N)/stamp
	$$(call say,LINK,$$@)
	@mkdir -p $$(@D)
	@mkdir -p $(U)/debug/$(1)
	$(Q)$(CXX_T) $(USER_LDFLAGS) $(call user_objects,$(3)) $(4) $$(USER_LIBS) -o $(U)/debug/$(1)/$(2)
	$(Q)$(OBJCOPY_T) --strip-all $(U)/debug/$(1)/$(2) $$@
-include $(patsubst %.o,%.d,$(call user_objects,$(3)))
endef
USER_ELFS := $(patsubst %,$(U)/bin/%,$(PROGRAMS) $(if $(MULTICALL),$(MULTICALL_ELF)))
$(foreach p,$(PROGRAMS),$(eval $(call program,bin,$(p),$(call program_sources,$(p)))))
ifneq ($(MULTICALL),)
$(eval $(call program,bin,$(MULTICALL_ELF),$(call sources_in,$(MULTICALL_DIR))))
endif

# Tests that run as programs: one ELF for each file of tests/user, with CppUTest and tests/user/support, compiled as
# programs are. They are not in the RAM disk: the test run adds them.
USER_TEST_FLAGS := -Itests -I$(CPPUTEST)/include -DCPPUTEST_STD_CPP_LIB_DISABLED=1 -DCPPUTEST_MEM_LEAK_DETECTION_DISABLED=1 \
    -DCPPUTEST_HAVE_GETTIMEOFDAY=1
USER_CPPUTEST_OBJECTS := $(patsubst $(CPPUTEST)/%,$(U)/cpputest/%.o,$(wildcard $(CPPUTEST)/src/CppUTest/*.cpp) \
    $(CPPUTEST)/src/Platforms/Gcc/UtestPlatform.cpp)
$(call flags_file,$(U)/tests.flags,$(USER_TEST_FLAGS))
$(U)/cpputest/%.cpp.o: $(CPPUTEST)/%.cpp $(U)/flags $(U)/tests.flags | $(N)/stamp
	$(call say,CXX,cpputest/$(<F))
	@mkdir -p $(@D)
	$(Q)$(CXX_T) $(USER_CXXFLAGS) $(USER_TEST_FLAGS) -w -c $< -o $@
$(U)/obj/tests/%.cpp.o: tests/%.cpp $(U)/flags $(U)/tests.flags | $(N)/stamp
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX_T) $(USER_CXXFLAGS) $(USER_TEST_FLAGS) -c $< -o $@
USER_TEST_SUPPORT := $(call user_objects,$(call sources_in,tests/user/support))
-include $(USER_TEST_SUPPORT:.o=.d)
$(U)/lib/libcpputest.a: $(USER_CPPUTEST_OBJECTS)
	$(call say,AR,$@)
	@mkdir -p $(@D)
	$(Q)rm -f $@ && $(AR_T) rcsD $@ $^

USER_TEST_SOURCES := $(call sources_in,tests/user)
USER_TEST_NAMES := $(basename $(notdir $(USER_TEST_SOURCES)))
$(foreach s,$(USER_TEST_SOURCES),$(eval $(call program,tests,$(basename $(notdir $(s))),$(s),$(USER_TEST_SUPPORT) $(U)/lib/libcpputest.a)))
.PHONY: user-tests
user-tests: $(patsubst %,$(U)/tests/%,$(USER_TEST_NAMES))
	@:
-include $(patsubst %.o,%.d,$(call user_objects,$(LIBFORKLORE_SOURCES)))

.PHONY: user initrd
user: $(USER_ELFS) initrd
initrd: $(BUILD)/initrd.cpio
# Programs in /bin, the multi-call names as hard links to one file, then what INITRD_FILES says.
INITRD_ENTRIES := $(foreach p,$(PROGRAMS),bin/$(p)=$(U)/bin/$(p)) \
    $(if $(MULTICALL),bin/$(MULTICALL_ELF)=$(U)/bin/$(MULTICALL_ELF)) \
    $(foreach p,$(MULTICALL),bin/$(p)=@bin/$(MULTICALL_ELF)) $(INITRD_FILES)
$(call flags_file,$(U)/initrd.list,$(INITRD_ENTRIES))
$(BUILD)/initrd.cpio: $(USER_ELFS) $(U)/initrd.list tools/mkinitrd.py \
                      $(foreach e,$(INITRD_FILES),$(call find,$(filter-out @%,$(lastword $(subst =, ,$(e)))),))
	$(call say,INITRD,$@)
	$(Q)$(PYTHON) tools/mkinitrd.py $@ $(INITRD_ENTRIES)

# The compiler for anybody's programs: a folder that can be moved, with everything it needs beside it.
.PHONY: compilers
compilers: $(BUILD)/bin/forklore-cc
	@:
user: compilers
USER_HEADERS := $(call find,src/user/include src/abi tools/c++,.h)
$(BUILD)/bin/forklore-cc: tools/forklore-cc tools/make/user.mk $(USER_RUNTIME) $(USER_HEADERS)
	$(call say,INSTALL,$@)
	@mkdir -p $(@D) && rm -rf $(U)/include && mkdir -p $(U)/include
	$(Q)if [ -d src/user/include ]; then cp -R src/user/include/. src/abi $(U)/include/; fi
	$(Q)rm -rf $(U)/c++ && cp -R tools/c++ $(U)/c++
	$(Q)cp $(USER_LD) $(U)/lib/program.ld
	$(Q)cp tools/forklore-cc $@ && ln -sf forklore-cc $(BUILD)/bin/forklore-c++
