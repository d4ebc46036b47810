// What reading and writing /dev/null, /dev/zero and /dev/random does.
#include "kernel/fs/devices.h"

#include <algorithm>

#include "kernel/fs/upward.h"
#include "kernel/thread.h"
#include "mm/zone.h"

namespace {

alignas(16) constexpr char zeros[page_size] = {};

class Device final : public Vnode {
public:
    static Zone& zone();
    Device(SimpleDevice which, const Attributes& attributes) : Vnode(VnodeKind::Device, attributes), which_(which) {}

    Result<size_t> read(Transfer& transfer) override {
        switch (which_) {
        case SimpleDevice::Zero:
            return read_zeros(transfer.buffer);
        case SimpleDevice::Random:
            return read_random(transfer.buffer);
        case SimpleDevice::Null:
            break;
        }
        return size_t{0};
    }
    // Everything is taken, nothing is looked at.
    Result<size_t> write(Transfer& transfer) override { return transfer.buffer.length(); }
    // open(O_TRUNC) of a device does nothing.
    Result<> truncate(uint64_t, uint64_t) override { return {}; }
    void last_reference_gone() override { ZoneDelete<Device>{}(*this); }

private:
    uint64_t device_number() const override { return 0x100 + static_cast<uint64_t>(which_); }

    // Piece by piece: they never end, so a thread that is wanted elsewhere leaves with what it has.
    template <typename PutPiece>
    static Result<size_t> read_pieces(size_t length, size_t largest_piece, PutPiece put_piece) {
        size_t done = 0;
        while (done < length && (done == 0 || !cpu::current_thread()->must_return())) {
            const size_t piece = std::min(length - done, largest_piece);
            TRY(put_piece(done, piece));
            done += piece;
        }
        return done;
    }
    static Result<size_t> read_zeros(const IoBuffer& buffer) {
        return read_pieces(buffer.length(), sizeof zeros, [&](size_t at, size_t piece) { return buffer.put(at, zeros, piece); });
    }
    static Result<size_t> read_random(const IoBuffer& buffer) {
        char bytes[256];
        return read_pieces(buffer.length(), sizeof bytes, [&](size_t at, size_t piece) {
            random_fill(bytes, piece);
            return buffer.put(at, bytes, piece);
        });
    }

    SimpleDevice which_;
};

Zone& Device::zone() {
    static Zone& zone = zone_create({.name = "device", .element_size = sizeof(Device)}).value();
    return zone;
}

}  // namespace

Result<Ref<Vnode>> make_device(SimpleDevice which) {
    auto device = TRY(zone_new<Device>({}, which, Vnode::Attributes{.mode = 0666}));
    return Ref<Vnode>::adopt(*device.release());
}
