"""`make bench`: the figures we promise, measured in guest instructions (-icount), beside their targets.

The counts are the same on every machine. Exits 1 if a target is missed.
"""
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

BUILD = Path(os.environ.get("FORKLORE_BUILD") or "build")
HERE = Path(__file__).resolve().parent
MIB = 1 << 20


@dataclass
class Figure:
    name: str
    measured: float
    target: float | None
    unit: str

    def row(self) -> str:
        shown = f"{self.measured:,.2f}" if self.measured < 100 and self.measured != int(self.measured) else f"{self.measured:,.0f}"
        target = "" if self.target is None else f"{self.target:,.0f}"
        verdict = "" if self.target is None else "met" if self.met() else "MISSED"
        return f"  {self.name:44} {shown:>14} {target:>12} {self.unit:14} {verdict}".rstrip()

    def met(self) -> bool:
        return self.target is None or self.measured <= self.target


def guest_figures() -> dict[str, int]:
    with tempfile.TemporaryDirectory(prefix="forklore-bench-") as folder:
        compiler = BUILD / "bin" / "forklore-cc"
        subprocess.run([str(compiler), "-O2", str(HERE / "bench" / "figures.c"), "-o", f"{folder}/figures"], check=True)
        done = subprocess.run([sys.executable, str(HERE / "run.py"), "CMD=/add/figures", f"ADD={folder}", "ICOUNT=1", "TIMEOUT=60"],
                              stdout=subprocess.PIPE, text=True, errors="replace")
    found = {name: int(value) for name, value in re.findall(r"^(\w+) (\d+)$", done.stdout, re.M)}
    if done.returncode != 0 or not found:
        print(done.stdout)
        raise SystemExit(f"bench: the guest's part ended with status {done.returncode}")
    return found


def image_bytes() -> int:
    return (BUILD / "kernel" / "kernel8.img").stat().st_size + (BUILD / "initrd.cpio").stat().st_size


def main() -> int:
    try:
        size = image_bytes()
        guest = guest_figures()
    except (OSError, subprocess.SubprocessError) as error:
        print(f"bench: {error}; `make doctor` checks the tools", file=sys.stderr)
        return 1
    figures = [
        Figure("power-on to prompt", guest["prompt"] / 1e6, 40, "million instr."),
        Figure("kernel image and RAM disk", size / MIB, 2, "MiB"),
        Figure("memory in use at the prompt", guest["memory"] / MIB, 16, "MiB"),
        Figure("null system call", guest["null"], 150, "instructions"),
        Figure("fork, exit and wait", guest["fork"], None, "instructions"),
    ]
    print(f"  {'figure':44} {'measured':>14} {'at most':>12}")
    for figure in figures:
        print(figure.row())
    return 0 if all(figure.met() for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
