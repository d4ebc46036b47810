"""Reads the disassembly of what was built for what only real hardware minds; QEMU forgives all of it.

    check_barriers.py KERNEL.elf [PROGRAM ...]      OBJDUMP= names the disassembler

Of the kernel (docs/hardware-review.md names the manuals' paragraphs):
  - a write to a system register takes effect (ISB, ERET) before anything can depend on it, and each register is known here
  - TLBI: a DSB after the stores before it; then DSB, then ISB, before memory is used
  - IC likewise; DC: a DSB before the function ends; SEV: a DSB before it
  - no exclusives, no DC ZVA and no calls through pointers in what the entry reaches while the MMU is off
Of the kernel and the programs:
  - nothing of later architectures than the Cortex-A53's
  - no sequence that its errata 835769 and 843419 make go wrong

Prints one line for each finding and a last line with counts; exits 1 if there is any.
"""
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

# Memory must not be used between the write and the ISB: these change what an address means.
TRANSLATION = {"ttbr0_el1", "ttbr1_el1", "tcr_el1", "mair_el1", "sctlr_el1"}
# The function must not end before the ISB.
CONTEXT = {
    "vbar_el1", "cpacr_el1", "cntkctl_el1", "cntv_ctl_el0", "cntv_cval_el0", "mdscr_el1", "pmuserenr_el0", "hcr_el2",
    "cptr_el2", "cptr_el3", "scr_el3", "sctlr_el2", "mdcr_el2", "cnthctl_el2", "cntvoff_el2", "hstr_el2", "vttbr_el2",
    "vpidr_el2", "vmpidr_el2", "cntfrq_el0",
    "s3_1_c15_c2_0", "s3_1_c15_c2_1", "s3_1_c11_c0_2",      # CPUACTLR_EL1, CPUECTLR_EL1, L2CTLR_EL1
}
# Seen by what follows in program order anyway (ARM ARM D17.1.2, registers that need no synchronization; C5.1).
FREE = {
    "daifset", "daifclr", "daif", "spsel", "elr_el1", "elr_el2", "elr_el3", "spsr_el1", "spsr_el2", "spsr_el3", "sp_el0",
    "tpidr_el0", "tpidr_el1", "tpidrro_el0", "fpsr", "fpcr", "nzcv",
}
ENTRIES = ("image_header", "secondary_entry")

LOAD = re.compile(r"(ld|prfm|prfum)")
STORE = re.compile(r"st")
EXCLUSIVE = re.compile(r"(ld|st)[al]?x[rp][bh]?$")
# Atomic operations of Armv8.1, loads of Armv8.3.
LATER = re.compile(r"(casp?|swp|(ld|st)(add|clr|eor|set|smax|smin|umax|umin))(a|l|al)?[bh]?$|ldapr")
MULTIPLY_ADD = {"madd", "msub", "smaddl", "smsubl", "umaddl", "umsubl"}
LINE = re.compile(r"^ *([0-9a-f]+):\t(\S+)(?:\t(.*))?$")
SYMBOL = re.compile(r"^([0-9a-f]+) <(.+)>:$")
TARGET = re.compile(r"\b([0-9a-f]+) <")


@dataclass
class Instruction:
    address: int
    mnemonic: str
    operands: str
    function: str
    before: list["Instruction"] = field(default_factory=list)   # in the flow of control, calls left out
    after: list["Instruction"] = field(default_factory=list)
    target: int | None = None

    @property
    def is_memory(self) -> bool:
        return bool(LOAD.match(self.mnemonic) or STORE.match(self.mnemonic))

    @property
    def is_store(self) -> bool:
        return bool(STORE.match(self.mnemonic)) or (self.mnemonic == "dc" and self.operands.startswith("zva"))

    @property
    def is_call(self) -> bool:
        return self.mnemonic in ("bl", "blr", "svc", "hvc", "smc")

    @property
    def leaves(self) -> bool:
        """The flow of control goes where this program does not follow."""
        return self.mnemonic in ("ret", "br", "eret", "brk")

    @property
    def base_register(self) -> str:
        match = re.search(r"\[(\w+)", self.operands)
        return match[1] if match else ""

    def registers(self) -> list[str]:
        """The 64-bit names of the general registers in the order of the operands."""
        return ["x" + name[1:] for name in re.findall(r"\b[xw](?:\d+|zr)\b", self.operands)]

    def system_register(self) -> str:
        return self.operands.split(",")[0].strip().lower() if self.mnemonic == "msr" else ""


