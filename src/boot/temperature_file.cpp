// The file's one vnode, which lives for ever.
#include "boot/temperature_file.h"

#include <algorithm>

#include "base/format.h"
#include "drivers/devices.h"
#include "kernel/fs/root.h"
#include "kernel/fs/vnode.h"
#include "kernel/log.h"

namespace {

class TemperatureFile final : public Vnode {
public:
    TemperatureFile() : Vnode(VnodeKind::File, {.mode = 0444}) {}

    Result<size_t> read(Transfer& transfer) override {
        TextBuffer<80> text;
        if (property::GetTemperature tag; devices::mailbox.call(tag).ok()) {
            text.add("temperature {}\n", tag.thousandths);
        }
        if (property::GetThrottled tag; devices::mailbox.call(tag).ok()) {
            text.add("throttled 0x{x}\n", tag.flags);
        }
        const std::string_view rest = text.text().substr(std::min<size_t>(transfer.offset, text.text().size()));
        const size_t length = std::min(transfer.buffer.length(), rest.size());
        TRY(transfer.buffer.put(0, rest.data(), length));
        transfer.offset += length;
        return length;
    }
    void last_reference_gone() override {}
};

}  // namespace

void make_temperature_file() {
    static TemperatureFile file;
    if (!file_system_add_device("/dev/temperature", file).ok()) {
        log("/dev/temperature: no memory for its name");
    }
}
