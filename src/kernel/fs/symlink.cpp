// Making of symbolic links.
#include "kernel/fs/symlink.h"

Zone& Symlink::zone() {
    static Zone& zone = zone_create({.name = "symlink", .element_size = sizeof(Symlink)}).value();
    return zone;
}

Result<Ref<Symlink>> Symlink::create(const Identity& owner, std::string_view target) {
    if (target.empty()) {
        return Error::Invalid;
    }
    if (target.size() > longest) {
        return Error::NameTooLong;
    }
    auto link = TRY(zone_new<Symlink>({}, Attributes{0777, owner.uid, owner.gid}, target));
    return Ref<Symlink>::adopt(*link.release());
}

Symlink::Symlink(const Attributes& attributes, std::string_view target)
    : Vnode(VnodeKind::Symlink, attributes), length_(target.size()) {
    memcpy(target_, target.data(), target.size());
}
