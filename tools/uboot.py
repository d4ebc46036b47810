"""U-Boot's prompt at the other end of a serial line: commands whose echo is compared, and memory filled piece by piece.

Nothing on the line is trusted. A command is typed again if its echo or its answer came garbled; what memory holds is asked for by
CRC. So a transfer that broke off goes on where it stopped, and what a board still has of an earlier run is not sent again.
"""
import lzma
import os
import re
import select
import subprocess
import tempfile
import time
import zlib
from collections.abc import Callable

from program import Failure, tool
from serial_line import SerialLine

PROMPT = b"U-Boot> "
PIECE = 16 * 1024
# Compressed pieces go here first: within the 448 MiB of the smallest board, beyond kernel and RAM disk.
SCRATCH = 0x8000000
TRIES = 6
ANSWER_SECONDS = 20     # for what U-Boot does at once
STALL_SECONDS = 15      # of a transfer in which nothing moves
CANCEL = b"\x18" * 8    # ends YMODEM on the other side
INTERRUPT = b"\x03"

Progress = Callable[[str], None]


class Silent(Exception):
    """U-Boot does not answer any more."""


class Loader:
    def __init__(self, line: SerialLine, wait: int, progress: Progress) -> None:
        self.line, self.wait, self.progress = line, wait, progress
        self.fast_baud = 0

    # --- the prompt ---

    def reach_prompt(self, wait: int = 0) -> None:
        """Types Ctrl-C until the prompt stands there: it also stops the automatic boot. Failure: nobody answers so in `wait` seconds."""
        said = b""
        end = time.monotonic() + (wait or self.wait)
        while time.monotonic() < end:
            self.line.write(INTERRUPT)
            said = (said + self.line.read(0.3))[-4096:]
            if said.endswith(PROMPT):
                # Each Ctrl-C gives another prompt.
                said = self.line.drain(0.3)
                if not said or said.endswith(PROMPT):
                    return
        raise Silent

    def ask(self, command: str, answer: str, seconds: float = ANSWER_SECONDS) -> re.Match[bytes]:
        """Types a command that may be repeated, and finds `answer` in what U-Boot says."""
        pattern = re.compile(answer.encode(), re.S)
        said = b""
        for _ in range(TRIES):
            if self.type(command):
                said = self.answer_of(command, seconds)
                if found := pattern.search(said):
                    return found
            self.reach_prompt()
        raise Failure(f"U-Boot's answer to `{command}` makes no sense: {readable(said)}")

    def type(self, command: str) -> bool:
        """Types it without the end of the line; True if its echo is right."""
        self.line.drain(0)
        self.line.write(command.encode())
        echo, end = b"", time.monotonic() + ANSWER_SECONDS
        while len(echo) < len(command) and time.monotonic() < end:
            # A byte that got lost never comes: a pause ends the wait.
            more = self.line.read(2)
            if not more:
                break
            echo += more
        return echo == command.encode()

    def answer_of(self, command: str, seconds: float) -> bytes:
        self.line.write(b"\r")
        return self.until(PROMPT, seconds)

    def until(self, end: bytes, seconds: float) -> bytes:
        """What comes up to `end`, or until nothing has come for so long."""
        said = b""
        while not said.endswith(end) and (more := self.line.read(seconds)):
            said += more
        return said

    # --- memory ---

    def crc(self, address: int, size: int) -> int:
        last = address + size - 1
        found = self.ask(f"crc32 {address:#x} {size:#x}", rf"(?i)for {address:08x} \.\.\. {last:08x} ==> ([0-9a-f]{{8}})\r")
        return int(found[1], 16)

    def crcs(self, address: int, pieces: list[tuple[int, int]]) -> list[int]:
        """Of (start, end) each. One command asks for all of a whole length; those that are not heard of are asked for one by one."""
        said = b""
        if self.type(f"setenv a {address:x}; while itest $a < {address + pieces[-1][0]:x}; do crc32 $a {PIECE:x}; setexpr a $a + {PIECE:x}; done"):
            said = self.answer_of("", ANSWER_SECONDS)
        if not said.endswith(PROMPT):
            self.reach_prompt()
        found = {int(start, 16): int(crc, 16) for start, crc in re.findall(rb"(?i)for ([0-9a-f]{8}) \.\.\. [0-9a-f]{8} ==> ([0-9a-f]{8})\r", said)}
        return [found[address + start] if address + start in found else self.crc(address + start, end - start) for start, end in pieces]

    def differing(self, address: int, data: bytes) -> list[tuple[int, int]]:
        """The runs of pieces, as (start, end), that memory does not hold yet."""
        if self.crc(address, len(data)) == zlib.crc32(data):
            return []
        pieces = [(start, min(start + PIECE, len(data))) for start in range(0, len(data), PIECE)]
        runs: list[tuple[int, int]] = []
        for (start, end), crc in zip(pieces, self.crcs(address, pieces)):
            if crc == zlib.crc32(data[start:end]):
                continue
            if runs and runs[-1][1] == start:
                runs[-1] = (runs[-1][0], end)
            else:
                runs.append((start, end))
        return runs

    def load(self, what: str, address: int, data: bytes, packed: bool = True) -> None:
        """Memory holds `data` at `address` afterwards, or it is a Failure. Not packed: no copy of it is left elsewhere."""
        for _ in range(TRIES):
            runs = self.differing(address, data)
            if not runs:
                return
            for start, end in runs:
                small = pack(data[start:end]) if packed else b""
                if small and len(small) < end - start:
                    self.fill(what, SCRATCH, small)
                    self.ask(f"lzmadec {SCRATCH:#x} {address + start:#x} {end - start:#x}", r"Uncompressed size: ")
                else:
                    self.fill(what, address + start, data[start:end])
        raise Failure(f"The {what} does not stay in the board's memory: it came whole, and is another when it is looked at")

    def fill(self, what: str, address: int, data: bytes) -> None:
        """The same, as it is. What a transfer that broke off brought is not sent again."""
        shortest = failures = 0
        while runs := self.differing(address, data):
            missing = sum(end - start for start, end in runs)
            if shortest and missing >= shortest:
                failures += 1
            if failures >= TRIES:
                raise Failure(f"The {what} does not arrive whole: {missing} bytes of {len(data)} are still wrong after {TRIES} tries without "
                              "progress (a bad cable, or too high a BAUD?)")
            shortest = missing
            for start, end in runs:
                self.transfer(f"{what}: {len(data) - missing} of {len(data)} bytes there", address + start, data[start:end])

    def transfer(self, what: str, address: int, data: bytes) -> None:
        """Once; whether it went well, the CRC says."""
        baud = f" {self.fast_baud}" if self.fast_baud else ""
        if not self.type(f"loady {address:#x}{baud}"):
            self.reach_prompt()
            return
        self.line.write(b"\r")
        if self.fast_baud:
            self.switch_baud(self.fast_baud, b"ENTER ...", b"\r")
        with tempfile.NamedTemporaryFile(prefix="forklore-") as file:
            file.write(data)
            file.flush()
            good = self.run_sb(file.name, what, len(data))
        if not good:
            self.line.write(CANCEL)
        if self.fast_baud:
            self.switch_baud(self.line.baud, b"ESC ...", b"\x1b")
        # The sender may have taken the prompt away with the last acknowledgement.
        if not good or not self.until(PROMPT, 1).endswith(PROMPT):
            self.reach_prompt()

    def switch_baud(self, baud: int, when: bytes, key: bytes) -> None:
        self.until(when + b"\r\n", 2)
        self.line.set_baud(baud)
        self.line.write(key)

    def run_sb(self, file: str, what: str, size: int) -> bool:
        """lrzsz's sender on the line; ends it when nothing moves."""
        # -k: packets of 1024 bytes. It takes the line as its own standard input and output.
        os.set_blocking(self.line.fileno(), True)
        job = subprocess.Popen([tool("sb", "SB", "lrzsz"), "-k", "-vv", file], stdin=self.line.fileno(), stdout=self.line.fileno(), stderr=subprocess.PIPE)
        assert job.stderr
        said, moved = b"", time.monotonic()
        try:
            while True:
                if not select.select([job.stderr], [], [], 1)[0]:
                    if time.monotonic() - moved > STALL_SECONDS:
                        return False
                    continue
                data = job.stderr.read1(4096)
                if not data:
                    return job.wait() == 0
                said = (said + data)[-200:]
                if counts := re.findall(rb"sent: +\d+/ *(\d+)k", said):
                    if counts[-1] != getattr(self, "_last", b""):
                        self._last, moved = counts[-1], time.monotonic()
                    self.progress(f"{what}, {min(int(counts[-1]) * 1024, size)} of {size} more sent")
        finally:
            if job.poll() is None:
                job.kill()
                job.wait()
            job.stderr.close()
            os.set_blocking(self.line.fileno(), False)


def pack(data: bytes) -> bytes:
    """As U-Boot's lzmadec takes it: a .lzma file (a code is four bytes long, hence lp), its size in the header."""
    filters = [{"id": lzma.FILTER_LZMA1, "preset": 9, "lc": 2, "lp": 2, "pb": 2, "dict_size": 1 << 22}]
    packed = lzma.compress(data, format=lzma.FORMAT_ALONE, filters=filters)
    return packed[:5] + len(data).to_bytes(8, "little") + packed[13:]


def readable(said: bytes) -> str:
    return " ".join(said.decode(errors="replace").split())[-200:] or "nothing"
