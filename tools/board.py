#!/usr/bin/python3
"""Runs Forklore on a board at a serial line, over U-Boot's prompt; `make board` calls it. Options as run.py takes them.

    PORT=/dev/ttyUSB0  the serial adapter
    BOARDS=FILE        instead: the first free one of several boards (docs/boards.md, A shelf of boards); their logs are in build/boards
    RESET="command"    resets the board, or switches its power off and on; without it, a person does when asked
    BAUD=921600        for the transfer alone (115200)
    TFTP=IP[:FOLDER]   the board fetches the files from that server; they are copied to FOLDER, which the server gives out
    WAIT=N             seconds to wait for U-Boot (60)
    LOG=FILE           all that came over the line is added to it
    END=reset|halt     what the kernel does at the end: reset, usual with CMD, or halt until the power is switched
    CMD= INPUT= TIMEOUT= ADD= SEED= ARGS= KERNEL= INITRD= DTB=   as for make run

Without CMD the terminal is the board's console; Ctrl-] leaves it, and the board goes on. Exit status as of run.py.
"""
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import termios
import time
import tty
from dataclasses import dataclass
from pathlib import Path

import console
import farm
from card import UBOOT_KERNEL
from machine import Options, existing, initial_ramdisk, kernel_image
from program import Failure
from run import FAILED, TIMED_OUT, arguments_to_environment, guarded, keyboard, number, options_from_environment, say, text
from serial_line import SerialLine
from uboot import PROMPT, Loader, Silent, readable

RAMDISK, DEVICE_TREE = 0x2700000, 0x2600000     # U-Boot's own ${ramdisk_addr_r} and ${fdt_addr_r}
RAMDISK_MOST, DEVICE_TREE_MOST = UBOOT_KERNEL - RAMDISK, RAMDISK - DEVICE_TREE
ARM64_MAGIC = b"ARM\x64"        # of an image's header, at byte 56 (Linux, Documentation/arm64/booting.rst)
STARTING = b"Starting kernel ..."
LEAVE = b"\x1d"                 # Ctrl-]
QUIET_SECONDS = 1.0             # behind the kernel's last line


@dataclass
class Part:
    """A file and where it goes. What is secret is left nowhere else."""
    what: str
    address: int
    data: bytes
    secret: bool = False


def parts_of(options: Options, scratch: Path) -> list[Part]:
    kernel = kernel_image(options)
    parts = [Part("kernel", UBOOT_KERNEL, kernel.read_bytes()), Part("RAM disk", RAMDISK, initial_ramdisk(options, scratch).read_bytes())]
    if parts[0].data[56:60] != ARM64_MAGIC:
        raise Failure(f"{kernel} is no kernel image: it lacks the header of one; build/kernel/kernel8.img is one, an ELF file is not")
    if len(parts[1].data) > RAMDISK_MOST:
        raise Failure(f"The RAM disk has {len(parts[1].data)} bytes, there is room for {RAMDISK_MOST}")
    if options.dtb:
        parts.append(Part("device tree", DEVICE_TREE, existing(Path(options.dtb), "device tree", "DTB must name one").read_bytes()))
        if len(parts[2].data) > DEVICE_TREE_MOST:
            raise Failure(f"The device tree has {len(parts[2].data)} bytes, there is room for {DEVICE_TREE_MOST}")
    return parts


class Progress:
    """One line on a terminal, rewritten; nothing elsewhere."""

    def __init__(self) -> None:
        self.shown = ""

    def __call__(self, what: str) -> None:
        if sys.stderr.isatty() and what != self.shown:
            print(f"\r{what:79}", end="", file=sys.stderr, flush=True)
            self.shown = what

    def end(self) -> None:
        if self.shown:
            print(f"\r{'':79}\r", end="", file=sys.stderr, flush=True)
            self.shown = ""


