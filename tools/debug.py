#!/usr/bin/python3
"""`make debug`: a machine and gdb-multiarch with commands for the kernel's objects (tools/gdb).

    make debug CMD="forktest 1"     starts both; the console goes to build/debug.log
    make debug CMD="..." SEED=N     the same run each time, in which one can go back: at [N], back [N | LOCATION], forward [N | LOCATION]
    make debug CMD="..." AT=N       stands there once N instructions have been executed; SEED=1 unless told otherwise
    make grade LAB=N CHECK=... SEED=N GDB=1     the same in the machine of a check that fails, at the place where it does
    make debug                      attaches to a `make run GDB=1` in another terminal, where the console is; starts a machine if none waits

The machine stands before its first instruction. `help user-defined` is not needed: ps, proc PID, zone NAME, pagetable PID ADDRESS,
locks, backtrace-all, user-symbols. Options of make run, and GDB_SCRIPT=FILE: gdb's commands from a file, then gdb ends.
"""
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import run
from console import end_with_parent
from machine import TOOLS, Options, tool


def waits(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def console_log(options: Options) -> Path:
    return options.build / "debug.log"


def start_machine(options: Options) -> subprocess.Popen:
    """It waits for a debugger."""
    environment = os.environ | {"FORKLORE_GDB": "1", "FORKLORE_GDB_PORT": str(options.gdb_port), "FORKLORE_COUNT": options.count, "FORKLORE_STOP": options.stop}
    with console_log(options).open("wb") as file:
        # Called from gdb too, whose sys.executable is no interpreter. A session of its own: Ctrl-C is for gdb.
        return subprocess.Popen([str(TOOLS / "run.py")], env=environment, stdin=subprocess.DEVNULL, stdout=file,
                                stderr=file, start_new_session=True, preexec_fn=end_with_parent)


def gdb_command(options: Options, first: str = "") -> list[str]:
    elf = Path(options.kernel).with_suffix(".elf") if options.kernel else options.build / "kernel" / "kernel8.elf"
    script = run.text("GDB_SCRIPT")
    command = [tool("gdb-multiarch", "GDB_PROGRAM", "gdb-multiarch"), "-q", "-nx", *(["--batch"] if script else []), str(elf),
               "-ex", f"source {TOOLS / 'gdb' / 'forklore.py'}", "-ex", "set pagination off", "-ex", "set tcp auto-retry on",
               "-ex", "set print pretty on", "-ex", f"directory {TOOLS.parent}", "-ex", f"target remote :{options.gdb_port}"]
    return command + (["-ex", first] if first else []) + (["-x", script] if script else [])


def debug() -> int:
    at = run.number("AT", 1)
    if at and not run.text("SEED"):
        os.environ["FORKLORE_SEED"] = "1"
    options = run.options_from_environment()
    wanted = run.number("GDB_PORT", 1)
    attach = options.cmd is None and not options.machine and waits(wanted or options.gdb_port)
    if not attach and not wanted:
        options.gdb_port = free_port()
    machine = None
    scratch = tempfile.TemporaryDirectory(prefix="forklore-debug-")
    try:
        if not attach:
            if options.icount:
                os.environ["FORKLORE_COUNT"] = options.count = f"{scratch.name}/count"
            run.say(f"The console goes to {console_log(options)}.")
            machine = start_machine(options)
        signal.signal(signal.SIGINT, lambda *_: None)      # Ctrl-C is gdb's; to ignore it would be inherited
        first = f"at {at}" if at else "failure" if options.machine else ""
        return subprocess.run(gdb_command(options, first)).returncode
    finally:
        if machine:
            machine.terminate()
            machine.wait()
        scratch.cleanup()


if __name__ == "__main__":
    run.arguments_to_environment(__doc__)
    sys.exit(run.guarded(debug))
