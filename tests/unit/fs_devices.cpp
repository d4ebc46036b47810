// Devices that never end: a thread that is wanted elsewhere does not stay until its buffer is full.
#include "unit/support.h"

#include "kernel/fs/devices.h"
#include "kernel/thread.h"

TEST_GROUP(Devices) {
    static constexpr size_t length = 4 * page_size;
    static inline char buffer[length];

    Result<size_t> read(SimpleDevice which) {
        Ref<Vnode> device = TRY(make_device(which));
        Transfer transfer{.buffer = IoBuffer(buffer, length)};
        return device->read(transfer);
    }
    void teardown() override { cpu::current_thread()->done(ReturnWork::Kill); }
};

TEST(Devices, fill_a_buffer_that_nobody_waits_for) {
    UNSIGNED_LONGS_EQUAL(length, must(read(SimpleDevice::Zero)));
    UNSIGNED_LONGS_EQUAL(length, must(read(SimpleDevice::Random)));
}

TEST(Devices, let_a_thread_that_must_return_go_with_a_first_piece) {
    cpu::current_thread()->ask(ReturnWork::Kill);
    const size_t zeros = must(read(SimpleDevice::Zero)), random = must(read(SimpleDevice::Random));
    CHECK_TRUE(zeros > 0 && zeros < length);
    CHECK_TRUE(random > 0 && random < length);
}
