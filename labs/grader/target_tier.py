"""The target tier: a submission linked into the pristine kernel, which runs the lab's checks on four cores in QEMU.

Time is the guest's: `-icount` makes an instruction a nanosecond, so a check takes the same course on any host, each time. A machine
runs checks until one fails; the next machine goes on behind it, so no check runs on what a failed one left.
"""
import os
import re
import secrets
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from . import compiling, sandbox
from .compiling import ATTEMPTS, LINK, in_sandbox
from .debug_port import CORES, DebugPort, Ended, Lost
from .host_tier import LARGEST_GAP, Program, place_of, readable_places, tidy
from .lab import TREE, Check, Failure, Lab
from .records import Forged, Record, Records
from .reference import TargetFiles
from .verdict import Outcome, Verdict

# Far beyond what QEMU may take of the host for one machine: a machine's checks have limits of their own.
MACHINE = sandbox.Limits(cpu_seconds=600, memory=2 << 30, wall_seconds=1800, idle_seconds=1e9)
SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"
ORDERS_AT, ORDERS_MAGIC, NAMES_ROOM = 0x60000, 0x73726564726F6C6B, 3000     # labs/grader/target/orders.h
LOOK_SECONDS = 2        # of processor time, between two looks at the guest's clock
SLOWEST = 0.02          # guest seconds in one of processor time; a usual host makes half a one, and one twenty times slower is still in time
NO_SYMBOLS = '.section .symbols,"a"\n.balign 8\n.globl symbol_table\nsymbol_table:\n.zero 48\n'


@dataclass
class Kernel(Program):
    """Checks run in `image`."""
    image: Path = field(kw_only=True)
    files: TargetFiles = field(kw_only=True)
    places: dict[str, int] = field(kw_only=True)        # addresses of names
    boot_arguments: str = field(kw_only=True)

    def trace(self, addresses: list[int]) -> list[str]:
        return readable_places(self, [f"{address:x}" for address in addresses])


# --- building ------------------------------------------------------------------------------------------------------------------

def gap() -> str:
    """Of random size, between the kernel and the submission, in code and in data: nothing there knows how far away anything lies."""
    parts = (("text", "ax"), ("data", "aw"), ("bss", "aw"))
    return "".join(f'.section .{name}.gap,"{flags}",@{"nobits" if name == "bss" else "progbits"}\n.globl gap_{name}\ngap_{name}:\n'
                   f".skip {secrets.randbelow(LARGEST_GAP) & ~15}\n" for name, flags in parts)


def build(lab: Lab, files: TargetFiles, folder: Path, texts: dict[str, bytes]) -> Kernel:
    front = compiling.Front(files.compiler, files.flags)
    objects = compiling.compile_all(lab, files.headers, front, folder, texts, {})
    work = sandbox.writable(folder / "kernel")
    (work / "extra.s").write_text(NO_SYMBOLS + gap())
    command = [Path(files.compiler).name, *files.link_flags, "-T", "/in/kernel.ld", "/in/rest.o", "extra.s",
               *(f"-Wl,-u,gap_{name}" for name in ("text", "data", "bss"))]

    def linked(name: str, rest: Path) -> Path:
        return compiling.link(command, [(rest, "/in/rest.o"), (files.script, "/in/kernel.ld")], objects, ["-lgcc"], work, name)

    path = linked("kernel.elf", files.bare)
    ended = in_sandbox([front.tool("objcopy"), "-O", "binary", "kernel.elf", "kernel8.img"], sandbox.Place(write=[(work, "/work")], directory="/work"), LINK, "objcopy")
    if not ended.good:
        raise Failure(f"objcopy made no image: {ended.errors.decode(errors='replace')[:300]}")
    return Kernel(folder, path, front, lambda: linked("with-lines.elf", files.rest), image=work / "kernel8.img", files=files,
                  places=addresses(front, files, path), boot_arguments=lab.boot_arguments)


def addresses(front: compiling.Front, files: TargetFiles, kernel: Path) -> dict[str, int]:
    """Of the pristine kernel's names: a submission's own of the same name lie behind them."""
    said = subprocess.run([*front.reader("nm"), "--numeric-sort", "--defined-only", str(kernel)], capture_output=True, text=True, check=True).stdout
    found: dict[str, int] = {}
    for value, kind, name in (line.split(maxsplit=2) for line in said.splitlines()):
        if files.symbols.get(name) == kind:
            found.setdefault(name, int(value, 16))
    return found


# --- one machine ---------------------------------------------------------------------------------------------------------------

