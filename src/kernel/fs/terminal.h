// Terminal: a serial line that people type on: lines with echo and erasing, or raw bytes; Ctrl-C; job control.
//
// Input comes in interrupt context and goes through the line discipline at once, so that echo and Ctrl-C do not wait for a
// reader; then it is read from a ring. Lock: `lock_`, a spin lock, for all of it; programs' memory is touched and signals are
// sent outside of it. Counterpart: struct tty.
#pragma once

#include "drivers/serial_port.h"
#include "kernel/fs/line_discipline.h"
#include "kernel/fs/upward.h"
#include "kernel/fs/vnode.h"
#include "machine/park.h"
#include "mm/zone.h"

// Of another session than the one that it controls root alone may read it or change its settings (Io); all may write.
class Terminal final : public Vnode {
public:
    static Zone& zone();
    // Takes the port's handlers over, for ever. NoMemory.
    static Result<Ref<Terminal>> create(SerialPort& port);
    Terminal(SerialPort& port, PageRef ring);

    // --- Of the session that controls it; Pid::None if there is none ---
    Pid session();
    Pid foreground_group();
    // The session's leader ended: the terminal is free again. The caller sends SIGHUP.
    void leave_session(Pid session);

    Result<size_t> read(Transfer& transfer) override;
    Result<size_t> write(Transfer& transfer) override;
    Result<> truncate(uint64_t, uint64_t) override { return {}; }   // open(O_TRUNC): nothing
    Result<uint64_t> ioctl(unsigned request, UserAddr argument) override;
    short poll(short wanted, unsigned open_flags) override;
    size_t available() override;
    // Becomes the controlling terminal of a session without one, if its leader opens it without O_NOCTTY.
    Result<> opened(unsigned open_flags) override;
    void last_reference_gone() override;

private:
    // Bytes that are moved at one time, through the kernel's stack.
    static constexpr size_t chunk_size = 128;

    static void on_receive(void* terminal, const uint8_t* bytes, size_t count);
    static void on_room(void* terminal);
    void receive(uint8_t byte);

    uint64_t device_number() const override { return 0x400; }
    Result<> check_session_locked(const JobIdentity& job) REQUIRES(lock_);
    Result<> check_job(int signal, const JobIdentity& job);
    Result<> claim();
    Result<> wait_for_input_locked(const Transfer& transfer, const JobIdentity& job) REQUIRES(lock_);
    Result<bool> park_for_input_locked(Nanoseconds deadline) REQUIRES(lock_);
    static size_t printed_whole(const uint8_t* chunk, size_t piece, size_t printed, size_t sent);
    Result<size_t> send(const uint8_t* bytes, size_t count, unsigned open_flags);
    unsigned retype_locked() REQUIRES(lock_);
    Result<uint64_t> set_settings(UserAddr argument, bool flush);
    Result<uint64_t> set_foreground(UserAddr argument);

    SerialPort& port_;
    PageRef ring_page_;
    SpinLock lock_{LockRank::FileWait, "terminal"};
    LineDiscipline line_ GUARDED_BY(lock_);
    Channel input_ GUARDED_BY(lock_);
    Channel output_ GUARDED_BY(lock_);
    Pid session_ GUARDED_BY(lock_) = Pid::None;
    Pid foreground_ GUARDED_BY(lock_) = Pid::None;
};
