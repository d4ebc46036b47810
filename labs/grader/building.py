"""Calls make for what a submission is judged with, and says how far it is."""
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .lab import TREE, Failure

BUILD = Path(os.environ.get("FORKLORE_BUILD") or "build")
SAID_LINES = 25         # of a make that failed
STEP = re.compile(r"  (\w+) +(\S+)$")       # the Makefile's `say`


def build_folder() -> Path:
    return BUILD if BUILD.is_absolute() else TREE / BUILD


class Stage:
    """What is being built: on a terminal one line that counts, elsewhere a line when it begins. Nothing at all if there is nothing to do."""

    def __init__(self, what: str) -> None:
        self.what, self.steps = what, 0
        self.terminal = sys.stderr.isatty()

    def step(self, name: str) -> None:
        self.steps += 1
        if self.terminal:
            room = os.get_terminal_size(sys.stderr.fileno()).columns or 80
            print(f"\r\033[K{f'building {self.what}: {self.steps}  {name}'[:room - 1]}", end="", file=sys.stderr, flush=True)
        elif self.steps == 1:
            print(f"building {self.what}", file=sys.stderr, flush=True)

    def end(self) -> None:
        if self.terminal and self.steps:
            print(f"\r\033[Kbuilt {self.what}: {self.steps} steps", file=sys.stderr, flush=True)


@contextmanager
def stage(what: str) -> Iterator[Stage]:
    shown = Stage(what)
    try:
        yield shown
    finally:
        shown.end()


def make(shown: Stage, *goals: str) -> str:
    """What it says. It ends when this process ends, in whichever way: it ends its compilers and removes what is half made."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FORKLORE_", "MAKE", "MFLAGS"))}
    for name in ("CROSS", "HOST_CXX", "QEMU"):
        if value := os.environ.get("FORKLORE_" + name):
            kept[name] = value
    # The folder as it was given: the names in dependency files begin with it.
    command = ["setpriv", "--pdeathsig", "TERM", "make", "--no-print-directory", f"-j{os.cpu_count() or 1}", f"BUILD={BUILD}", *goals]
    said = []
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(command, cwd=TREE, env=kept, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, text=True) as job:
            assert job.stdout
            try:
                for line in job.stdout:
                    said.append(line)
                    if found := STEP.match(line):
                        shown.step(f"{found[1]} {found[2]}")
            except BaseException:
                job.terminate()
                raise
        if job.returncode:
            errors.seek(0)
            raise Failure("The tree that submissions are laid over does not build:\n" + "".join([*said, *errors.readlines()][-SAID_LINES:]).rstrip())
    return "".join(said)