def orders(key: bytes, seed: int, checks: list[Check], board_patience: int = 0) -> bytes:
    """`board_patience`: it is for a board, whose time is real; so many times as patient."""
    names = b"".join(check.name.encode() + b"\0" for check in checks)
    patience = max(check.guest_seconds for check in checks) * max(board_patience, 1) * 1_000_000_000
    if len(names) > NAMES_ROOM:
        raise Failure(f"{len(checks)} checks of the target tier are too many for one machine")
    return struct.pack("<Q16sQQIII", ORDERS_MAGIC, key, seed, patience, checks[0].runner == "program", board_patience > 0, len(checks)) + names.ljust(NAMES_ROOM, b"\0")


def command_line(seed: int, arguments: str, records: str, debug: str) -> list[str]:
    return [Path(os.environ.get("FORKLORE_QEMU") or "qemu-system-aarch64").name, "-M", "raspi3b", "-sandbox", SANDBOX, "-display", "none", "-monitor", "none",
            "-no-reboot", "-nodefaults", "-icount", "shift=0,sleep=off", "-seed", str(seed), "-serial", "stdio", *records.split(), *debug.split(),
            "-kernel", "/in/kernel8.img", "-dtb", "/in/rpi3.dtb", "-initrd", "/in/initrd.cpio", "-append", f"seed={seed} {arguments}",
            "-device", f"loader,file=/in/orders,addr={ORDERS_AT:#x},force-raw=on"]


Look = Callable[[DebugPort, Kernel, Check, str, int], str]      # what is wrong there; nothing if all is well


