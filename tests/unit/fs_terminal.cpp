// A terminal on the host: whose it is, who else may use it, and whom Ctrl-C reaches.
#include "drivers/serial_port.h"
#include "kernel/fs/root.h"
#include "kernel/fs/terminal.h"
#include "kernel/proc/calls.h"
#include "kernel/proc/family.h"
#include "kernel/proc/sys_files.h"
#include "proc_support.h"

namespace {

// Nobody looks at what is sent.
class TypedPort final : public SerialPort {
public:
    constexpr TypedPort() : SerialPort("typed port") {}
    void type(std::string_view text) {
        left_ = text;
        handle_interrupt();
    }

private:
    bool transmit_ready() override { return true; }
    void transmit(uint8_t) override {}
    bool transmit_finished() override { return true; }
    bool receive(Received& received) override {
        if (left_.empty()) {
            return false;
        }
        received.byte = static_cast<uint8_t>(left_.front());
        left_.remove_prefix(1);
        return true;
    }
    void want_transmit_interrupt(bool) override {}
    bool acknowledge() override { return true; }
    std::string_view left_;
};

}  // namespace

TEST_GROUP_BASE(Terminals, ProcessTest) {
    static constexpr UserAddr path = data, settings = data + 512;
    static constexpr uint64_t console = 0;      // the shell's descriptor
    TypedPort port;
    Ref<Terminal> terminal;

    void setup() override {
        (void)Terminal::zone();
        ProcessTest::setup();
        terminal = must(Terminal::create(port));
        must(file_system_add_device("/dev/console", *terminal.get()));
        put_string(path, "/dev/console");
        UNSIGNED_LONGS_EQUAL(console, must(call(sys_open, path.value, FL_O_RDWR, 0)));
        CHECK_TRUE(terminal->session() == me().pid);
    }
    void teardown() override {
        host::set_current(outside());
        host::end_processes();
        terminal = {};
        ProcessTest::teardown();
    }
    // The test goes on as a child in a session of its own.
    Proc& in_another_session(Uid uid) {
        Proc& child = forked();
        host::set_current(host::take_started());
        must(sys_setsid(frame));
        Ref<Credentials> own = must(child.credentials->copy());
        own->real_uid = own->effective_uid = own->saved_uid = uid;
        std::swap(child.credentials, own);
        return child;
    }
};

TEST(Terminals, of_a_session_are_not_read_or_set_by_others_but_root) {
    must(call(sys_ioctl, console, FL_TCGETS, settings.value));
    Thread& shell = *cpu::current_thread();
    port.type("secret\n");
    in_another_session(user);
    must_fail(Error::Io, call(sys_read, console, data.value, 3));
    must_fail(Error::Io, call(sys_ioctl, console, FL_TCSETS, settings.value));
    must(call(sys_write, console, data.value, 3));
    host::set_current(shell);
    in_another_session(root_uid);
    must(call(sys_ioctl, console, FL_TCSETS, settings.value));
    UNSIGNED_LONGS_EQUAL(3, must(call(sys_read, console, data.value, 3)));
}

TEST(Terminals, ctrl_c_reaches_the_foreground_group_but_no_stranger_who_got_its_number) {
    me().signals.actions->actions[FL_SIGINT].handler = 0x1234;
    port.type("\x03");
    UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGINT), me().signals.pending);
    me().signals.pending = 0;
    Proc& child = forked();
    const Pid pid = child.pid;
    must(call(sys_setpgid, number(pid), number(pid)));
    put(data, static_cast<uint64_t>(number(pid)));
    me().signals.actions->actions[FL_SIGTTOU].handler = FL_SIG_IGN;
    must(call(sys_ioctl, console, FL_TIOCSPGRP, data.value));
    CHECK_TRUE(terminal->foreground_group() == pid);
    // As if the group had ended and its number come round in another session.
    Ref<Session> session = host::init().group->session;
    std::swap(child.group->session, session);
    port.type("\x03");
    UNSIGNED_LONGS_EQUAL(0, child.signals.pending);
    std::swap(child.group->session, session);
    port.type("\x03");
    UNSIGNED_LONGS_EQUAL(signal_bit(FL_SIGINT), child.signals.pending);
}
