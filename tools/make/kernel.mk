# The kernel: every C++ and assembly file under src/ but src/user.

KERNEL_FLAGS := -std=c++20 -O2 -g
# Headers by their path from src/; the machine's inline bodies from its own folder.
KERNEL_FLAGS += -Isrc -Isrc/machine/rpi3
# libstdc++'s headers are configured for glibc's threads and futex; tools/c++ tells them to do without.
KERNEL_FLAGS += -isystem tools/c++
# No library and no run-time support below us but libgcc.
KERNEL_FLAGS += -ffreestanding -fno-exceptions -fno-rtti
KERNEL_FLAGS += -fno-use-cxa-atexit
KERNEL_FLAGS += -fno-stack-protector
# Linked at one fixed address; early code runs elsewhere and is careful by itself.
KERNEL_FLAGS += -fno-pic -fno-pie
# The FP and SIMD registers belong to user programs: the kernel must not touch them.
KERNEL_FLAGS += -mgeneral-regs-only
# Atomics inline: the out-of-line helpers ask the C library which processor this is.
KERNEL_FLAGS += -mno-outline-atomics
KERNEL_FLAGS += -mcpu=cortex-a53
# Cortex-A53 erratum 835769: a multiply-add after a load or store may be wrong.
KERNEL_FLAGS += -mfix-cortex-a53-835769
# A backtrace walks the frame records; nobody reads unwind tables.
KERNEL_FLAGS += -fno-omit-frame-pointer -fno-asynchronous-unwind-tables
# What is not used is left out at the link.
KERNEL_FLAGS += -ffunction-sections -fdata-sections
# Members that an initializer does not name are zero, and we rely on it.
KERNEL_FLAGS += -Wall -Wextra -Wshadow -Werror -Wno-missing-field-initializers
# Names of the build's folders stay out of the image, so that it is the same everywhere.
KERNEL_FLAGS += -ffile-prefix-map=$(CURDIR)/=

KERNEL_LDFLAGS := -nostdlib -static
# Cortex-A53 erratum 843419: an ADRP at the end of a page may give a wrong address.
KERNEL_LDFLAGS += -Wl,--fix-cortex-a53-843419
# And 835769 in libgcc, which was compiled for any processor.
KERNEL_LDFLAGS += -Wl,--fix-cortex-a53-835769
KERNEL_LDFLAGS += -Wl,--gc-sections
# 4-KiB pages: without this the linker aligns segments to 64 KiB.
KERNEL_LDFLAGS += -Wl,-z,max-page-size=4096
# No build id: it would be a note section in front of the image header.
KERNEL_LDFLAGS += -Wl,--build-id=none
# Segments are mapped by our own page tables, which keep W^X.
KERNEL_LDFLAGS += -Wl,--no-warn-rwx-segments

# SAN=1: a kernel of its own, which ends at undefined behaviour and at bad addresses (src/boot/undefined_behaviour.cpp, address_check.cpp).
K := $(BUILD)/kernel$(if $(SAN),-san)
ifneq ($(SAN),)
KERNEL_FLAGS += -DSANITIZED
# vptr wants RTTI; there are no floats.
SANITIZE := -fsanitize=undefined -fno-sanitize=vptr -fno-sanitize=float-cast-overflow
# The distance is layout::shadow_of's (src/machine/rpi3/layout.h).
SANITIZE += -fsanitize=kernel-address -fasan-shadow-offset=0xdffffff000000000 --param=asan-globals=1 --param=asan-stack=1
KERNEL_FLAGS += $(SANITIZE)
# What is written in assembly, and what tells which zone an element is of, goes by the checks.
KERNEL_LDFLAGS += $(foreach name,memcpy memmove memset memcmp user_load_bytes user_store_bytes _ZN3ram9copy_pageEPvPKv \
    _ZN3ram10clear_pageEPv _Z5zfreeR4ZonePv _Z11zone_createRK11ZoneOptions,-Wl,--wrap=$(name))
# Checks that the compiler adds make it warn of what can not be; the usual build has said all there is to say.
KERNEL_FLAGS += -w
endif
KERNEL_LD := src/boot/kernel.ld
KERNEL_SOURCES := $(filter-out src/user/%,$(call find,src,.cpp) $(call find,src,.S))
KERNEL_OBJECTS := $(KERNEL_SOURCES:%=$(K)/%.o)
# In a student's tree: the other labs' files, as objects.
KERNEL_OBJECTS += $(call find,prebuilt/kernel,.o)

