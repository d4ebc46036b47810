// Terminal: a serial line that people type on: lines with echo and erasing, or raw bytes; Ctrl-C; job control.
//
// Input comes in interrupt context, goes through the line discipline at once (so that echo and Ctrl-C do not wait for
// a reader), and is read from a ring. Lock: `lock_`, a spin lock, for everything; programs' memory is touched and signals
// are sent outside of it.
#pragma once

#include "kernel/fs/line_discipline.h"
#include "kernel/fs/vnode.h"
#include "machine/park.h"

// Where a terminal's bytes go. Implemented over a serial port, or by a test.
struct TerminalPort {
    // As many of the bytes as fit now; the number. Any context.
    size_t (*write)(void* context, const uint8_t* bytes, size_t count);
    // Bytes that fit now.
    size_t (*room)(void* context);
    void* context;
};

class Terminal final : public Vnode {
public:
    static Zone& zone();
    static Result<Ref<Terminal>> create(TerminalPort port);
    explicit Terminal(TerminalPort port);

    // From the port, interrupt context: bytes came; room came.
    void receive(const uint8_t* bytes, size_t count);
    void room_again();

    // A session that ends gives its terminal free; its foreground group gets SIGHUP by the caller.
    void leave_session(Pid session);
    Pid foreground_group();
    Pid session();

    Result<size_t> read(Transfer& transfer) override;
    Result<size_t> write(Transfer& transfer) override;
    Result<uint64_t> ioctl(unsigned request, UserAddr argument) override;
    short poll(short wanted, unsigned open_flags) override;
    Result<> opened(unsigned open_flags) override;
    void last_reference_gone() override;

private:
    uint64_t device_number() const override;
    SpinLock lock_{LockRank::FileWait, "terminal"};
};
