"""What is typed to U-Boot and sent to it, against a prompt that speaks its dialogue: transfers that break off, other speeds, the
network that the emulated board has not."""
import binascii
import contextlib
import io
import lzma
import os
import random
import re
import subprocess
import sys
import termios
import threading
import tty
import zlib

from support import ROOT, Case

sys.path.insert(0, str(ROOT / "tools"))
import board  # noqa: E402
import uboot  # noqa: E402
from program import Failure  # noqa: E402
from serial_line import SerialLine  # noqa: E402

START, SHORT, LONG, END, ACK, NAK = 1, 1, 2, 4, b"\x06", b"\x15"
AT = 0x4080000


class Off(Exception):
    """The power is gone, or somebody pressed reset."""


class Prompt(threading.Thread):
    """U-Boot 2023.01 as its sources have it: each command that the tools type, on a terminal of its own, over memory that survives a reset."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ours, self.theirs = os.openpty()
        tty.setraw(self.theirs)
        self.port = os.ttyname(self.theirs)
        self.memory = bytearray(0x8800000)
        self.served: str = ""                       # the folder of the TFTP server; none: there is no network
        self.typed: list[str] = []
        self.received: list[tuple[int, int]] = []   # by each loady: where to, how many bytes
        self.speeds: list[int] = []                 # of the line, when each loady begins and when it is over
        self.resets_after: int | None = None        # blocks of a transfer

    # --- the line ---

    def say(self, text: str | bytes) -> None:
        os.write(self.ours, text if isinstance(text, bytes) else text.replace("\n", "\r\n").encode())

    def byte(self) -> bytes:
        return os.read(self.ours, 1)

    def exactly(self, count: int) -> bytes:
        got = b""
        while len(got) < count:
            got += os.read(self.ours, count - len(got))
        return got

    def run(self) -> None:
        with contextlib.suppress(OSError):      # the test is over
            while True:
                try:
                    self.say("U-Boot> ")
                    self.obey(self.line())
                except Off:
                    self.say("\nU-Boot 2023.01\n\n")

    def line(self) -> str:
        typed = b""
        while (byte := self.byte()) != b"\r":
            if byte == b"\x03":
                self.say("<INTERRUPT>\nU-Boot> ")
                typed = b""
                continue
            if byte not in b"\x18\x1b":
                typed += byte
                self.say(byte)
        self.say("\n")
        return typed.decode()

    # --- its commands ---

    def obey(self, line: str) -> None:
        if not line:
            return
        self.typed.append(line)
        words = line.split()
        if loop := re.fullmatch(r"setenv a (\w+); while itest \$a < (\w+); do crc32 \$a (\w+); setexpr a \$a \+ (\w+); done", line):
            at, end, size, step = (int(word, 16) for word in loop.groups())
            for place in range(at, end, step):
                self.crc32(place, size)
        elif words[0] == "crc32":
            self.crc32(int(words[1], 16), int(words[2], 16))
        elif words[0] == "lzmadec":
            packed, to, most = (int(word, 16) for word in words[1:])
            # Its size is in the header: with none the decoder of 2023.01 goes on behind the end.
            size = int.from_bytes(self.memory[packed + 5:packed + 13], "little")
            data = lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(bytes(self.memory[packed:packed + most]))
            assert size == len(data) <= most
            self.memory[to:to + len(data)] = data
            self.say(f"Uncompressed size: {len(data)} = {len(data):#X}\n")
        elif words[0] == "loady":
            self.loady(int(words[1], 16), int(words[2]) if len(words) > 2 else 115200)
        elif words[0] == "usb":
            self.say("starting USB...\n" + ("DHCP client bound to address 10.0.2.15 (3 ms)\n" if self.served else "No ethernet found.\n"))
        elif words[0] == "tftpboot":
            self.tftp(int(words[1], 16), *words[2].split(":"))
        else:
            self.say(f"Unknown command '{words[0]}' - try 'help'\n")

    def crc32(self, at: int, size: int) -> None:
        self.say(f"CRC32 for {at:08x} ... {at + size - 1:08x} ==> {zlib.crc32(self.memory[at:at + size]):08x}\n")

    def tftp(self, at: int, server: str, name: str) -> None:
        if not self.served:
            self.say("No ethernet found.\n")
            return
        data = (ROOT / self.served / name).read_bytes()
        self.memory[at:at + len(data)] = data
        self.say(f"Using lan78xx_eth device\nTFTP from server {server}; our IP address is 10.0.2.15\nBytes transferred = {len(data)} ({len(data):x} hex)\n")

    def loady(self, at: int, baud: int) -> None:
        if baud != 115200:
            self.say(f"## Switch baudrate to {baud} bps and press ENTER ...\n")
            while self.byte() != b"\r":
                pass
        self.speeds.append(self.speed())
        self.say(f"## Ready for binary (ymodem) download to 0x{at:08X} at {baud} bps...\n")
        size = self.receive(at)
        self.received.append((at, size))
        self.say(f"## Total Size      = 0x{size:08x} = {size} Bytes\n## Start Addr      = 0x{at:08X}\n")
        if baud != 115200:
            self.say("## Switch baudrate to 115200 bps and press ESC ...\n")
            while self.byte() != b"\x1b":
                pass
        self.speeds.append(self.speed())

    def speed(self) -> int:
        names = {getattr(termios, f"B{baud}"): baud for baud in (115200, 921600)}
        return names.get(termios.tcgetattr(self.theirs)[5], 0)

    def receive(self, at: int) -> int:
        """YMODEM (Forsberg, 1988): a block with name and size, blocks of data, the end twice, an empty block."""
        size = done = blocks = 0
        self.say(b"C")
        while True:
            kind = self.byte()[0]
            if kind == END:
                self.say(NAK)
                assert self.byte()[0] == END
                self.say(ACK + b"C")
                assert self.byte()[0] == SHORT
                self.exactly(2 + 128 + 2)
                self.say(ACK)
                return size
            if kind not in (SHORT, LONG):
                continue
            number, inverse = self.exactly(2)
            data = self.exactly(1024 if kind == LONG else 128)
            assert number ^ inverse == 255 and self.exactly(2) == binascii.crc_hqx(data, 0).to_bytes(2, "big")
            blocks += 1
            if self.resets_after == blocks:
                self.resets_after = None
                raise Off
            if blocks == 1:
                size = int(data.split(b"\0")[1].split()[0])
                self.say(ACK + b"C")
                continue
            part = data[:size - done]
            self.memory[at + done:at + done + len(part)] = part
            done += len(part)
            self.say(ACK)


class AtThePrompt(Case):
    def setUp(self) -> None:
        super().setUp()
        self.prompt = Prompt()
        self.prompt.start()
        self.line = SerialLine(self.prompt.port)
        self.addCleanup(self.line.close)
        self.loader = uboot.Loader(self.line, 60, lambda _: None)
        chance = random.Random(1)
        # Half of it can be packed: five pieces, of which three are left.
        self.data = b"".join(bytes([chance.randrange(256)]) * 2 for _ in range(5 * uboot.PIECE // 2 - 100))

    def holds(self, data: bytes, at: int = AT) -> None:
        self.assertEqual(zlib.crc32(self.prompt.memory[at:at + len(data)]), zlib.crc32(data))

    def sent(self) -> list[int]:
        return [size for _, size in self.prompt.received]


class Transfers(AtThePrompt):
    def test_it_is_packed_and_only_what_is_missing(self) -> None:
        self.loader.load("kernel", AT, self.data)
        self.holds(self.data)
        self.assertEqual(self.sent(), [len(uboot.pack(self.data))])
        self.assertLess(self.sent()[0], len(self.data) * 3 // 4)
        self.prompt.memory[AT + 2 * uboot.PIECE] ^= 1
        self.loader.load("kernel", AT, self.data)
        self.holds(self.data)
        self.assertLess(self.sent()[1], uboot.PIECE)
        self.loader.load("kernel", AT, self.data)
        self.assertEqual(len(self.sent()), 2)

    def test_one_that_broke_off_goes_on_where_it_stopped(self) -> None:
        self.prompt.resets_after = 40       # one says what comes, 39 bring it
        self.loader.load("kernel", AT, self.data)
        self.holds(self.data)
        self.assertEqual(self.prompt.received, [(uboot.SCRATCH + 2 * uboot.PIECE, len(uboot.pack(self.data)) - 2 * uboot.PIECE)])

    def test_what_is_secret_is_left_nowhere_else(self) -> None:
        secret = b"key" * 100
        self.loader.load("orders", AT, secret, packed=False)
        self.holds(secret)
        self.assertEqual(self.prompt.received, [(AT, len(secret))])
        self.assertEqual(self.prompt.memory.count(secret), 1)

    def test_baud_is_for_the_transfer_alone(self) -> None:
        self.loader.fast_baud = 921600
        self.loader.load("orders", AT, self.data[:5000], packed=False)
        self.holds(self.data[:5000])
        self.assertEqual(self.prompt.speeds, [921600, 115200])
        self.assertIn(f"loady {AT:#x} 921600", self.prompt.typed)

    def test_a_loader_that_lacks_a_command_is_told_with_its_words(self) -> None:
        self.prompt.crc32 = lambda at, size: self.prompt.say("Unknown command 'crc32' - try 'help'\n")      # type: ignore[method-assign]
        with self.assertRaises(Failure) as caught:
            self.loader.load("kernel", AT, self.data)
        self.assertIn("Unknown command 'crc32'", str(caught.exception))


class Network(AtThePrompt):
    def load(self, tftp: str) -> str:
        said = io.StringIO()
        target = board.Board(self.line, "", 60, board.Progress())
        with contextlib.redirect_stderr(said):
            target.load([board.Part("RAM disk", AT, self.data), board.Part("orders", 0x60000, b"key" * 100, secret=True)], tftp)
        self.holds(self.data)
        self.holds(b"key" * 100, 0x60000)
        return said.getvalue()

    def test_files_come_by_tftp_but_what_is_secret(self) -> None:
        self.prompt.served = str(self.folder)
        self.assertEqual(self.load(f"192.0.2.1:{self.folder}"), "")
        self.assertEqual(self.prompt.received, [(0x60000, 300)])
        self.assertIn(f"tftpboot {AT:#x} 192.0.2.1:forklore-ram-disk-{os.getpid()}", self.prompt.typed)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_without_a_network_they_go_over_the_line(self) -> None:
        self.assertIn("it goes over the serial line", self.load(f"192.0.2.1:{self.folder}"))
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_a_folder_that_is_none_is_told(self) -> None:
        with self.assertRaises(Failure) as caught:
            self.load(f"192.0.2.1:{self.folder}/absent")
        self.assertIn("TFTP=", str(caught.exception))
