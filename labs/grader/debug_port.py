"""QEMU's debug port: the few packets of GDB's remote protocol by which the grader looks into a machine from outside.

Memory is read by physical address, so nothing depends on page tables that the guest could have changed.
"""
import select
import socket
from dataclasses import dataclass

CORES = 4
SYSTEM_TIMER = 0x3F003004       # BCM2835 ARM Peripherals 12.1: microseconds of guest time, two words
REGISTERS = 33                  # x0 to x30, sp, pc
ANSWER_SECONDS = 120            # QEMU answers at once; on a host that takes so long nothing can be learnt


class Lost(Exception):
    """QEMU does not answer any more."""


class Ended(Exception):
    """QEMU has ended, or is about to: how, its status says."""


@dataclass
class Registers:
    x: list[int]
    sp: int
    pc: int


class DebugPort:
    def __init__(self, channel: socket.socket) -> None:
        self.channel = channel
        self.read_so_far = b""
        self.acknowledges = True
        self.ask("QStartNoAckMode")
        self.acknowledges = False
        # Told before the first instruction runs: where the machine stopped is known.
        if self.ask("Qqemu.PhyMemMode:1") != "OK":
            raise Lost("its debug port does not read physical memory")

    # --- packets ---

    def send(self, text: str) -> None:
        data = text.encode()
        self.send_raw(b"$" + data + b"#%02x" % (sum(data) % 256))

    def send_raw(self, data: bytes) -> None:
        try:
            self.channel.sendall(data)
        except OSError:
            raise Ended from None

    def packet(self) -> str | None:
        """The next whole packet of what was read, if there is one."""
        start = self.read_so_far.find(b"$")
        end = self.read_so_far.find(b"#", start)
        if start < 0 or end < 0 or len(self.read_so_far) < end + 3:
            return None
        data, self.read_so_far = self.read_so_far[start + 1:end], self.read_so_far[end + 3:]
        if self.acknowledges:
            self.send_raw(b"+")
        return data.decode(errors="replace")

    def fill(self) -> bool:
        """Reads what came; False at the end of the machine."""
        try:
            data = self.channel.recv(65536)
        except OSError:
            data = b""
        self.read_so_far += data
        return bool(data)

    def answer(self) -> str:
        while (text := self.packet()) is None:
            if not select.select([self.channel], [], [], ANSWER_SECONDS)[0]:
                raise Lost("its debug port does not answer")
            if not self.fill():
                raise Ended
        if text.startswith(("W", "X")):     # instead of an answer: the machine was just switched off
            raise Ended
        return text

    def ask(self, text: str) -> str:
        self.send(text)
        return self.answer()

    # --- what is asked ---

    def break_at(self, address: int) -> None:
        if self.ask(f"Z1,{address:x},4") != "OK":
            raise Lost("its debug port sets no breakpoint")

    def go_on(self) -> None:
        self.send("c")

    def stop(self) -> None:
        """Stops the machine, if it is not about to stop by itself."""
        self.send_raw(b"\x03")
        self.answer()

    def end(self) -> None:
        """QEMU ends. A machine that runs takes the first byte, whatever it is, for the wish to stop."""
        try:
            self.send_raw(b"\x03")
            self.send("k")
        except Ended:
            pass

    def memory(self, address: int, size: int) -> bytes:
        """Physical memory. IndexError: there is none."""
        data = b""
        while len(data) < size:
            text = self.ask(f"m{address + len(data):x},{min(size - len(data), 1024):x}")
            if text.startswith("E") or not text:
                raise IndexError(f"no memory at {address + len(data):#x}")
            data += bytes.fromhex(text)
        return data

    def word(self, address: int) -> int:
        return int.from_bytes(self.memory(address, 8), "little")

    def guest_seconds(self) -> float:
        low, high = (int.from_bytes(self.memory(SYSTEM_TIMER + offset, 4), "little") for offset in (0, 4))
        return (high << 32 | low) / 1e6

    def raw_registers(self, core: int) -> str:
        self.ask(f"Hg{core + 1}")
        return self.ask("g")

    def registers(self, core: int) -> Registers:
        data = bytes.fromhex(self.raw_registers(core)[:REGISTERS * 16])
        values = [int.from_bytes(data[i * 8:i * 8 + 8], "little") for i in range(REGISTERS)]
        return Registers(values[:31], values[31], values[32])

    def set_pc(self, core: int, value: int) -> None:
        """Writes all registers as they are but this one; to write one alone, QEMU wants its description read first."""
        data = self.raw_registers(core)
        at = (REGISTERS - 1) * 16
        if self.ask("G" + data[:at] + value.to_bytes(8, "little").hex() + data[at + 16:]) != "OK":
            raise Lost("its debug port does not write registers")