class Image:
    """The instructions of one file, and how control flows among them."""

    def __init__(self, path: Path, objdump: str) -> None:
        done = subprocess.run([objdump, "-d", "--no-show-raw-insn", str(path)], capture_output=True, text=True)
        if done.returncode != 0:
            raise OSError(done.stderr.strip() or f"{objdump} failed")
        self.at: dict[int, Instruction] = {}
        self.entry_of: dict[str, int] = {}
        function = ""
        for line in done.stdout.splitlines():
            if match := SYMBOL.match(line):
                function = match[2]
                self.entry_of[function] = int(match[1], 16)
            elif match := LINE.match(line):
                operands = (match[3] or "").split("//")[0].strip()
                self.at[int(match[1], 16)] = Instruction(int(match[1], 16), match[2], operands, function)
        for one in self.at.values():
            self.connect(one)

    def connect(self, one: Instruction) -> None:
        branch = one.mnemonic in ("b", "bl", "cbz", "cbnz", "tbz", "tbnz") or one.mnemonic.startswith("b.")
        if branch and (match := TARGET.search(one.operands)):
            one.target = int(match[1], 16)
        following = []
        if not one.leaves and one.mnemonic != "b":
            following.append(one.address + 4)
        if one.target is not None and one.mnemonic != "bl":
            following.append(one.target)
        for address in following:
            if next_one := self.at.get(address):
                one.after.append(next_one)
                next_one.before.append(one)

    def reached(self, entries: tuple[str, ...]) -> Iterator[Instruction]:
        """What these functions run, and what they call, by direct branches."""
        waiting = [self.at[self.entry_of[name]] for name in entries if name in self.entry_of]
        seen: set[int] = set()
        while waiting:
            one = waiting.pop()
            if one.address in seen:
                continue
            seen.add(one.address)
            yield one
            waiting += one.after
            if one.mnemonic == "bl" and one.target in self.at:
                waiting.append(self.at[one.target])


Judge = Callable[[Instruction], str]
GO_ON, DONE = "", "done"


def follow(start: Instruction, forward: bool, judge: Judge) -> str:
    """Walks all paths from an instruction; `judge` says of each DONE, GO_ON, or what is wrong. The first wrong."""
    end = "the code ends" if forward else "the function begins"
    waiting = list(start.after if forward else start.before)
    seen: set[int] = set()
    if not waiting:
        return end
    while waiting:
        one = waiting.pop()
        if one.address in seen:
            continue
        seen.add(one.address)
        verdict = judge(one)
        if verdict == DONE:
            continue
        if verdict:
            return verdict
        further = one.after if forward else one.before
        if not further:
            return end
        waiting += further
    return ""


def place(one: Instruction) -> str:
    return f"{one.function} ({one.address:#x}): {one.mnemonic} {one.operands}"


def is_full_dsb(one: Instruction, broadcast: bool) -> bool:
    """A DSB that waits for loads, stores and maintenance; of all cores if the maintenance was for all."""
    return one.mnemonic == "dsb" and one.operands in (("ish", "sy") if broadcast else ("ish", "sy", "nsh", "osh"))


def synchronized(one: Instruction) -> bool:
    return one.mnemonic in ("isb", "eret")


def after_register(memory_matters: bool) -> Judge:
    def judge(one: Instruction) -> str:
        if synchronized(one):
            return DONE
        if memory_matters and one.is_memory:
            return f"memory is used ({one.mnemonic} {one.operands}) before an ISB"
        if one.is_call or one.leaves:
            return f"no ISB before {one.mnemonic}"
        return GO_ON
    return judge


def maintained(start: Instruction, broadcast: bool) -> str:
    """After TLBI or IC: a DSB, then an ISB."""
    synchronizers: list[Instruction] = []

    def wait(one: Instruction) -> str:
        if is_full_dsb(one, broadcast):
            synchronizers.append(one)
            return DONE
        if one.is_memory or one.is_call or one.leaves or synchronized(one):
            return f"no DSB before {one.mnemonic} {one.operands}".rstrip()
        return GO_ON

    if wrong := follow(start, True, wait):
        return wrong
    return next((wrong for dsb in synchronizers if (wrong := follow(dsb, True, after_register(True)))), "")


def stores_complete(one: Instruction) -> str:
    """Backwards from TLBI, IC, SEV: a DSB comes before any store or call."""
    if one.mnemonic == "dsb":
        return DONE
    if one.is_store or one.is_call:
        return f"no DSB after {one.mnemonic} {one.operands}"
    return GO_ON


