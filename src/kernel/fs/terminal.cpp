// Readers, writers and interrupts of a terminal.
#include "kernel/fs/terminal.h"

#include <algorithm>

#include "kernel/fs/poll.h"
#include "kernel/thread.h"
#include "machine/clock.h"
#include "machine/cpu.h"

Zone& Terminal::zone() {
    static Zone& zone = zone_create({.name = "terminal", .element_size = sizeof(Terminal)}).value();
    return zone;
}

Result<Ref<Terminal>> Terminal::create(SerialPort& port) {
    PageRef ring = TRY(PageRef::allocate_zeroed(PageUse::Kernel));
    auto terminal = TRY(zone_new<Terminal>({}, port, std::move(ring)));
    Terminal& made = *terminal.release();
    port.set_room_handler(&Terminal::on_room, &made);
    port.set_receive_handler(&Terminal::on_receive, &made);
    return Ref<Terminal>::adopt(made);
}

Terminal::Terminal(SerialPort& port, PageRef ring)
    : Vnode(VnodeKind::Device, {.mode = 0666}), port_(port), ring_page_(std::move(ring)) {
    SpinGuard guard(lock_);
    line_.use_ring({ring_page_.at<LineDiscipline::Cell>(), page_size / sizeof(LineDiscipline::Cell)});
}

void Terminal::last_reference_gone() {
    port_.set_receive_handler(nullptr, nullptr);
    port_.set_room_handler(nullptr, nullptr);
    ZoneDelete<Terminal>{}(*this);
}

// --- From the port, in interrupt context ---

void Terminal::on_receive(void* terminal, const uint8_t* bytes, size_t count) {
    for (size_t i = 0; i < count; ++i) {
        static_cast<Terminal*>(terminal)->receive(bytes[i]);
    }
    poll_notify();
}

void Terminal::receive(uint8_t byte) {
    EchoBuffer echo;
    LineDiscipline::Effect effect;
    Pid session, group;
    {
        SpinGuard guard(lock_);
        effect = line_.typed(byte, echo);
        // Echo that does not fit is lost: nobody can wait here.
        port_.write(echo.bytes().data(), echo.bytes().size());
        if (effect.readable) {
            wake_all(input_);
        }
        if (effect.output_changed) {
            wake_all(output_);
        }
        session = session_;
        group = foreground_;
    }
    if (effect.signal != 0 && number(group) > 0) {
        signal_foreground_group(session, group, effect.signal);
    }
}

void Terminal::on_room(void* terminal) {
    auto& self = *static_cast<Terminal*>(terminal);
    {
        SpinGuard guard(self.lock_);
        wake_all(self.output_);
    }
    poll_notify();
}

// --- Job control ---

Pid Terminal::session() {
    SpinGuard guard(lock_);
    return session_;
}

Pid Terminal::foreground_group() {
    SpinGuard guard(lock_);
    return foreground_;
}

void Terminal::leave_session(Pid session) {
    SpinGuard guard(lock_);
    if (session_ == session) {
        session_ = foreground_ = Pid::None;
    }
}

// What is typed in a session and how is its own affair, and root's.
Result<> Terminal::check_session_locked(const JobIdentity& job) {
    if (session_ != Pid::None && session_ != job.session && !job.is_root) {
        return Error::Io;
    }
    return {};
}

// May the current process use its terminal? One in the background is told by `signal`.
Result<> Terminal::check_job(int signal, const JobIdentity& job) {
    {
        SpinGuard guard(lock_);
        if (!job.has_terminal || session_ != job.session || foreground_ == job.group) {
            return {};
        }
    }
    switch (signal_background_group(signal)) {
    case BackgroundVerdict::Sent:
        return Error::Restart;
    case BackgroundVerdict::Ignored:
        return signal == FL_SIGTTIN ? Error::Io : Result<>();
    case BackgroundVerdict::Orphaned:
        break;
    }
    return Error::Io;
}

Result<> Terminal::claim() {
    JobIdentity job = current_job();
    if (job.pid == Pid::Kernel || job.pid != job.session) {
        return Error::NotPermitted;
    }
    {
        SpinGuard guard(lock_);
        if (session_ == job.session) {
            return {};
        }
        if (session_ != Pid::None) {
            return Error::NotPermitted;
        }
        session_ = job.session;
        foreground_ = job.group;
    }
    if (!session_takes_terminal(*this)) {
        leave_session(job.session);
        return Error::NotPermitted;
    }
    return {};
}

