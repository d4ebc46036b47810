"""A serial port that one program has at a time."""
import os
import time
from pathlib import Path

import serial

from program import Failure

LOCKS = Path("/var/lock")       # where terminal programs say that they have a port (Filesystem Hierarchy Standard 5.9)


def other_owner(port: str) -> str:
    """Who says in a lock file that the port is theirs, and lives."""
    try:
        owner = int((LOCKS / f"LCK..{Path(port).name}").read_text().split()[0])
        os.kill(owner, 0)
    except (OSError, ValueError, IndexError):
        return ""
    return f"process {owner}"


class Busy(Failure):
    """Somebody else has the port."""


class SerialLine:
    """With a log, all that comes is added to that file."""

    def __init__(self, port: str, baud: int = 115200, log: str = "") -> None:
        self.port, self.baud = port, baud
        if owner := other_owner(port):
            raise Busy(f"PORT={port} is busy: {owner} has it")
        try:
            # Exclusive by flock(2), which binds the superuser too.
            self.line = serial.Serial(port, baud, timeout=0, exclusive=True)
        except (OSError, ValueError, serial.SerialException) as error:
            if isinstance(error, BlockingIOError) or "exclusively lock" in str(error):
                raise Busy(f"PORT={self.port} is busy: another program has it") from None
            raise Failure(self.explain(error)) from None
        self.log = open(log, "ab", buffering=0) if log else None

    def explain(self, error: Exception) -> str:
        number = getattr(error, "errno", None)
        if isinstance(error, PermissionError) or number == 13:
            return f"PORT={self.port}: permission denied; join the group that owns it (`dialout`)"
        if not Path(self.port).exists():
            there = sorted(str(path) for pattern in ("ttyUSB*", "ttyACM*", "serial*") for path in Path("/dev").glob(pattern))
            return f"PORT={self.port}: there is no such port; there is {', '.join(there) or 'none: is the adapter plugged in?'}"
        return f"PORT={self.port} is no serial port"

    def fileno(self) -> int:
        return self.line.fileno()

    def read(self, wait: float) -> bytes:
        """What came; waits up to that many seconds for the first byte."""
        try:
            self.line.timeout = wait
            first = self.line.read(1)
            data = first + self.line.read(self.line.in_waiting) if first else b""
            if self.log:
                self.log.write(data)
            return data
        except (OSError, serial.SerialException):
            raise Failure(f"PORT={self.port} is gone: was the adapter pulled out?") from None

    def write(self, data: bytes) -> None:
        try:
            self.line.write(data)
            self.line.flush()
        except (OSError, serial.SerialException):
            raise Failure(f"PORT={self.port} is gone: was the adapter pulled out?") from None

    def drain(self, quiet: float) -> bytes:
        """What comes until nothing has come for that many seconds."""
        said = b""
        while data := self.read(quiet):
            said += data
        return said

    def set_baud(self, baud: int) -> None:
        time.sleep(0.05)
        try:
            self.line.baudrate = baud
        except (OSError, ValueError, serial.SerialException):
            raise Failure(f"PORT={self.port} does not do {baud} baud") from None

    def close(self) -> None:
        self.line.close()
        if self.log:
            self.log.close()
