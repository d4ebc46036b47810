#include "grader/target/kernel/device.h"

#include <algorithm>
#include <cstring>

#include "base/format.h"
#include "grader/target/kernel/key.h"
#include "grader/target/kernel/records.h"
#include "kernel/fs/root.h"
#include "kernel/fs/vnode.h"

namespace {

class GraderDevice final : public Vnode {
public:
    GraderDevice() : Vnode(VnodeKind::Device, {.mode = 0666}) {}

    Result<size_t> read(Transfer& transfer) override {
        TextBuffer<sizeof(TargetOrders)> text;
        text.add("{}\n", orders.seed);
        const char* name = orders.names;
        for (uint32_t i = 0; i < orders.count; ++i, name += strlen(name) + 1) {
            text.add("{}\n", name);
        }
        const size_t length = std::min(transfer.buffer.length(), text.text().size());
        TRY(transfer.buffer.put(0, text.text().data(), length));
        return length;
    }
    Result<size_t> write(Transfer& transfer) override {
        char text[1100];
        const size_t length = std::min(transfer.buffer.length(), sizeof text);
        TRY(transfer.buffer.take(0, text, length));
        obey(std::string_view(text, length));
        return transfer.buffer.length();
    }
    Result<> truncate(uint64_t, uint64_t) override { return {}; }
    void last_reference_gone() override {}

private:
    static void obey(std::string_view text) {
        const size_t space = std::min(text.find(' '), text.size());
        const std::string_view command = text.substr(0, space), rest = text.substr(std::min(space + 1, text.size()));
        if (command == "begin") {
            records::begin(rest);
        } else if (command == "pass") {
            records::pass();
        } else if (command == "fail") {
            records::fail(rest);
        } else if (command == "look") {
            records::look(rest);
        } else if (command == "missing") {
            records::put("missing", rest);
        } else if (command == "end") {
            records::end();
        }
    }
};

}  // namespace

void make_grader_device() {
    static GraderDevice device;
    file_system_add_device("/dev/grader", device).value();
}