Result<> Terminal::opened(unsigned open_flags) {
    if ((open_flags & FL_O_NOCTTY) == 0) {
        (void)claim();      // whoever may not have it opens it all the same
    }
    return {};
}

// --- Reading ---

// True if something came, false at the deadline.
Result<bool> Terminal::park_for_input_locked(Nanoseconds deadline) {
    switch (park(input_, lock_, {.interruptible = true, .deadline = deadline})) {
    case WakeReason::Interrupted:
        return Error::Restart;
    case WakeReason::TimedOut:
        return false;
    case WakeReason::Woken:
        break;
    }
    return true;
}

// Returns when the read can be answered, be it with nothing (POSIX 11.1.7: MIN and TIME).
Result<> Terminal::wait_for_input_locked(const Transfer& transfer, const JobIdentity& job) {
    constexpr Nanoseconds tenth = nanoseconds_per_second / 10;
    size_t before = 0;
    Nanoseconds deadline = never;
    bool started = false;
    for (;;) {
        // Ctrl-C came before the input that may be here by now: that is for whoever reads next.
        if (cpu::current_thread()->must_return()) {
            return Error::Restart;
        }
        TRY(check_session_locked(job));
        const ForkloreTermios& settings = line_.settings();
        size_t minimum = std::min<size_t>(settings.cc[FL_VMIN], transfer.buffer.length());
        Nanoseconds patience = settings.cc[FL_VTIME] * tenth;
        if (line_.canonical() ? line_.ready(1) : line_.ready(minimum)) {
            return {};
        }
        size_t waiting = line_.canonical() ? 0 : line_.available();
        bool timed = !line_.canonical() && patience != 0;
        if (!line_.canonical() && settings.cc[FL_VMIN] == 0 && patience == 0) {
            return {};
        }
        if ((transfer.open_flags & FL_O_NONBLOCK) != 0) {
            return waiting > 0 ? Result<>() : Error::TryAgain;
        }
        // TIME runs from the call on if MIN is 0, else from each byte on.
        bool restart = settings.cc[FL_VMIN] == 0 ? !started : waiting > before;
        if (!timed) {
            deadline = never;
        } else if (restart) {
            deadline = machine_clock::now() + patience;
        }
        started = true;
        before = waiting;
        if (!TRY(park_for_input_locked(deadline))) {
            return {};
        }
    }
}

Result<size_t> Terminal::read(Transfer& transfer) {
    size_t length = transfer.buffer.length();
    if (length == 0) {
        return size_t{0};
    }
    const JobIdentity job = current_job();
    TRY(check_job(FL_SIGTTIN, job));
    uint8_t chunk[chunk_size];
    size_t done = 0;
    bool ended = false;
    while (done < length && !ended) {
        size_t taken;
        {
            SpinGuard guard(lock_);
            if (done == 0) {
                TRY(wait_for_input_locked(transfer, job));
            }
            taken = line_.take(chunk, std::min(length - done, sizeof chunk), ended);
        }
        if (taken == 0) {
            break;
        }
        TRY(transfer.buffer.put(done, chunk, taken));
        done += taken;
    }
    note_read();
    return done;
}

// --- Writing ---

// Queues all of it, as the port takes it. Fewer than `count` only with O_NONBLOCK or a signal.
Result<size_t> Terminal::send(const uint8_t* bytes, size_t count, unsigned open_flags) {
    size_t done = 0;
    SpinGuard guard(lock_);
    for (;;) {
        if (!line_.output_stopped()) {
            done += port_.write(bytes + done, count - done);
        }
        if (done == count) {
            return done;
        }
        if ((open_flags & FL_O_NONBLOCK) != 0) {
            return done > 0 ? Result<size_t>(done) : Error::TryAgain;
        }
        if (park(output_, lock_, {.interruptible = true}) == WakeReason::Interrupted) {
            return done > 0 ? Result<size_t>(done) : Error::Restart;
        }
    }
}

Result<size_t> Terminal::write(Transfer& transfer) {
    bool stops_background;
    {
        SpinGuard guard(lock_);
        stops_background = (line_.settings().local & FL_TOSTOP) != 0;
    }
    if (stops_background) {
        TRY(check_job(FL_SIGTTOU, current_job()));
    }
    size_t length = transfer.buffer.length();
    uint8_t chunk[chunk_size], printed[2 * chunk_size];
    size_t done = 0;
    while (done < length) {
        size_t piece = std::min(length - done, sizeof chunk);
        if (Result<> taken = transfer.buffer.take(done, chunk, piece); !taken.ok()) {
            return done > 0 ? Result<size_t>(done) : taken.error();
        }
        size_t count;
        {
            SpinGuard guard(lock_);
            count = line_.print(chunk, piece, printed);
        }
        Result<size_t> sent = send(printed, count, transfer.open_flags);
        if (!sent.ok()) {
            return done > 0 ? Result<size_t>(done) : sent.error();
        }
        if (sent.value() < count) {
            return done + printed_whole(chunk, piece, count, sent.value());
        }
        done += piece;
    }
    note_write();
    return done;
}

