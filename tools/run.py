#!/usr/bin/python3
"""Starts Forklore in QEMU; `make run` calls it. Options are arguments (`tools/run.py CMD=false`) or the
FORKLORE_* variables that make sets. Make itself turns every failing status into 2; this program does not.

    CMD="ps; ls | wc"  run that in the guest's shell, show only its console, exit with its status
    INPUT=FILE         type that file's text into the console, then Ctrl-D
    TIMEOUT=N          end the run after N guest seconds (status 124); with CMD 60 unless told otherwise
    ICOUNT=1           the same run each time: guest time counts instructions
    BOOT=uboot         through U-Boot from an SD card image
    BOOT=bare          as firmware without its EL3 stub does: all cores start in build/forklore.img at once (no CMD, no ARGS)
    MODEL=3a+          the board with 512 MiB (3b: 1 GiB)
    GDB=1              wait for gdb-multiarch on GDB_PORT (1234)
    ADD=DIR            the files of a host folder, under /add in the guest (not with INITRD)
    SEED=N             the kernel's seed; with CMD, the same run each time (ICOUNT=1)
    ARGS="..."         more boot arguments
    KERNEL=  INITRD=  DTB=   other files than the built ones
    ACCEL=multi        one host thread for each core
    SERIAL1=file:PATH  where the second serial channel goes

Without CMD the terminal is the guest's console, key by key; Ctrl-A x ends the machine.
Exit status: the guest's; 255 after a panic; 124 after a timeout; 125 if the run failed otherwise.
"""
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import console
from machine import MODELS, Failure, Options, command_line

FAILED, TIMED_OUT, INTERRUPTED, PANICKED = 125, 124, 130, 255
CMD_TIMEOUT = 60


def text(name: str) -> str:
    return os.environ.get("FORKLORE_" + name, "")


def number(name: str, least: int = 0) -> int:
    value = text(name)
    if value and not (value.isdigit() and int(value) >= least):
        raise Failure(f"{name}={value}: a number from {least} is wanted")
    return int(value or 0)


def options_from_environment() -> Options:
    options = Options(build=Path(text("BUILD") or "build"))
    # An empty CMD is a command too; FORKLORE_HAS_CMD says whether make was given one.
    options.cmd = text("CMD") if text("HAS_CMD") or text("CMD") else None
    options.timeout = number("TIMEOUT") or (CMD_TIMEOUT if options.cmd is not None else 0)
    # A seed is given to see the same again; what a person types has its own time.
    repeats = bool(text("SEED")) and options.cmd is not None and not text("ACCEL")
    options.icount = text("ICOUNT") not in ("", "0") or (repeats and not text("ICOUNT"))
    options.boot = text("BOOT") or "direct"
    options.gdb = text("GDB") not in ("", "0")
    options.gdb_port = number("GDB_PORT", 1) or 1234
    options.model = text("MODEL").lower() or "3b"
    options.accel = text("ACCEL") or "single"
    options.serial1 = text("SERIAL1") or ("null" if options.boot != "uboot" else f"file:{options.build}/uboot/console.log")
    for name in ("kernel", "initrd", "dtb", "add", "seed", "args", "count", "stop", "machine"):
        setattr(options, name, text(name.upper()))
    if options.accel not in ("single", "multi"):
        raise Failure(f"ACCEL={options.accel}: `single` or `multi` is wanted")
    if options.model not in MODELS:
        raise Failure(f"MODEL={options.model}: QEMU has {' and '.join(MODELS)}")
    return options


def keyboard(options: Options) -> int | None:
    """The descriptor whose bytes are typed into the console."""
    if text("INPUT"):
        try:
            return os.open(text("INPUT"), os.O_RDONLY)
        except OSError as error:
            raise Failure(f"INPUT={text('INPUT')}: {error.strerror}") from None
    return sys.stdin.fileno() if options.cmd is None and not options.machine and sys.stdin and not sys.stdin.closed else None


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def conclude(ending: console.Ending, options: Options) -> int:
    if ending.left:
        say("\nThe machine was switched off.")
        return 0
    if ending.dead:
        say(f"\nThe kernel is dead: {options.timeout} guest seconds should be over, and {ending.dead}.")
        return TIMED_OUT
    if ending.status is not None:
        if ending.panicked:
            say("The kernel panicked; the backtrace is above.")
        elif ending.status and os.environ.get("MAKELEVEL"):
            say(f"The command's status is {ending.status}. (make exits with 2 for any; tools/run.py with the status.)")
        return min(ending.status, 255)
    if ending.qemu:
        say(f"QEMU ended with status {ending.qemu}; what it said is above.")
    else:
        say("The machine stopped without the kernel's last line (forklore: power off, status N).")
    return FAILED


def run(options: Options, onlooker: console.Onlooker | None = None) -> int:
    scratch = Path(tempfile.mkdtemp(prefix="forklore-"))
    try:
        command = command_line(options, scratch)
        if options.gdb:
            elf = Path(options.kernel).with_suffix(".elf") if options.kernel else options.build / "kernel" / "kernel8.elf"
            debugger = os.environ.get("GDB_PROGRAM") or "gdb-multiarch"
            say(f"The machine waits for: {debugger} {elf} -ex 'target remote :{options.gdb_port}'")
        keys = keyboard(options)
        if options.cmd is None and keys is not None and os.isatty(keys):
            say("Ctrl-A x ends the machine.")
        if os.environ.get("V"):
            say(" ".join(command))
        # A person at the debugger takes any time.
        guarded_seconds = 0 if options.gdb else options.timeout
        ending = console.relay(command, options.cmd is not None, keys, guarded_seconds, options.icount, onlooker)
        return conclude(ending, options)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def arguments_to_environment(usage: str | None) -> None:
    for argument in sys.argv[1:]:
        name, equals, value = argument.partition("=")
        if not equals or not name.isupper():
            say(usage or "")
            sys.exit(2)
        os.environ["FORKLORE_" + name] = value
        os.environ["FORKLORE_HAS_" + name] = "1"


def guarded(verb: Callable[[], int]) -> int:
    """A verb's exit status, with what can go wrong said in a sentence."""
    try:
        return verb()
    except Failure as failure:
        say(str(failure))
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    except (OSError, subprocess.SubprocessError) as error:
        say(f"{Path(sys.argv[0]).name}: {error}")
    return FAILED


if __name__ == "__main__":
    arguments_to_environment(__doc__)
    sys.exit(guarded(lambda: run(options_from_environment())))