class Board:
    """A board from switch-on to the kernel's first byte."""

    def __init__(self, line: SerialLine, reset: str, wait: int, progress: Progress) -> None:
        self.line, self.reset_command, self.wait, self.progress = line, reset, wait, progress
        self.loader = Loader(line, wait, progress)
        self.resets_itself = False      # what runs there was told to: U-Boot will come by itself

    def reset(self) -> None:
        done = subprocess.run(self.reset_command, shell=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise Failure(f"RESET: `{self.reset_command}` failed with status {done.returncode}: {(done.stderr or done.stdout).strip()[-300:]}")

    def reach_loader(self) -> None:
        """U-Boot stands at its prompt afterwards."""
        try:
            if self.reset_command and not self.resets_itself:
                self.reset()
            else:
                try:
                    self.loader.reach_prompt(self.wait if self.resets_itself else min(3, self.wait))
                    return
                except Silent:
                    self.ask_for_reset()
            self.loader.reach_prompt()
        except Silent:
            raise Failure(f"No prompt of U-Boot came on {self.line.port} within {self.wait} seconds. Is the board on, does its card have U-Boot "
                          "(`make sdcard`), are transmitter and receiver crossed (docs/boards.md)?") from None
        finally:
            self.resets_itself = False

    def ask_for_reset(self) -> None:
        if self.reset_command:
            self.reset()
        else:
            say(f"Reset the board, or switch it off and on: waiting for U-Boot on {self.line.port} ...")

    def load(self, parts: list[Part], tftp: str) -> None:
        """All parts are in memory afterwards. A board that falls silent meanwhile is reset; what it still has is not sent again."""
        for attempt in range(3):
            try:
                for part in parts:
                    if tftp and not part.secret:
                        self.fetch(part, tftp)
                    self.loader.load(part.what, part.address, part.data, packed=not part.secret)
                return
            except Silent:
                self.progress.end()
                say("The board stopped answering in the middle of the transfer." + (" It is reset." if self.reset_command else ""))
                self.reach_loader()
            finally:
                self.progress.end()
        raise Failure("The board stopped answering three times in the middle of the transfer: nothing was started")

    def fetch(self, part: Part, tftp: str) -> None:
        """By the network; what does not come that way comes over the line."""
        server, _, folder = tftp.partition(":")
        name = f"forklore-{part.what.replace(' ', '-').lower()}-{os.getpid()}"
        place = Path(folder or ".") / name
        try:
            place.write_bytes(part.data)
        except OSError as error:
            raise Failure(f"TFTP={tftp}: nothing can be put into {place.parent.resolve()} ({error.strerror}); it is the folder that the server gives out") from None
        try:
            self.progress(f"{part.what}: from {server}")
            self.loader.ask("usb start; setenv autoload no; dhcp", r"bound to address|No ethernet found|Retry|Abort", 60)
            found = self.loader.ask(f"tftpboot {part.address:#x} {server}:{name}", r"Bytes transferred = (\d+)|\n[^\n]*(?:rror|No ethernet|Abort|Retry)[^\n]*", 60)
            if not found[1]:
                say(f"{part.what}: U-Boot can not fetch it from {server} ({readable(found[0])}); it goes over the serial line")
        finally:
            place.unlink(missing_ok=True)

    def start(self, parts: list[Part], arguments: str) -> None:
        """The next byte on the line is the kernel's."""
        if re.search(r"['\"\\$;]", arguments):
            raise Failure("ARGS with quotes, backslashes, `$` or `;` cannot go through U-Boot")
        tree = next((f"{part.address:#x}" for part in parts if part.what == "device tree"), "${fdtcontroladdr}")
        self.loader.ask(f"setenv bootargs '{arguments}'", re.escape(PROMPT.decode()) + "$")
        command = f"booti {UBOOT_KERNEL:#x} {RAMDISK:#x}:{len(parts[1].data):#x} {tree}"
        for _ in range(3):
            if self.loader.type(command):
                break
            self.loader.reach_prompt()
        else:
            raise Failure("The line garbles what is typed to U-Boot: the kernel was not started")
        self.line.write(b"\r")
        said = b""
        while STARTING not in said:
            more = self.line.read(20)
            said += more
            if said.endswith(PROMPT) or not more:
                raise Failure(f"U-Boot does not start the kernel: {readable(said)}")
        self.resets_itself = "end=reset" in arguments.split()
        # What came behind these words is the kernel's.
        self.early = said.partition(STARTING)[2]


class Screen:
    """Passes the board's output on as `make run` does, and knows the end of a run.

    Behind the kernel's last line comes nothing, or the loader once more, if the kernel has reset the board."""

    LOADER_AGAIN = re.compile(rb"[\s\0]*U-Boot ")

    def __init__(self, filtering: bool) -> None:
        self.watcher = console.Watcher(filtering)
        self.start_of_line = b"\r\n\r\n"    # which U-Boot's last words end in
        self.behind = b""
        self.over = False

    @property
    def ended(self) -> bool:
        return self.watcher.ending.status is not None

    def feed(self, data: bytes) -> bytes:
        while self.start_of_line and data:
            if not data.startswith(self.start_of_line[:1]):
                self.start_of_line = b""
                break
            data, self.start_of_line = data[1:], self.start_of_line[1:]
        if self.ended:
            self.behind += data
            if self.LOADER_AGAIN.match(self.behind):
                self.over = True
                return b""
            if not self.behind.strip(b"\0\r\n") or b"U-Boot ".startswith(self.behind.strip(b"\0\r\n")):
                return b""
            data, self.behind = self.behind, b""
        shown = b""
        # What is behind a last line must not hide it: the two are fed apart.
        for match in console.VERDICT.finditer(data):
            if self.LOADER_AGAIN.match(data, match.end()):
                shown = self.watcher.feed(data[:match.end()])
                self.over = True
                return shown
        return shown + self.watcher.feed(data)


def converse(line: SerialLine, screen: Screen, keys: int | None, limit: int, early: bytes) -> str:
    """The console, until the kernel's last line, Ctrl-], or silence beyond `limit` seconds (0: none); returns why it was given up."""
    margin = int(os.environ.get("FORKLORE_GUARD_MARGIN") or 60)
    start = heard = time.monotonic()
    console.write_all(sys.stdout.fileno(), screen.feed(early))
    while not screen.over:
        ready = select.select([line] + ([keys] if keys is not None else []), [], [], QUIET_SECONDS)[0]
        now = time.monotonic()
        if line in ready:
            console.write_all(sys.stdout.fileno(), screen.feed(line.read(0)))
            heard = now
        elif screen.ended and now - heard >= QUIET_SECONDS:
            break
        if keys in ready and keys is not None:
            typed = os.read(keys, 256)
            if LEAVE in typed and os.isatty(keys):
                line.write(typed.partition(LEAVE)[0])
                screen.watcher.ending.left = True
                break
            if not typed:
                keys, typed = None, bytes([console.CTRL_D])
            line.write(typed)
        if limit and not screen.ended and now - start > limit + margin and now - heard > min(margin, 20):
            return f"the board stopped in the middle: {limit} seconds should be over, and nothing has come for {now - heard:.0f}"
    return ""


def show(line: SerialLine, board: Board, options: Options) -> int:
    filtering = options.cmd is not None
    keys = keyboard(options)
    screen, saved = Screen(filtering), None
    if keys is not None and os.isatty(keys):
        say("Ctrl-] leaves the board's console.")
        saved = termios.tcgetattr(keys)
        tty.setraw(keys)
    try:
        gave_up = converse(line, screen, keys, options.timeout, board.early)
    finally:
        if saved is not None and keys is not None:
            termios.tcsetattr(keys, termios.TCSADRAIN, saved)
    console.write_all(sys.stdout.fileno(), screen.watcher.rest())
    ending = screen.watcher.ending
    if ending.left:
        say("\nThe board goes on.")
        return 0
    if gave_up:
        say(f"\n{gave_up[0].upper()}{gave_up[1:]}.")
        return TIMED_OUT
    if ending.status is None:
        say("The board stopped without the kernel's last line (forklore: power off, status N).")
        return FAILED
    if ending.panicked:
        say("The kernel panicked; the backtrace is above.")
    return min(ending.status, 255)


def arguments_of(options: Options) -> str:
    at_end = text("END") or ("reset" if options.cmd is not None else "halt")
    if at_end not in ("reset", "halt"):
        raise Failure(f"END={at_end}: `reset` or `halt` is wanted")
    return " ".join(filter(None, [options.boot_arguments(), "end=reset" if at_end == "reset" else ""]))


def take_line(build: Path, wait: int) -> tuple[SerialLine, str]:
    """PORT and RESET, or those of the first free one of BOARDS."""
    if not text("BOARDS"):
        return SerialLine(text("PORT"), log=text("LOG")), text("RESET")
    entry, line = farm.claim(Path(text("BOARDS")), build / "boards", wait)
    say(f"Board {entry.name} on {entry.port}")
    return line, entry.reset


def main() -> int:
    options = options_from_environment()
    if not text("PORT") and not text("BOARDS"):
        raise Failure("PORT= is wanted: the serial adapter, for instance PORT=/dev/ttyUSB0")
    arguments = arguments_of(options)
    progress = Progress()
    scratch = Path(tempfile.mkdtemp(prefix="forklore-"))
    try:
        parts = parts_of(options, scratch)
        wait = number("WAIT", 1) or 60
        line, reset = take_line(options.build, wait)
        board = Board(line, reset, wait, progress)
        board.loader.fast_baud = number("BAUD", 1200) if text("BAUD") != "115200" else 0
        board.reach_loader()
        board.load(parts, text("TFTP"))
        board.start(parts, arguments)
        return show(line, board, options)
    finally:
        progress.end()
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    arguments_to_environment(__doc__)
    sys.exit(guarded(main))
