"""Several boards at one host: a file that lists them, and who has which. The port's own lock is the board's lock.

    # name  port            command that resets the board, or switches its power off and on
    shelf1  /dev/ttyUSB0    uhubctl -l 1-1 -p 1 -a cycle
    shelf2  /dev/ttyUSB1    /usr/local/bin/relay 2 pulse
"""
import time
from dataclasses import dataclass
from pathlib import Path

from program import Failure
from serial_line import Busy, SerialLine

LOOK_SECONDS = 1.0      # between two looks for a free board


@dataclass
class Entry:
    name: str
    port: str
    reset: str


def read(path: Path) -> list[Entry]:
    try:
        lines = [line.split(maxsplit=2) for line in path.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]
    except (OSError, UnicodeDecodeError) as error:
        raise Failure(f"BOARDS={path}: {getattr(error, 'strerror', None) or 'it is no text'}") from None
    entries = [Entry(words[0], words[1], words[2] if len(words) > 2 else "") for words in lines if len(words) > 1]
    if len(entries) != len(lines) or not entries:
        raise Failure(f"BOARDS={path}: each line is a name, a port and a command that resets the board")
    for what, values in (("name", [entry.name for entry in entries]), ("port", [entry.port for entry in entries])):
        if twice := next((value for value in values if values.count(value) > 1), None):
            raise Failure(f"BOARDS={path}: the {what} {twice} is there twice")
    return entries


def claim(path: Path, logs: Path, wait: float) -> tuple[Entry, SerialLine]:
    """The first board that nobody has, ours until the line is closed. What comes over its line is added to logs/NAME.log."""
    entries = read(path)
    logs.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + wait
    while True:
        for entry in entries:
            try:
                return entry, SerialLine(entry.port, log=str(logs / f"{entry.name}.log"))
            except Busy:
                continue
        if time.monotonic() > end:
            raise Failure(f"BOARDS={path}: all {len(entries)} boards are busy, and none became free within {wait:.0f} seconds")
        time.sleep(LOOK_SECONDS)
