// Symlink: a name for another path. Made from the initrd only; never changes.
#pragma once

#include <string_view>

#include "kernel/fs/vnode.h"
#include "mm/zone.h"

class Symlink final : public Vnode {
public:
    static Zone& zone();
    static constexpr size_t longest = FORKLORE_NAME_MAX;

    // NameTooLong, Invalid (empty), NoMemory.
    static Result<Ref<Symlink>> create(const Identity& owner, std::string_view target);
    Symlink(const Attributes& attributes, std::string_view target);

    std::string_view target() const { return {target_, length_}; }
    uint64_t size() const override { return length_; }
    void last_reference_gone() override { ZoneDelete<Symlink>{}(*this); }

private:
    size_t length_;
    char target_[longest];
};
