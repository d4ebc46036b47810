#!/usr/bin/python3
"""A board that is none: QEMU runs U-Boot, and both its serial lines are joined to one pseudo-terminal, as the board's pins 14 and 15
carry first the loader's and then the kernel's. For tests, and to learn `make board` without a board.

    tools/stand_in.py FOLDER [MODEL=3a+] [CARD=image] [HELD=file@address,...]
                            a board; FOLDER/line is its port. HELD: what its memory has from an earlier run. Ctrl-C ends it
    tools/stand_in.py FOLDER WORDS                      tells that board something, returns when it is done:
        reset               as its reset pin does; also switches it on again when it is off
        off                 the power is gone, and what was in memory
        hang [N]            it stops for good, at once or after N more bytes have come to it
        break N             it resets after N more bytes have come to it
        noise N BYTES       of the next BYTES bytes, either way, about every Nth is another one
        lose N BYTES        likewise, and gets lost

An emulated UART takes about a kilobyte a second on a busy host: what memory is said to hold need not be sent.
"""
import errno
import os
import random
import select
import socket
import subprocess
import sys
import tty
from dataclasses import dataclass, field
from pathlib import Path

from console import end_with_parent
from machine import MODELS, SANDBOX, Options, uboot_program
from monitor import Monitor
from program import Failure, tool

LOADER, KERNEL = 0, 1       # the mini-UART, which U-Boot speaks on, and the PL011
BUFFER_MOST = 1 << 20