def cleaned(one: Instruction) -> str:
    if is_full_dsb(one, False):
        return DONE
    return f"no DSB before {one.mnemonic}" if one.is_call or one.leaves else GO_ON


def judge_instruction(one: Instruction) -> str:
    """What is wrong with an instruction of the kernel, or nothing."""
    operation = one.operands.split(",")[0].strip()
    if register := one.system_register():
        if register in FREE:
            return ""
        if register not in TRANSLATION | CONTEXT:
            return "tools/check_barriers.py does not know this register"
        return follow(one, True, after_register(register in TRANSLATION))
    if one.mnemonic in ("tlbi", "ic"):
        return follow(one, False, stores_complete) or maintained(one, operation.endswith("is") or operation == "ivau")
    if one.mnemonic == "dc" and operation != "zva":
        return follow(one, True, cleaned)
    if one.mnemonic == "sev":
        return follow(one, False, stores_complete)
    return ""


def judge_without_mmu(one: Instruction) -> str:
    if EXCLUSIVE.match(one.mnemonic):
        return "an exclusive access while the MMU may be off"
    if one.mnemonic == "dc" and one.operands.startswith("zva"):
        return "DC ZVA while the MMU may be off"
    if one.mnemonic == "blr":
        return "a call through a pointer while the MMU may be off"
    return ""


def erratum_835769(one: Instruction) -> bool:
    """A 64-bit multiply-add right behind a memory access that it does not depend on."""
    if one.mnemonic not in MULTIPLY_ADD or not one.operands.startswith("x"):
        return False
    registers = one.registers()
    for earlier in one.before:
        if earlier.is_memory and earlier.address == one.address - 4:
            loaded = earlier.registers()[:2 if "ldp" in earlier.mnemonic else 1] if LOAD.match(earlier.mnemonic) else []
            if not set(loaded) & set(registers[1:]):
                return True
    return False


def erratum_843419(one: Instruction, at: dict[int, Instruction]) -> bool:
    """ADRP in the last two words of a page; a memory access; then, behind it or one further, one relative to ADRP's result."""
    if one.mnemonic != "adrp" or one.address & 0xfff not in (0xff8, 0xffc):
        return False
    result = one.registers()[0]
    second = at.get(one.address + 4)
    if second is None or not second.is_memory or second.base_register == result and "!" in second.operands:
        return False
    if LOAD.match(second.mnemonic) and result in second.registers()[:1]:
        return False
    for distance in (8, 12):
        last = at.get(one.address + distance)
        if last is None or last.leaves:
            return False
        if last.is_memory and last.base_register == result and "!" not in last.operands:
            return True
        if last.target is not None or result in last.registers()[:1]:
            return False
    return False


def findings(image: Image, is_kernel: bool) -> Iterator[str]:
    for one in image.at.values():
        if LATER.match(one.mnemonic):
            yield f"{place(one)}: not an instruction of the Cortex-A53 (Armv8.0)"
        if erratum_835769(one):
            yield f"{place(one)}: erratum 835769"
        if erratum_843419(one, image.at):
            yield f"{place(one)}: erratum 843419"
        if is_kernel and (wrong := judge_instruction(one)):
            yield f"{place(one)}: {wrong}"
    if is_kernel:
        for one in image.reached(ENTRIES):
            if wrong := judge_without_mmu(one):
                yield f"{place(one)}: {wrong}"


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    objdump = os.environ.get("OBJDUMP") or "aarch64-linux-gnu-objdump"
    found: dict[Path, list[str]] = defaultdict(list)
    instructions = 0
    for number, name in enumerate(sys.argv[1:]):
        try:
            image = Image(Path(name), objdump)
        except OSError as error:
            print(f"check_barriers: {name}: {error}", file=sys.stderr)
            return 2
        instructions += len(image.at)
        if number == 0 and not set(ENTRIES) <= image.entry_of.keys():
            print(f"check_barriers: {name} has no {' and '.join(ENTRIES)}: it is not a kernel", file=sys.stderr)
            return 2
        found[Path(name)] += findings(image, number == 0)
    for path, lines in found.items():
        for line in lines:
            print(f"{path.name}: {line}")
    count = sum(map(len, found.values()))
    print(f"barriers: {instructions} instructions of {len(found)} files, {count} findings")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
