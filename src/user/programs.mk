# What the guest's file system holds; tools/make/user.mk builds it.

# One ELF each: src/user/programs/NAME.{c,cpp,S} or all of src/user/programs/NAME/.
PROGRAMS := init sh forktest storm crash bench tiny tinyc

# Names of one ELF, /bin/tools: src/user/programs/tools/NAME.cpp each.
MULTICALL := audit cat chmod clear coalitions cp date dmesg echo env false free grep head hexdump id ipcrm ipcs jetsam kill ls \
             mkdir mv nice persona pidmap pmap poweroff ps pwd reboot rm rmdir seq sleep sort stat tail tee temperature touch \
             true uname uptime wc yes zprint

# What is a file and no program.
INITRD_FILES := etc/motd=src/user/programs/sh/motd

# More files of the guest: path in the guest=path here, folders with all that is in them.
INITRD_FILES += home=src/user/initrd/home