@dataclass
class Faults:
    """What the line does to the bytes on it. The same bytes suffer in the same way each time."""
    every: dict[str, int] = field(default_factory=dict)     # by `noise` or `lose`
    left: dict[str, int] = field(default_factory=dict)      # bytes to come that may suffer
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def strikes(self, what: str) -> bool:
        if not self.left.get(what):
            return False
        self.left[what] -= 1
        return self.chance.randrange(self.every[what]) == 0

    def carry(self, data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            if not self.strikes("lose"):
                out.append(byte ^ 1 << self.chance.randrange(8) if self.strikes("noise") else byte)
        return bytes(out)


class StandIn:
    def __init__(self, folder: Path, options: Options, card: str = "", held: str = "") -> None:
        self.folder, self.options, self.card, self.held = folder, options, card, held
        self.faults = Faults()
        self.job: subprocess.Popen | None = None
        self.lines: list[socket.socket] = []
        self.monitor: Monitor | None = None
        self.speaker = LOADER       # who drives the pins: the UART that spoke last
        self.until_hang = self.until_break = -1     # bytes to come; -1: never
        self.to_port, self.to_board = b"", b""
        self.port, name = self.open_port()
        self.control = socket.socket(socket.AF_UNIX)
        for path in (folder / "control", folder / "line"):
            path.unlink(missing_ok=True)
        self.control.bind(str(folder / "control"))
        self.control.listen()
        self.switch_on()
        (folder / "line").symlink_to(name)

    @staticmethod
    def open_port() -> tuple[int, str]:
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        name = os.ttyname(theirs)
        # While nobody has it open, poll() says so, and what the board says is lost as on a real line.
        os.close(theirs)
        os.set_blocking(ours, False)
        return ours, name

    # --- power ---

    def switch_on(self) -> None:
        ours, theirs = zip(*(socket.socketpair() for _ in range(3)))
        names = ("kernel", "loader", "monitor")
        command = [tool("qemu-system-aarch64", "QEMU", "qemu-system-arm"), "-M", MODELS[self.options.model], "-sandbox", SANDBOX, "-display", "none",
                   "-nodefaults", "-echr", "0x100", "-accel", "tcg,thread=single", "-kernel", str(uboot_program(self.options))]
        for name, channel in zip(names, theirs):
            # A UART's FIFO is filled by single bytes, each by another thread of QEMU's. A multiplexer keeps 32 more at hand; no byte is its escape.
            command += ["-chardev", f"socket,id={name},fd={channel.fileno()}" + (",mux=on" if name != "monitor" else "")]
        command += ["-serial", "chardev:kernel", "-serial", "chardev:loader", "-mon", "chardev=monitor,mode=control"]
        for place in filter(None, self.held.split(",")):
            file, _, address = place.rpartition("@")
            command += ["-device", f"loader,file={file},addr={address},force-raw=on"]
        if self.card:
            command += ["-drive", f"file={self.card},if=sd,format=raw,snapshot=on"]
        self.job = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[channel.fileno() for channel in theirs], preexec_fn=end_with_parent)
        for channel in theirs:
            channel.close()
        self.lines = [ours[1], ours[0]]
        self.monitor = Monitor(ours[2])
        self.speaker = LOADER

    def switch_off(self) -> None:
        if self.job:
            self.job.kill()
            self.job.wait()
        for channel in self.lines:
            channel.close()
        self.job, self.lines, self.monitor = None, [], None
        self.to_board = b""

    def reset(self) -> None:
        """Memory keeps what it holds."""
        if not self.monitor:
            self.switch_on()
            return
        print("reset", flush=True)
        self.to_board = b""
        self.speaker = LOADER
        self.monitor.ask("system_reset")
        self.monitor.ask("cont")

    def hang(self) -> None:
        if self.monitor:
            self.monitor.ask("stop")

    # --- what it is told ---

    def obey(self, words: list[str]) -> None:
        word, number, *rest = words[0], *map(int, words[1:] or ["0"])
        if word == "reset":
            self.reset()
        elif word == "off":
            self.switch_off()
        elif word == "hang" and not number:
            self.hang()
        elif word == "hang":
            self.until_hang = number
        elif word == "break":
            self.until_break = number
        elif word in ("noise", "lose"):
            self.faults.every[word], self.faults.left[word] = max(number, 1), rest[0]
        else:
            raise Failure(f"a stand-in does not know `{word}`")

    def listen(self) -> None:
        with self.control.accept()[0] as asker:
            try:
                self.obey(asker.recv(4096).decode().split())
                answer = "done"
            except (Failure, ValueError, IndexError) as failure:
                answer = str(failure) or "what?"
            asker.sendall(answer.encode())

    # --- the wires ---

    def from_board(self, which: int) -> None:
        try:
            data = self.lines[which].recv(4096)
        except OSError:
            data = b""
        if not data:        # the guest has switched itself off
            self.switch_off()
            return
        self.speaker = which
        self.to_port = (self.to_port + self.faults.carry(data))[-BUFFER_MOST:]

    def from_port(self) -> None:
        try:
            data = os.read(self.port, 4096)
        except OSError as error:
            if error.errno not in (errno.EIO, errno.EAGAIN):
                raise
            return
        self.to_board += self.faults.carry(data)
        if self.count(len(data), "until_hang"):
            self.hang()
        if self.count(len(data), "until_break"):
            self.reset()

    def count(self, bytes_more: int, what: str) -> bool:
        left = getattr(self, what)
        if left < 0:
            return False
        setattr(self, what, left - bytes_more if left > bytes_more else -1)
        return left <= bytes_more

    def run(self) -> None:
        while True:
            poll = select.poll()
            poll.register(self.control, select.POLLIN)
            poll.register(self.port, select.POLLOUT if self.to_port else 0)
            nobody = any(fd == self.port and what & select.POLLHUP for fd, what in poll.poll(0))
            if nobody:
                self.to_port = b""
                poll.unregister(self.port)
            else:
                # What the board does not take yet stays with the terminal: a real line would lose it, but QEMU's UART tells us.
                poll.register(self.port, (0 if self.to_board else select.POLLIN) | (select.POLLOUT if self.to_port else 0))
            for which, channel in enumerate(self.lines):
                wants = which == self.speaker and self.to_board
                poll.register(channel, (select.POLLIN if len(self.to_port) < BUFFER_MOST else 0) | (select.POLLOUT if wants else 0))
            ready = dict(poll.poll(20 if nobody else None))
            if self.control.fileno() in ready:
                self.listen()
                continue
            if ready.get(self.port, 0) & select.POLLIN:
                self.from_port()
            if ready.get(self.port, 0) & select.POLLOUT:
                self.to_port = self.to_port[os.write(self.port, self.to_port):]
            for which, channel in enumerate(list(self.lines)):
                what = ready.get(channel.fileno(), 0)
                if what & (select.POLLIN | select.POLLHUP) and self.lines:
                    self.from_board(which)
                if what & select.POLLOUT and self.lines and self.to_board:
                    self.to_board = self.to_board[channel.send(self.to_board):]


def tell(folder: Path, words: str) -> None:
    """Says something to the stand-in of that folder; returns when it has done it."""
    with socket.socket(socket.AF_UNIX) as channel:
        try:
            channel.connect(str(folder / "control"))
        except OSError as error:
            raise Failure(f"{folder}: there is no stand-in ({error.strerror})") from None
        channel.sendall(words.encode())
        answer = channel.recv(4096).decode()
    if answer != "done":
        raise Failure(answer or f"{folder}: the stand-in has ended")


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    folder, words = Path(sys.argv[1]), sys.argv[2:]
    settings = dict(word.split("=", 1) for word in words if "=" in word)
    try:
        if words and not settings:
            tell(folder, " ".join(words))
            return 0
        folder.mkdir(parents=True, exist_ok=True)
        model = settings.get("MODEL", "3b").lower()
        if model not in MODELS:
            raise Failure(f"MODEL={model}: QEMU has {' and '.join(MODELS)}")
        board = StandIn(folder, Options(build=Path(os.environ.get("FORKLORE_BUILD") or "build"), model=model), settings.get("CARD", ""), settings.get("HELD", ""))
        print(f"{folder}/line is the port of a board that QEMU plays; Ctrl-C ends it", flush=True)
        board.run()
    except (Failure, OSError) as failure:
        print(f"stand-in: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
