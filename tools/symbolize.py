#!/usr/bin/python3
"""`make symbolize < log`: a console's text again, with names and lines behind each address that is code.

Kernel addresses and the kernel's own `function+offset` are looked up in build/kernel/kernel8.elf (KERNEL=image: in the ELF beside it)
with all inlined functions; `NAME (PID): ... pc ADDRESS` in the program's copy with debug information.
"""
import re
import sys
from pathlib import Path

import run
from machine import Failure
from mksymbols import code_symbols, readable
from programs import program_file
from symbols import Place, Symbols, cross, places_in

KERNEL_ADDRESS = re.compile(r"\b0x(ffffffff8[0-9a-f]{7})\b")
FRAME = re.compile(r"^ *#\d+ (.+?)\+0x([0-9a-f]+)(?:  (\S+:\d+))?$")
PROGRAM_PC = re.compile(r"^.*?([^\s(]+) \(\d+\): .*\bpc 0x([0-9a-f]+)")


class Names:
    def __init__(self, kernel: Symbols, build: Path) -> None:
        self.kernel, self.build = kernel, build
        self.starts: dict[str, list[int]] = {}      # by the kernel's own short names, which may be those of several
        code = code_symbols(cross(""), str(kernel.elf))
        for (start, _, _), name in zip(code, readable(cross(""), [name for _, _, name in code])):
            self.starts.setdefault(name, []).append(start)
        self.known: dict[tuple[Path, int], list[Place]] = {}

    def chain(self, elf: Path, address: int) -> list[Place]:
        if (elf, address) not in self.known:
            self.known[elf, address] = next(iter(places_in(elf, [address]).values()), [])
        return self.known[elf, address]

    def code(self, address: int) -> str:
        """Empty for what is no code."""
        chain = self.chain(self.kernel.elf, address)
        return " in ".join(str(place) for place in chain if place.file)

    def line(self, line: str) -> str:
        if frame := FRAME.match(line):
            for start in self.starts.get(frame[1], []):
                for address in (start + int(frame[2], 16) - 4, start + int(frame[2], 16)):      # a return address, or an exception's pc
                    chain = self.chain(self.kernel.elf, address)
                    if len(chain) > 1 and f"{chain[0].file}:{chain[0].line}" == frame[3]:
                        return line + "".join(f"\n       inlined in {place}" for place in chain[1:])
            return line
        if (program := PROGRAM_PC.match(line)) and (elf := program_file(self.build, program[1])):
            chain = self.chain(elf, int(program[2], 16))
            return line + (f" <{' in '.join(map(str, chain))}>" if chain and chain[0].file else "")
        return KERNEL_ADDRESS.sub(lambda found: found[0] + (f" <{name}>" if (name := self.code(int(found[1], 16))) else ""), line)


def symbolize() -> int:
    options = run.options_from_environment()
    elf = Path(options.kernel).with_suffix(".elf") if options.kernel else options.build / "kernel" / "kernel8.elf"
    if not elf.is_file():
        raise Failure(f"There is no {elf}: names come from it")
    names = Names(Symbols(elf), options.build)
    for line in sys.stdin:
        print(names.line(line.rstrip("\r\n")))
    return 0


if __name__ == "__main__":
    run.arguments_to_environment(__doc__)
    sys.exit(run.guarded(symbolize))
