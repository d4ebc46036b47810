"""at, back, forward and failure: the instructions of a run that repeats exactly, by number.

A run under -icount with its seed is the same each time, and QEMU counts its instructions (tools/qemu/count.cpp). The guest
sees a debugger's stop all the same: its clock goes on when it does. Therefore each way leads from the first instruction of a new
machine, with no stop in between, and what follows a stop by `continue` or `stepi` is another run than the one that repeats.
"""
import os
import struct
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import gdb

import commands
import debug
import run
from commands import Impossible

PAGE = struct.Struct("<5Q")
LOOK_AGAIN = 0.005
TRIES = 5                       # a machine may go on before the debugger has it
# Where a run fails: a panic, or a check of the grader's (labs/grader/target), which also looks from outside.
FAILURES, LOOK = ("panic", "records::fail", "patience_is_over"), "grader_looks_here"


class Page(NamedTuple):
    """Of count.cpp."""
    count: int = 0
    stands: int = 0
    core: int = 0
    place: int = 0
    place_core: int = 0


class Ends(Impossible):
    """The run is over before what was asked for."""


class Machine:
    """One run, from its first instruction."""

    def __init__(self, page: Path, process: subprocess.Popen | None = None) -> None:
        self.page, self.process = page, process
        self.left: int | None = None    # where `continue` or `stepi` made another run of it

    def look(self) -> Page:
        try:
            return Page(*PAGE.unpack(self.page.read_bytes()[:PAGE.size]))
        except (OSError, struct.error):
            return Page()

    @property
    def here(self) -> int:
        return self.look().count if self.left is None else self.left

    def end(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()


shown: Machine | None = None
folder = tempfile.TemporaryDirectory(prefix="forklore-replay-")


def first_machine() -> Machine:
    page = os.environ.get("FORKLORE_COUNT")
    if not page:
        raise Impossible("this run does not repeat: start with make debug CMD=\"...\" SEED=N")
    return Machine(Path(page))


def current() -> Machine:
    global shown
    shown = shown or first_machine()
    return shown


def goes_on(event: gdb.ThreadEvent) -> None:
    if not os.environ.get("FORKLORE_COUNT"):
        return
    machine = current()
    if machine.left is None:
        machine.left = machine.look().count


def new_machine(stop: str) -> tuple[Machine, int]:
    """One that stands where `stop` says, and the port where it waits; an error if its run ends before."""
    options = run.options_from_environment()
    options.gdb_port, options.stop = debug.free_port(), stop
    page = Path(folder.name) / f"page{options.gdb_port}"
    page.unlink(missing_ok=True)
    options.count = str(page)
    process = debug.start_machine(options)
    machine = Machine(page, process)
    try:
        while not machine.look().stands:
            if process.poll() is not None:
                raise Ends(f"the run ends before, with instruction {machine.look().count} (what it said: {debug.console_log(options)})")
            time.sleep(LOOK_AGAIN)
    except BaseException as why:
        process.terminate()
        process.wait()
        if isinstance(why, KeyboardInterrupt):
            raise Impossible(f"interrupted at instruction {machine.look().count}: `at {machine.look().count}` leads there") from None
        raise
    return machine, options.gdb_port


def go_to(count: int, core: int | None = None) -> None:
    """A new machine that has executed `count` instructions takes the place of the one that is shown."""
    global shown
    if count < 1:
        raise Impossible("there is nothing before the first instruction" + (", where this run was left: see `help forward`" if current().left == 0 else ""))
    for _ in range(TRIES):
        machine, port = new_machine(f",at={count}")
        if gdb.selected_inferior().pid:
            gdb.execute("kill", to_string=True)
        current().end()
        attach(port, machine.look().core if core is None else core)
        shown = machine
        if machine.look().count == count:
            return where()
    raise Impossible(f"the machine did not stand at instruction {count}, but at {machine.look().count}: this host is too busy, try again")


def attach(port: int, core: int) -> None:
    """gdb says nothing of its own about where it then is."""
    gdb.execute("set suppress-cli-notifications on")
    try:
        gdb.execute(f"target remote :{port}", to_string=True)
        next(thread for thread in gdb.selected_inferior().threads() if thread.num == core + 1).switch()
    finally:
        gdb.execute("set suppress-cli-notifications off")


def where() -> None:
    machine = current()
    count = machine.look().count
    print(f"instruction {count}" if machine.left is None else f"The run that repeats was left at instruction {machine.left}; {count - machine.left} were executed since.")
    if count:
        gdb.execute("frame")


def places(location: str) -> str:
    """As the counter takes them: a function that was inlined, or a line of one, is in several."""
    try:
        found = gdb.decode_line(location)[1] or []
    except gdb.error as error:
        raise Impossible(str(error)) from None
    if not any(place.pc for place in found):
        raise Impossible(f"{location}: no instruction there")
    return "".join(f",place={int(place.pc) % 2**64:#x}" for place in found if place.pc)


def is_there(location: str) -> bool:
    try:
        return bool(places(location))
    except Impossible:
        return False


def to_the_next(here: int, stops: str) -> None:
    # The one that this machine stands before is not the next.
    machine, _ = new_machine(f",after={here + 1}{stops}")
    machine.end()
    seen = machine.look()
    go_to(seen.place - 1, seen.place_core)


def at(words: list[str]) -> None:
    """The instruction of that number, counted over all cores from the first one on; without N: which one this is."""
    go_to(int(words[0])) if words else where()


def back(words: list[str]) -> None:
    """N instructions earlier (1), or just before LOCATION was executed last."""
    here = current().here
    if not words or words[0].isdigit():
        return go_to(here - int(words[0] if words else 1))
    machine, _ = new_machine(f",at={here}{places(words[0])}")
    machine.end()
    seen = machine.look()
    if seen.place < 2:
        raise Impossible(f"{words[0]} was not executed before instruction {here}")
    go_to(seen.place - 1, seen.place_core)


def forward(words: list[str]) -> None:
    """N instructions later (1), or just before LOCATION is executed next."""
    here = current().here
    if not words or words[0].isdigit():
        return go_to(here + int(words[0] if words else 1))
    to_the_next(here, places(words[0]))


def failure(words: list[str]) -> None:
    """Where the run fails first: at a panic, or where a check of the grader's says that it failed. Where neither happens: the grader's own look."""
    current()
    graded = is_there(LOOK)
    try:
        to_the_next(0, "".join(map(places, FAILURES if graded else FAILURES[:1])))
        if gdb.selected_frame().name() == "records::fail":
            text = gdb.selected_frame().read_var("text")
            print(text["_M_str"].string(length=int(text["_M_len"])))
    except Ends:
        if not graded:
            raise
        print("Nothing fails in the machine itself. Here the grader looks at it from outside:")
        to_the_next(0, places(LOOK))


def define() -> None:
    commands.Command("failure", "failure", failure)
    commands.Command("at", "at [N]", at)
    commands.Command("back", "back [N | LOCATION]", back)
    commands.Command("forward", "forward [N | LOCATION]", forward)
    gdb.events.cont.connect(goes_on)