@dataclass
class Machine:
    """Runs checks until one fails, or the host does."""
    kernel: Kernel
    checks: list[Check]
    seed: int
    look: Look
    ended: Callable[[Outcome], None]

    records: Records = field(init=False)
    port: DebugPort = field(init=False)
    done: list[Outcome] = field(default_factory=list)   # a pass counts when the next record has come
    passed: Check | None = None
    current: Check | None = None
    whole: bool = False                 # the last record came
    begun: float = 0.0                  # processor time when the check, or the machine, began
    begun_guest: float | None = 0.0     # guest time at the first look behind that,
    begun_looked: float = 0.0           # and processor time there
    cpu: float = 0.0
    looked_cpu: float = 0.0
    looked: str | None = None           # what the grader saw from outside; "" is well
    failure: str = ""
    trace: list[str] = field(default_factory=list)
    broken: str = ""

    # --- records ---

    def settle(self) -> None:
        """The check that passed is over, for the machine went on behind it."""
        if self.passed:
            self.done.append(Outcome(self.passed, Verdict.PASS, cpu=self.cpu - self.begun))
            self.ended(self.done[-1])
            self.passed = None

    def take(self, record: Record) -> None:
        due = self.checks[len(self.done) + (self.passed is not None)] if len(self.done) + (self.passed is not None) < len(self.checks) else None
        if self.failure:
            return      # its machine is about to end
        if self.whole or not self.in_order(record, due):
            raise Forged(f"the record `{record.kind} {record.check}` came out of order: no record counts any more")
        if record.kind == "begin":
            self.settle()
            self.current, self.begun, self.begun_guest, self.looked = due, self.cpu, None, None
        elif record.kind == "pass":
            assert self.current
            if self.current.look and self.looked != "":
                self.fail("the machine never stood still for the grader's own look, but the check went on")
                self.port.end()
                return
            self.passed, self.current = self.current, None
        elif record.kind == "end":
            self.settle()
            self.whole = True
        elif record.kind == "look":
            self.wanted = record.text
        elif record.kind == "fail":
            where, _, message = record.text.partition("\n")
            self.trace = [f"the check at {Path(where.rpartition(':')[0]).name}:{where.rpartition(':')[2]}"]
            self.fail(tidy(message))
        elif record.kind == "late":
            assert self.current
            self.fail(f"did not come to an end within {self.current.guest_seconds} seconds of the machine's time")
        elif record.kind == "missing":
            self.broken = f"there is no TEST({record.check.replace('.', ', ')}) among the checks"

    wanted: str = ""

    def in_order(self, record: Record, due: Check | None) -> bool:
        if record.kind == "begin":
            return self.current is None and due is not None and record.check == due.name
        if record.kind == "end":
            return self.current is None and due is None
        return self.current is not None and (record.kind == "missing" or record.check == self.current.name)

    def fail(self, what: str) -> None:
        self.failure = self.failure or what

    # --- the debug port ---

    def stopped(self, packet: str) -> None:
        """The machine stands at the marked place: the grader looks, and lets it go on behind it."""
        if packet[0] not in "TS":
            return
        marked = self.kernel.places["grader_looks_here"]
        for core in range(CORES):
            if self.port.registers(core).pc == marked:
                if self.current and self.current.look:
                    self.looked = self.looked or self.look(self.port, self.kernel, self.current, self.wanted, self.seed)
                    self.wanted = ""
                if self.looked:
                    self.fail(self.looked)
                    self.port.end()
                    return
                self.port.set_pc(core, marked + 4)
        self.port.go_on()

    def where_all_are(self) -> list[str]:
        registers = [self.port.registers(core) for core in range(CORES)]
        return [f"core {core}: {(self.kernel.trace([r.pc]) or [f'{r.pc:#x}'])[0]}" for core, r in enumerate(registers)]

    def watch(self) -> None:
        """Ends what neither the guest's own timer nor anything else ends."""
        check = self.current or self.passed or self.checks[min(len(self.done), len(self.checks) - 1)]
        if self.cpu - self.looked_cpu < LOOK_SECONDS:
            return
        self.looked_cpu = self.cpu
        self.port.stop()
        guest = self.port.guest_seconds()
        if self.begun_guest is None:
            self.begun_guest, self.begun_looked = guest, self.cpu
        passed = guest - self.begun_guest
        late = passed > check.guest_seconds + 1
        # However slow the host is, the guest's clock goes on with the guest's work.
        stands_still = self.cpu - self.begun > check.cpu_seconds and passed < SLOWEST * (self.cpu - self.begun_looked)
        if late or stands_still:
            self.trace = self.where_all_are()
            self.fail(f"did not come to an end: {passed:.1f} seconds of the machine's time and {self.cpu - self.begun:.0f} of the "
                      "host's processor are over (a loop without end, or a lock that nobody lets go?)")
            self.port.end()
            return
        self.port.go_on()

    # --- the run ---

    def run(self) -> None:
        key = secrets.token_bytes(16)
        self.records = Records(key)
        ours, theirs = zip(socket.socketpair(), socket.socketpair())
        folder = self.kernel.folder
        orders_file = folder / f"orders-{secrets.token_hex(4)}"
        orders_file.write_bytes(orders(key, self.seed, self.checks))
        orders_file.chmod(0o644)
        files = self.kernel.files
        place = sandbox.Place(read=[(self.kernel.image, "/in/kernel8.img"), (files.dtb, "/in/rpi3.dtb"), (files.initrd, "/in/initrd.cpio"), (orders_file, "/in/orders")])
        first, second = (channel.fileno() for channel in theirs)
        command = command_line(self.seed, self.kernel.boot_arguments, f"-chardev socket,id=records,fd={first} -serial chardev:records",
                               f"-chardev socket,id=debug,fd={second} -gdb chardev:debug -S")

        def start() -> sandbox.Ended:
            try:
                return sandbox.run(command, place, MACHINE, given=(first, second), told=self.used)
            finally:
                for channel in theirs:
                    channel.close()

        with ThreadPoolExecutor(max_workers=1) as pool:
            job = pool.submit(start)
            try:
                self.drive(ours, theirs, job)
            finally:
                orders_file.unlink()
                for channel in ours:
                    channel.close()
            self.conclude(job.result())

    def used(self, cpu: float) -> None:
        self.cpu = max(self.cpu, cpu)

    def drive(self, ours: tuple[socket.socket, ...], theirs: tuple[socket.socket, ...], job: Future[sandbox.Ended]) -> None:
        line, debug = ours
        try:
            try:
                self.converse(line, debug, theirs, job)
            except Ended:
                pass
            while self.hear(line):      # what it said before its end
                pass
        except Forged as forged:
            self.passed, self.current = None, self.passed or self.current
            self.failure = str(forged)
            self.port.end()
        except Lost as lost:
            self.broken = f"QEMU: {lost}"

    def converse(self, line: socket.socket, debug: socket.socket, theirs: tuple[socket.socket, ...], job: Future[sandbox.Ended]) -> None:
        self.port = DebugPort(debug)
        self.port.break_at(self.kernel.places["grader_looks_here"])
        for channel in theirs:      # QEMU has them: the end of it is the end of ours
            channel.close()
        self.port.go_on()
        while not job.done():
            ready = select.select([line, debug], [], [], 0.2)[0]
            if line in ready and not self.hear(line):
                break
            if debug in ready and not self.port.fill():
                break
            while packet := self.port.packet():
                while select.select([line], [], [], 0)[0] and self.hear(line):
                    pass
                self.stopped(packet)
            self.watch()

    def hear(self, line: socket.socket) -> bool:
        try:
            data = line.recv(65536)
        except OSError:
            return False
        for record in self.records.take(data):
            self.take(record)
        return bool(data)

    def conclude(self, ended: sandbox.Ended) -> None:
        if self.whole and not self.failure and not self.broken:
            return
        console = ended.output.decode(errors="replace").replace("\r", "")
        blamed: Check = self.current or self.passed or self.checks[min(len(self.done), len(self.checks) - 1)]
        not_up = not self.current and not self.passed and not self.done
        if not self.failure:
            self.explain(ended, console)
        if not self.failure and not self.broken:
            self.failure = "the machine was switched off before the check was over"
        for check in self.checks[len(self.done):] if not_up or self.broken else [blamed]:
            what = f"the kernel does not come up: {self.failure}" if not_up else self.failure
            self.done.append(Outcome(check, Verdict.FAIL, what, place_of(self.trace), self.trace, self.cpu - self.begun))
            if self.broken:
                self.done[-1].verdict, self.done[-1].what = Verdict.INFRASTRUCTURE, self.broken
            else:
                self.ended(self.done[-1])

    def explain(self, ended: sandbox.Ended, console: str) -> None:
        if ended.hosts_fault or ended.why in ("cpu", "tasks", "restless"):
            self.broken = f"the host ended the machine ({ended.why})"
        elif ended.why == "memory":
            self.broken = "the host has no memory for the machine"
        elif ended.why == "output":
            self.fail("printed more than a check may")
        elif found := re.search(r"^panic: core \d+, (.*)$", console, re.M):
            report = console[found.end():].partition("\nstopped:")[0].partition("\nforklore: panic")[0]
            # Return addresses; the call is just before each.
            self.trace = self.kernel.trace([int(word, 16) - 4 for word in re.findall(r"^  #\d+ (?:0x)?([0-9a-f]{16})\b", report, re.M)])
            self.fail(f"panic: {found[1].partition('): ')[2] or found[1]}")
        elif ended.status:
            self.broken = f"QEMU ended with status {ended.status}: {ended.errors.decode(errors='replace').strip()[-300:]}"
        elif found := re.search(r"^(?:init: can not .*|.*init.*(?:ended|died|exited).*)$", console, re.M):
            self.fail(found[0])