$(call flags_file,$(K)/flags,$(CXX_T) $(KERNEL_FLAGS) $(KERNEL_LDFLAGS))
# The list of objects, so that a removed source also links again.
$(call flags_file,$(K)/objects,$(KERNEL_OBJECTS))

.PHONY: kernel
kernel: $(K)/kernel8.elf $(K)/kernel8.img

$(K)/%.cpp.o: %.cpp $(K)/flags
	$(call say,CXX,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX_T) $(KERNEL_FLAGS) -MD -MP -c $< -o $@

# No message can be given before the MMU is on, and what gives the message must not end in itself.
UNSANITIZED := $(addprefix boot/,early_map undefined_behaviour address_check panic backtrace symbols frame_offsets) \
    $(addprefix machine/rpi3/,console shadow)
$(UNSANITIZED:%=$(K)/src/%.cpp.o): KERNEL_FLAGS := $(filter-out $(SANITIZE),$(KERNEL_FLAGS))

# Unaligned accesses fault before the MMU is on, when all memory is device memory (ARM ARM B2.5.2): these files run there.
$(K)/src/boot/early_map.cpp.o $(K)/src/machine/rpi3/console.cpp.o: KERNEL_FLAGS += -mstrict-align

$(K)/%.S.o: %.S $(K)/flags
	$(call say,AS,$<)
	@mkdir -p $(@D)
	$(Q)$(CXX_T) $(filter-out -std=c++20,$(KERNEL_FLAGS)) -MD -MP -c $< -o $@

# Two links: the first with an empty symbol table, the second with the table made from the first.
# `.symbols` lies behind the code, so the code does not move; mksymbols.py --check proves it.
# $(call link_kernel,objects and libraries)
define link_kernel
	$(call say,LINK,$@)
	$(Q)printf '.section .symbols,"a"\n.balign 8\n.globl symbol_table\nsymbol_table:\n.zero 48\n' > $(@:.elf=.symbols0.S)
	$(Q)$(CXX_T) -c $(@:.elf=.symbols0.S) -o $(@:.elf=.symbols0.o)
	$(Q)$(CXX_T) $(KERNEL_LDFLAGS) -T $(KERNEL_LD) $(@:.elf=.symbols0.o) $(1) -o $(@:.elf=.pass1.elf)
	$(Q)$(PYTHON) tools/mksymbols.py --cross $(CROSS) $(@:.elf=.pass1.elf) $(@:.elf=.symbols.bin)
	$(Q)printf '.section .symbols,"a"\n.balign 8\n.globl symbol_table\nsymbol_table:\n.incbin "$(@:.elf=.symbols.bin)"\n' > $(@:.elf=.symbols.S)
	$(Q)$(CXX_T) -c $(@:.elf=.symbols.S) -o $(@:.elf=.symbols.o)
	$(Q)$(CXX_T) $(KERNEL_LDFLAGS) -T $(KERNEL_LD) $(@:.elf=.symbols.o) $(1) -Wl,-Map=$(@:.elf=.map) -o $@.tmp
	$(Q)$(PYTHON) tools/mksymbols.py --cross $(CROSS) --check $(@:.elf=.pass1.elf) $@.tmp
	$(Q)mv $@.tmp $@
endef

$(K)/kernel8.elf: $(KERNEL_OBJECTS) $(KERNEL_LD) tools/mksymbols.py $(K)/objects
	$(call link_kernel,$(KERNEL_OBJECTS) -lgcc)

%.img: %.elf
	$(call say,IMAGE,$@)
	$(Q)$(OBJCOPY_T) -O binary $< $@

# Kernel and RAM disk in one file, for the Raspberry Pi's own firmware.
.PHONY: standalone
standalone: $(BUILD)/forklore.img
$(BUILD)/forklore.img: $(K)/kernel8.img $(BUILD)/initrd.cpio tools/mkstandalone.py
	$(call say,IMAGE,$@)
	$(Q)$(PYTHON) tools/mkstandalone.py $(K)/kernel8.img $(BUILD)/initrd.cpio $@

-include $(KERNEL_OBJECTS:.o=.d)
