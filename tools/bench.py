"""`make bench`: what we promise, measured in guest instructions (-icount), beside Linux on the same emulated board.

The counts are the same on every machine. tools/bench/linux-6.1-raspi3b.csv is what src/user/programs/bench.c printed there.
    ONLY=row       one row of the table (or NAME/PARAMETER)
    PROFILE=row    where the instructions of a row go, by function
Writes build/bench.csv. Exits 1 only if a run failed: a missed goal is shown, not an error.
"""
import csv
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import bench_profile
from machine import Failure

BUILD = Path(os.environ.get("FORKLORE_BUILD") or "build")
HERE = Path(__file__).resolve().parent
LINUX = HERE / "bench" / "linux-6.1-raspi3b.csv"
MIB = 1 << 20
SHARE = 8           # of Linux's instructions, the part that we aim at
# Rows that we promise; the others are shown for comparison.
PROMISED = {"fork_exit_wait", "vfork_exit_wait", "vfork_exec_tiny_wait", "posix_spawn_tiny_wait", "fork_exec_tiny_wait", "page_fault_zero_1page", "page_faults_zero_256pages",
            "pipe_pingpong_roundtrip", "signal_self_handler_return", "signal_pingpong_roundtrip", "stop_wait_continue_wait", "pthread_create_join"}
OWN_GOALS = {"null_syscall_getppid": 90.0}
# What they measure is the program's own doing.
CALIBRATION = {"empty_loop", "cntvct_read", "libc_memcpy_64KiB", "libc_memset_64KiB"}
# Of rows that only the inside of the kernel can measure.
KERNEL_GOALS = {"trace_event": 60.0}
FLAT = 1.10
SLOPE_GOAL = 54


@dataclass
class Row:
    name: str
    ours: float
    linux: float | None = None
    goal: float | None = None
    promised: bool = False
    unit: str = ""

    def verdict(self) -> str:
        if self.goal is None:
            return ""
        met = self.ours <= self.goal
        return ("met" if met else "MISSED") if self.promised else ("" if met else "above 1/8")

    def text(self) -> str:
        def show(value: float | None) -> str:
            return "" if value is None else f"{value:,.3f}" if value < 10 and value != int(value) else f"{value:,.0f}"
        ratio = f"1/{self.linux / self.ours:.1f}" if self.linux and self.ours else ""
        return f"  {self.name:42}{show(self.ours):>12}{show(self.linux):>12}{ratio:>9}{show(self.goal):>12}  {self.unit:12} {self.verdict()}".rstrip()


HEADING = f"  {'operation':42}{'ours':>12}{'Linux 6.1':>12}{'ratio':>9}{'at most':>12}"


def records(lines: list[str]) -> dict[str, float]:
    """The medians of R lines, by NAME or NAME/PARAMETER where a name has several."""
    found: dict[tuple[str, str], float] = {}
    for line in lines:
        fields = line.strip().split(",")
        if fields[0] == "R" and len(fields) == 8:
            found[(fields[1], fields[2])] = float(fields[5])
    names = [name for name, _ in found]
    return {name if names.count(name) == 1 and parameter in ("0", "1") else f"{name}/{parameter}": value
            for (name, parameter), value in found.items()}


class Progress:
    """One line that says what is being measured, where somebody looks."""

    def __init__(self) -> None:
        self.shown = sys.stderr.isatty()
        self.start = time.monotonic()

    def say(self, what: str) -> None:
        if self.shown:
            print(f"\r\033[K  [{time.monotonic() - self.start:4.0f} s] {what}", end="", file=sys.stderr, flush=True)
        elif what:
            print(f"  {what}", file=sys.stderr, flush=True)

    def clear(self) -> None:
        if self.shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)


def guest(progress: Progress, what: str, settings: list[str], typed: str = "", until: str = "") -> list[str]:
    """Runs the machine; the lines it printed. `typed` goes to the console. Then there is no timeout: while the guest waits
    for a key and has no timer, its clock stands still, however late the key comes."""
    progress.say(what)
    command = [sys.executable, str(HERE / "run.py"), "ICOUNT=1", *([] if typed else ["TIMEOUT=60"]), *settings]
    keyboard = tempfile.TemporaryFile()
    keyboard.write(typed.encode())
    keyboard.seek(0)
    job = subprocess.Popen(command, stdin=keyboard, stdout=subprocess.PIPE, text=True, errors="replace")
    assert job.stdout
    lines = []
    for line in job.stdout:
        lines.append(line.rstrip("\r\n"))
        if line.startswith("R,"):
            progress.say(f"{what}: {line.split(',')[1]}/{line.split(',')[2]}")
    progress.clear()
    failed = [line for line in lines if line.startswith("F,")]
    if job.wait() != 0 or failed or (until and not any(line.startswith(until) for line in lines)):
        print("\n".join(lines[-25:]))
        raise Failure(f"bench: {what} ended with status {job.returncode} {' '.join(failed)}")
    return lines


