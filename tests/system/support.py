"""What the system tests share: a machine at the other end of a serial line, and `make run` as a command."""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import pexpect

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("FORKLORE_BUILD") or "build")
RUN = [sys.executable, str(ROOT / "tools" / "run.py")]
# Only so that a dead machine ends the test: a busy host may take its time.
GUARD_SECONDS = 600
PROMPT = re.compile(rb"(?:^|\n)[^\r\n]*[$#] $")


def settings(options: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in options.items()]


def without_make() -> dict[str, str]:
    """Our environment as a person's shell has it: what an outer make said of its options is not said again."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("FORKLORE_", "MAKE", "MFLAGS"))}


class Finished:
    """A run that is over: status, console (standard output), and what our tools said (standard error)."""

    def __init__(self, status: int, console: str, said: str) -> None:
        self.status, self.console, self.said = status, console, said


def run(environment: dict[str, str] | None = None, **options: str) -> Finished:
    """`make run NAME=value ...`, without make, which knows only one failing status."""
    done = subprocess.run([*RUN, *settings(options)], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True,
                          env=os.environ | (environment or {}), timeout=GUARD_SECONDS)
    return Finished(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


class Machine:
    """An interactive machine: type and expect."""

    def __init__(self, command: list[str] | None = None, **options: str) -> None:
        program, *arguments = command or [*RUN, *settings(options)]
        self.line = pexpect.spawn(program, arguments, cwd=str(ROOT), timeout=GUARD_SECONDS, echo=False,
                                  env=without_make() if command else None,
                                  dimensions=(24, 200))
        # Nobody types slower than a script; the delay that pexpect adds is not needed.
        self.line.delaybeforesend = None
        self.seen = b""

    def expect(self, pattern: str | re.Pattern[bytes]) -> re.Match[bytes]:
        wanted = pattern if isinstance(pattern, re.Pattern) else re.compile(pattern.encode())
        try:
            self.line.expect(wanted)
        except (pexpect.EOF, pexpect.TIMEOUT):
            raise AssertionError(f"never saw {wanted.pattern!r}; the console's end:\n"
                                 + (self.seen + (self.line.before or b""))[-3000:].decode(errors="replace")) from None
        self.seen += self.line.before + self.line.after
        return self.line.match

    def prompt(self) -> None:
        self.expect(PROMPT)

    def type(self, text: str) -> None:
        self.line.send(text.encode())

    def command(self, text: str) -> str:
        """Types a line, waits for the next prompt, returns what was printed between."""
        start = len(self.seen)
        self.type(text + "\r")
        self.expect(re.escape(text[-20:]) + "\r?\n")
        start = len(self.seen)
        self.prompt()
        return self.seen[start:].decode(errors="replace").replace("\r\n", "\n").rpartition("\n")[0]

    def ended(self) -> int:
        """Waits for the machine's end; the status of `make run`."""
        self.line.expect(pexpect.EOF)
        self.seen += self.line.before or b""
        self.line.close()
        return self.line.exitstatus if self.line.exitstatus is not None else -1

    def __enter__(self) -> "Machine":
        return self

    def __exit__(self, *_) -> None:
        self.line.close(force=True)


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self) -> None:
        holder = tempfile.TemporaryDirectory(prefix="forklore-test-")
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)

    def assert_clean(self, text: str) -> None:
        self.assertNotIn("Traceback", text)
