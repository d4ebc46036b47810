T := $(BUILD)/target
