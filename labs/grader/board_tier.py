"""The target tier on a board: the same kernel, orders and records, over U-Boot and the one serial line that a board has.

The grader does not look into a board, so checks with a look are not on it. Its time is real and not the same in each run, so a check
has many times the patience. And a line can lose what it carries: what does not arrive whole is no verdict, never a failure.
"""
import os
import re
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from . import sandbox
from .building import build_folder
from .compiling import ATTEMPTS
from .lab import TREE, Check, Failure
from .records import Forged, Records
from .target_tier import ORDERS_AT, Kernel, Machine, orders
from .verdict import Outcome, Verdict

sys.path.insert(0, str(TREE / "tools"))
if TYPE_CHECKING:
    from board import Board

PATIENCE = 15           # times a check's own, which counts instructions of an emulated machine
MARGIN_SECONDS = 30     # of silence, behind a check's patience: the kernel itself should have said that it is late
FREE_SECONDS = 24 * 3600    # to wait for one of several boards: a class is graded with more jobs than boards
RECORD = re.compile(rb"\x02([^\x02\x03]*)\x03\n?")
LAST_LINE = re.compile(rb"forklore: (?:power off|panic), status \d+\r?\n")


@dataclass
class Options:
    port: str
    reset: str = ""
    wait: int = 60
    baud: int = 0
    boards: str = ""        # a file of several, instead of port and reset


def options_from_environment() -> Options | None:
    def text(name: str) -> str:
        return os.environ.get("FORKLORE_" + name, "")

    if not text("BOARD") and not text("BOARDS"):
        return None
    if any(text(name) and not text(name).isdigit() for name in ("WAIT", "BAUD")):
        raise Failure("WAIT= and BAUD= are numbers")
    if text("BOARD") and not Path(text("BOARD")).exists():      # said now, not when all is built
        raise Failure(f"BOARD={text('BOARD')}: there is no such port; is the adapter plugged in?")
    return Options(text("BOARD"), text("RESET"), int(text("WAIT") or 60), int(text("BAUD") or 0), text("BOARDS"))


@dataclass
class Heard:
    """What came over the line: records, and all else."""
    console: bytes = b""
    rest: bytes = b""

    def take(self, data: bytes) -> list[bytes]:
        self.rest += data
        found = []
        while match := RECORD.search(self.rest):
            found.append(match[1])
            self.console += self.rest[:match.start()]
            self.rest = self.rest[match.end():]
        # A record that is on its way stays, at its longest.
        keep = self.rest.rfind(b"\x02")
        cut = len(self.rest) if keep < 0 or len(self.rest) - keep > 2000 else keep
        self.console, self.rest = (self.console + self.rest[:cut])[-1 << 18:], self.rest[cut:]
        return found


@dataclass
class BoardMachine(Machine):
    """One start of the board."""
    board: "Board" = field(kw_only=True)
    silent: bool = field(default=False)

    def run(self) -> None:
        from board import RAMDISK, Part
        from card import UBOOT_KERNEL
        from program import Failure as ToolFailure
        key = secrets.token_bytes(16)
        self.records, self.heard, self.started = Records(key), Heard(), time.monotonic()
        parts = [Part("kernel", UBOOT_KERNEL, self.kernel.image.read_bytes()), Part("RAM disk", RAMDISK, self.kernel.files.initrd.read_bytes()),
                 Part("orders", ORDERS_AT, orders(key, self.seed, self.checks, PATIENCE), secret=True)]
        try:
            self.board.reach_loader()
            self.board.load(parts, "")
            self.board.start(parts, f"seed={self.seed} {self.kernel.boot_arguments} end=reset")
            self.listen(self.board.early)
        except Forged as forged:
            self.passed, self.current = None, self.passed or self.current
            self.broken = f"{forged} (the serial line garbles, or the hand-in writes such records)"
        except (ToolFailure, OSError) as failure:
            self.broken = str(failure)
        self.conclude(sandbox.Ended("exit", output=self.heard.console + self.heard.rest))

    def listen(self, data: bytes) -> None:
        """Until the last record, the kernel's last line, or a silence that is too long."""
        while True:
            self.cpu = time.monotonic() - self.started
            for line in self.heard.take(data):
                self.take(self.records.read(line))
            if self.whole or LAST_LINE.search(self.heard.console + self.heard.rest):
                return
            data = self.board.line.read(self.longest_silence())
            if not data:
                self.silent = True
                return

    def longest_silence(self) -> float:
        return (self.current or self.checks[0]).guest_seconds * PATIENCE + MARGIN_SECONDS

    def explain(self, ended: sandbox.Ended, console: str) -> None:
        if self.silent and not console.strip():
            self.broken = ("the kernel started and nothing at all came from it: if this board runs the tree's own kernel (`make board`), "
                           "the hand-in hangs before the first line")
            return
        if self.silent:
            self.fail(f"did not come to an end: nothing came from the board for {self.longest_silence():.0f} seconds (a loop or a lock with interrupts off?)")
            return
        super().explain(ended, console)
        if not self.failure and not self.broken:
            self.broken = "the board's last record did not arrive whole"


def run_group(checks: list[Check], make: Callable[[list[Check]], BoardMachine], ended: Callable[[Outcome], None]) -> list[Outcome]:
    """One start for all, another behind each check that fails. A silence counts when the board was silent there twice and answered in between."""
    done: list[Outcome] = []
    attempts, silent_at = 0, ""
    while left := checks[len(done):]:
        machine = make(left)
        machine.run()
        whole = [outcome for outcome in machine.done if outcome.verdict is not Verdict.INFRASTRUCTURE]
        if machine.silent and not machine.broken:
            blamed = next(outcome.check.id for outcome in whole if outcome.verdict is Verdict.FAIL)
            if silent_at != blamed:
                silent_at = blamed
                done += tell([outcome for outcome in whole if outcome.verdict is Verdict.PASS], ended)
                continue
        if machine.broken:
            attempts += 1
            if attempts < ATTEMPTS:
                done += tell(whole, ended)
                continue
        done += tell(machine.done, ended)
    return done


def tell(outcomes: list[Outcome], ended: Callable[[Outcome], None]) -> list[Outcome]:
    for outcome in outcomes:
        ended(outcome)
    return outcomes


def run_checks(checks: list[Check], kernel: Kernel, seed: int, options: Options, ended: Callable[[Outcome], None]) -> list[Outcome]:
    """All on one board, one after another; those with a look are left out by the caller."""
    import farm
    from board import Board, Progress
    from program import Failure as ToolFailure
    from serial_line import SerialLine
    reset = options.reset
    try:
        if options.boards:
            entry, line = farm.claim(Path(options.boards), build_folder() / "boards", FREE_SECONDS)
            reset = entry.reset
        else:
            line = SerialLine(options.port)
    except ToolFailure as failure:
        raise Failure(str(failure)) from None
    board = Board(line, reset, options.wait, Progress())
    board.loader.fast_baud = options.baud
    try:
        made: dict[str, Outcome] = {}
        for kind in (False, True):
            group = [check for check in checks if (check.runner == "program") is kind]
            outcomes = run_group(group, lambda left: BoardMachine(kernel, left, seed, lambda *_: "", lambda _: None, board=board), ended)
            made |= {outcome.check.id: outcome for outcome in outcomes}
        return [made[check.id] for check in checks]
    finally:
        line.close()
