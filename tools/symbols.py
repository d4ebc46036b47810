"""Names and source lines of addresses, from an ELF file and the cross compiler's tools."""
import os
import re
import subprocess
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path

from mksymbols import tidy

KERNEL_HALF = 1 << 63


def cross(name: str) -> str:
    return (os.environ.get("CROSS") or "aarch64-linux-gnu-") + name


@dataclass(frozen=True)
class Place:
    function: str
    file: str = ""      # as the compiler was told: from the tree's root
    line: int = 0

    def __str__(self) -> str:
        return f"{self.function} at {self.file}:{self.line}" if self.file else self.function


class Symbols:
    def __init__(self, elf: Path) -> None:
        self.elf = elf
        done = subprocess.run([cross("nm"), "-C", "-n", str(elf)], stdout=subprocess.PIPE, text=True, check=True)
        found = re.findall(r"^([0-9a-f]+) ([a-zA-Z]) ((?!\$).*)$", done.stdout, re.M)
        self.address = {name: int(address, 16) for address, _, name in found}
        code = [(int(address, 16), name) for address, kind, name in found if kind in "tTwW"]
        self.starts, self.names = [start for start, _ in code], [name for _, name in code]

    def name(self, address: int) -> str:
        at = bisect_right(self.starts, address) - 1
        return self.names[at] if at >= 0 else f"{address:#x}"


def places_in(elf: Path, addresses: list[int]) -> dict[int, list[Place]]:
    """Where each address is, the innermost inlined function first."""
    done = subprocess.run([cross("addr2line"), "-a", "-f", "-i", "-C", "-e", str(elf)], stdout=subprocess.PIPE, text=True,
                          input="".join(f"{address:#x}\n" for address in addresses), check=True)
    found: dict[int, list[Place]] = {}
    here: list[Place] = []
    lines = iter(done.stdout.splitlines())
    for line in lines:
        if re.fullmatch(r"0x[0-9a-f]+", line):
            here = found.setdefault(int(line, 16), [])
            continue
        file, _, number = next(lines, "").partition(" (")[0].rpartition(":")
        known = number.isdigit() and int(number) != 0
        file = tidy(file)
        here.append(Place(line, file, int(number)) if known else Place(line if line != "??" else "?"))
    return found
