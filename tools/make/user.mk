# Programs for the guest.
.PHONY: user
user:
-include src/user/programs.mk
