"""`make bench PROFILE=row`: counts each instruction of one row of the benchmark, by function.

QEMU logs each instruction (one to a block, blocks not chained) while the row runs; the log goes through a pipe and is
counted on the way. Kernel functions are named by the kernel's ELF, the program's by its copy with debug information;
inlined functions count for the one they are inlined into. build/profile.csv has every address.
"""
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

from machine import Failure, Options, command_line
from monitor import Monitor
from symbols import KERNEL_HALF, Symbols

TRACE = re.compile(rb"^Trace \d+: \S+ \[[0-9a-f]+/([0-9a-f]+)/", re.M)
RUNS = 16                   # samples of the profiled row, less than the usual: each instruction is a line of log
WARM = 8                    # what the benchmark adds to them


def count_log(path: str, counts: Counter) -> None:
    with open(path, "rb", buffering=1 << 20) as log:
        while chunk := log.readlines(1 << 22):
            counts.update(TRACE.findall(b"".join(chunk)))


def run_row(row: str, build: Path, scratch: Path) -> Counter:
    counts: Counter = Counter()
    log, monitor = f"{scratch}/log", f"{scratch}/monitor"
    os.mkfifo(log)
    options = Options(build=build, cmd=f"/bin/bench row={row} runs={RUNS} pause", icount=True)
    options.extra = ["-D", log, "-qmp", f"unix:{monitor},server=on,wait=off"]
    reader = threading.Thread(target=count_log, args=(log, counts), daemon=True)
    reader.start()
    writer = open(log, "wb")        # the pipe stays open although QEMU opens it late
    job = subprocess.Popen(command_line(options, scratch), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL)
    assert job.stdin and job.stdout
    ready = measured = False
    for line in job.stdout:
        if line.startswith(b"I,ready"):
            if ready:
                raise_and_end(job, f"bench: {row} names several rows; add /PARAMETER")
            ready = True
            Monitor(monitor).human("stop", "singlestep on", "log exec,nochain", "cont")
            job.stdin.write(b"\n")
            job.stdin.flush()
        elif line.startswith(b"R,"):
            measured = True
            break
    job.kill()
    job.wait()
    writer.close()
    reader.join()
    if not measured:
        raise Failure(f"bench: there is no row {row}, or it failed")
    return counts


def raise_and_end(job: subprocess.Popen, message: str) -> None:
    job.kill()
    raise Failure(message)


def profile(row: str, build: Path) -> None:
    print(f"Counting each instruction of {row}; this takes a while.", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="forklore-profile-") as scratch:
        counts = run_row(row, build, Path(scratch))
    kernel, program = Symbols(build / "kernel" / "kernel8.elf"), Symbols(build / "user" / "debug" / "bin" / "bench")
    functions: Counter = Counter()
    with (build / "profile.csv").open("w") as file:
        for word, n in counts.most_common():
            address = int(word, 16)
            name = kernel.name(address) if address >= KERNEL_HALF else "bench: " + program.name(address)
            functions[name] += n
            file.write(f"{address:#x},{n},\"{name}\"\n")
    total = sum(functions.values())
    print(f"\n  {row}: {RUNS + WARM} times; instructions a time\n")
    for name, n in functions.most_common(40):
        print(f"  {n / (RUNS + WARM):12,.1f} {100 * n / total:5.1f} %  {name}")
    print(f"  {total / (RUNS + WARM):12,.1f}  in all, the row's own preparation included. By address: {build}/profile.csv")