# --- all checks ----------------------------------------------------------------------------------------------------------------

def run_group(checks: list[Check], kernel: Kernel, seed: int, look: Look, ended: Callable[[Outcome], None]) -> list[Outcome]:
    """One machine for all, another behind each check that fails."""
    done: list[Outcome] = []
    attempts = 0
    while left := checks[len(done):]:
        machine = Machine(kernel, left, seed, look, ended)
        machine.run()
        if machine.broken:
            attempts += 1
            whole = [outcome for outcome in machine.done if outcome.verdict is not Verdict.INFRASTRUCTURE]
            if attempts < ATTEMPTS:
                done += whole
                continue
            for outcome in machine.done[len(whole):]:
                ended(outcome)
        done += machine.done
    return done


def run_checks(checks: list[Check], kernel: Kernel, seed: int, jobs: int, look: Look, ended: Callable[[Outcome], None]) -> list[Outcome]:
    groups = [group for kind in (False, True) if (group := [check for check in checks if (check.runner == "program") is kind])]
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        work = [pool.submit(run_group, group, kernel, seed, look, ended) for group in groups]
        made = {outcome.check.id: outcome for future in work for outcome in future.result()}
    return [made[check.id] for check in checks]


# --- under the debugger ----------------------------------------------------------------------------------------------------------

def debug(check: Check, kernel: Kernel, seed: int, to: Path) -> int:
    """One check under tools/debug.py, whose machines are the grading's own: the same files, orders and command line, but nobody hears the records.
    Not in a sandbox but QEMU's, as with make debug."""
    to.mkdir(parents=True, exist_ok=True)
    (to / "orders").write_bytes(orders(bytes(16), seed, [check]))
    for path, name in ((kernel.with_lines, "kernel8.elf"), (kernel.image, "kernel8.img"), (kernel.files.dtb, "rpi3.dtb"), (kernel.files.initrd, "initrd.cpio")):
        shutil.copyfile(path, to / name)
    command = [word.replace("/in/", f"{to}/") for word in command_line(seed, kernel.boot_arguments, "-serial null", "")]
    (to / "machine").write_text("\n".join(command))
    program = kernel.files.initrd.with_suffix("")
    environment = os.environ | {"FORKLORE_MACHINE": str(to / "machine"), "FORKLORE_KERNEL": str(to / "kernel8.img"), "FORKLORE_ICOUNT": "1",
                                "FORKLORE_FIRST_PROGRAM": str(program.parents[1] / "debug" / "checks" / program.name)}
    for name in ("CMD", "HAS_CMD", "TIMEOUT", "GDB"):
        environment.pop(f"FORKLORE_{name}", None)
    signal.signal(signal.SIGINT, lambda *_: None)      # Ctrl-C is gdb's
    return subprocess.run([sys.executable, str(TREE / "tools" / "debug.py")], env=environment).returncode