// How many of the program's bytes are in the first `sent` bytes that were made of them.
size_t Terminal::printed_whole(const uint8_t* chunk, size_t piece, size_t printed, size_t sent) {
    bool returns = printed > piece;
    size_t whole = 0;
    for (size_t used = 0; whole < piece; ++whole) {
        used += returns && chunk[whole] == '\n' ? 2 : 1;
        if (used > sent) {
            break;
        }
    }
    return whole;
}

// --- The rest ---

// What was typed ahead, as if it were typed now; the signals that this makes, one bit each.
unsigned Terminal::retype_locked() {
    unsigned signals = 0;
    EchoBuffer echo;
    LineDiscipline::Effect effect;
    while (line_.retype(effect, echo)) {
        port_.write(echo.bytes().data(), echo.bytes().size());
        echo.clear();
        signals |= effect.signal != 0 ? 1u << effect.signal : 0;
    }
    return signals;
}

Result<uint64_t> Terminal::set_settings(UserAddr argument, bool flush) {
    auto settings = TRY(copy_in_value<ForkloreTermios>(argument));
    const JobIdentity job = current_job();
    TRY(check_job(FL_SIGTTOU, job));
    unsigned signals;
    Pid session, group;
    {
        SpinGuard guard(lock_);
        TRY(check_session_locked(job));
        line_.change_settings(settings, flush);
        signals = retype_locked();
        session = session_;
        group = foreground_;
        wake_all(input_);
        wake_all(output_);
    }
    for (int signal = 1; signals >> signal != 0 && number(group) > 0; ++signal) {
        if ((signals >> signal & 1) != 0) {
            signal_foreground_group(session, group, signal);
        }
    }
    poll_notify();
    return uint64_t{0};
}

Result<uint64_t> Terminal::set_foreground(UserAddr argument) {
    Pid group{TRY(copy_in_value<int32_t>(argument))};
    JobIdentity job = current_job();
    if (session() != job.session) {
        return Error::NotTerminal;
    }
    if (number(group) <= 0) {
        return Error::Invalid;
    }
    TRY(check_job(FL_SIGTTOU, job));
    if (session_of_group(group) != job.session) {
        return Error::NotPermitted;
    }
    SpinGuard guard(lock_);
    if (session_ != job.session) {
        return Error::NotTerminal;
    }
    foreground_ = group;
    return uint64_t{0};
}

Result<uint64_t> Terminal::ioctl(unsigned request, UserAddr argument) {
    switch (request) {
    case FL_TCGETS: {
        ForkloreTermios settings;
        {
            SpinGuard guard(lock_);
            settings = line_.settings();
        }
        TRY(copy_out_value(argument, settings));
        return uint64_t{0};
    }
    case FL_TCSETS:
    case FL_TCSETSF:
        return set_settings(argument, request == FL_TCSETSF);
    case FL_TIOCGPGRP: {
        if (session() != current_job().session) {
            return Error::NotTerminal;
        }
        TRY(copy_out_value(argument, number(foreground_group())));
        return uint64_t{0};
    }
    case FL_TIOCSPGRP:
        return set_foreground(argument);
    case FL_TIOCSCTTY:
        TRY(claim());
        return uint64_t{0};
    case FL_TIOCGWINSZ: {
        // A serial line does not know; this is what everybody assumes.
        const uint16_t size[4] = {24, 80, 0, 0};
        TRY(copy_out(argument, size, sizeof size));
        return uint64_t{0};
    }
    case FL_FIONREAD:
        TRY(copy_out_value(argument, static_cast<int32_t>(available())));
        return uint64_t{0};
    default:
        return Error::NotTerminal;
    }
}

size_t Terminal::available() {
    SpinGuard guard(lock_);
    return line_.available();
}

short Terminal::poll(short wanted, unsigned) {
    SpinGuard guard(lock_);
    int now = line_.ready(1) ? FL_POLLIN : 0;
    now |= !line_.output_stopped() && port_.room() > 0 ? FL_POLLOUT : 0;
    return static_cast<short>(now & wanted);
}