def program_rows(progress: Progress, only: str) -> list[Row]:
    lines = guest(progress, "programs", [f"CMD=/bin/bench row={only}" if only else "CMD=/bin/bench", "ARGS=maxproc=1100"], until="I,bench end")
    linux = records(LINUX.read_text().splitlines())
    rows = []
    for name, ours in records(lines).items():
        base = name.split("/")[0]
        theirs = linux.get(name) or (linux.get(base) if base == name else None)
        if only and theirs is None:
            theirs = linux.get(f"{only}/0") or linux.get(only) or linux.get(f"{base}/0")
        goal = OWN_GOALS.get(base) or (None if theirs is None or base in CALIBRATION else theirs / SHARE)
        rows.append(Row(name, ours, theirs, goal, base in PROMISED or base in OWN_GOALS))
    return rows


def derived_rows(rows: list[Row]) -> list[Row]:
    """What two rows say together."""
    ours = {row.name: row.ours for row in rows}
    linux = {row.name: row.linux for row in rows}
    made = []
    first, last = "fork_exit_wait/0", "fork_exit_wait/4096"
    if first in ours and last in ours:
        theirs = (linux[last] - linux[first]) / 4096 if linux[first] and linux[last] else None
        made.append(Row("fork_exit_wait: one page more", (ours[last] - ours[first]) / 4096, theirs, SLOPE_GOAL, True))
    made += flat(ours, "fork_exit_wait_among/10", ["fork_exit_wait_among/100", "fork_exit_wait_among/1000"])
    made += flat(ours, "pid_allocate_release/1", ["pid_allocate_release/99"])
    return made


def flat(ours: dict[str, float], base: str, others: list[str]) -> list[Row]:
    return [Row(f"{name} by {base.split('/')[1]}", ours[name] / ours[base], None, FLAT, True, "times")
            for name in others if name in ours and base in ours]


def kernel_rows(progress: Progress) -> list[Row]:
    """What only the inside of the kernel can measure: the image of tests/bench."""
    lines = guest(progress, "kernel", [f"KERNEL={BUILD}/target/kernel-bench.img", "CMD="], until="I,kernel bench end")
    rows = []
    for name, value in records(lines).items():
        locks = "shared_locks" in name
        goal = 0.05 if locks else KERNEL_GOALS.get(name)
        rows.append(Row(name, value, None, goal, goal is not None, "a pair" if locks else ""))
    return rows


def boot_rows(progress: Progress) -> list[Row]:
    """Power-on to the prompt as a user sees it: with the log, and no command in the boot arguments. A program typed there
    says when that was; the figure holds its own start too."""
    with tempfile.TemporaryDirectory(prefix="forklore-bench-") as folder:
        subprocess.run([str(BUILD / "bin" / "forklore-cc"), "-O2", str(HERE / "bench" / "prompt.c"), "-o", f"{folder}/prompt"], check=True)
        lines = guest(progress, "boot", [f"ADD={folder}"], typed="/add/prompt\npoweroff\n", until="memory ")
    found = {name: int(value) for name, value in re.findall(r"^(prompt|memory) (\d+)$", "\n".join(lines), re.M)}
    size = (BUILD / "kernel" / "kernel8.img").stat().st_size + (BUILD / "initrd.cpio").stat().st_size
    return [Row("power-on to prompt", found["prompt"] / 1e6, 949, 40, True, "million"),
            Row("kernel image and RAM disk", size / MIB, None, 2, True, "MiB"),
            Row("memory in use at the prompt", found["memory"] / MIB, None, 16, True, "MiB")]


def write_csv(rows: list[Row]) -> None:
    with (BUILD / "bench.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["row", "ours", "linux", "goal", "promised", "verdict"])
        for row in rows:
            out.writerow([row.name, row.ours, row.linux or "", row.goal or "", int(row.promised), row.verdict()])


def show(title: str, rows: list[Row]) -> None:
    if rows:
        print(f"\n{title}\n{HEADING}")
        for row in rows:
            print(row.text())


def measure(only: str) -> None:
    progress = Progress()
    boot = [] if only else boot_rows(progress)
    show("The boot", boot)
    programs = program_rows(progress, only)
    show("Programs: guest instructions, median of 101", programs)
    kernel = [] if only else kernel_rows(progress)
    show("Inside the kernel: instructions, of zones a pair on one and four cores", kernel)
    derived = derived_rows(programs + kernel)
    show("What they say together", derived)
    rows = boot + programs + kernel + derived
    if not rows:
        raise Failure(f"bench: there is no row {only}")
    write_csv(rows)
    promised = [row for row in rows if row.promised and row.goal is not None]
    missed = [row.name for row in promised if row.verdict() == "MISSED"]
    print(f"\n{len(promised) - len(missed)} of {len(promised)} goals met"
          + (f"; missed: {', '.join(missed)}" if missed else "") + f". All rows: {BUILD}/bench.csv")


def main() -> int:
    try:
        if row := os.environ.get("FORKLORE_PROFILE"):
            bench_profile.profile(row, BUILD)
        else:
            measure(os.environ.get("FORKLORE_ONLY", ""))
    except (Failure, OSError, subprocess.SubprocessError) as error:
        print(f"{error}\n`make doctor` checks the tools.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
