"""Runs untrusted programs: in bubblewrap, without network, with nothing to read but what is named, within limits.

No verdict depends on how fast the host is. A program that runs for ever is ended by its processor time; one that waits
for ever is seen to do nothing at all: each of its threads sleeps and none ran meanwhile. The limit of the wall's clock
is far beyond both, and reaching it says something about the host, not about the program.
"""
import itertools
import json
import os
import platform
import resource
import selectors
import shutil
import signal
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from .lab import Failure

MIB = 1 << 20
POLL_SECONDS = 0.1
IDLE_SECONDS = 6.0          # asleep for so long, without any thread having run: nobody will wake it
ASLEEP = 0.9                # of all looks, and yet it ran again and again: it does nothing but wait
# Users of nobody's when the grader itself runs as root, one for each sandbox: the kernel counts processes by user. Graders beside this one
# begin elsewhere.
FIRST_USER, USERS, OF_A_GRADER = 61000, 4000, 61
sandboxes = itertools.count()
users_given: set[int] = set()       # by this process


@dataclass
class Limits:
    cpu_seconds: int = 10
    memory: int = 1024 * MIB
    address_space: int = 0      # 0: not limited (a sanitizer reserves terabytes)
    output: int = 256 * 1024    # of each of its channels
    file_size: int = 64 * MIB
    processes: int = 64         # and threads
    wall_seconds: int = 600
    idle_seconds: float = IDLE_SECONDS


@dataclass
class Ended:
    """How it ended. `why` is exit, cpu, memory, tasks, output, idle, restless: the program's doing; wall, lost: the host's."""
    why: str
    status: int = 0             # for exit; 128 + signal for a signal
    output: bytes = b""
    errors: bytes = b""
    records: bytes = b""
    cpu: float = 0.0

    @property
    def hosts_fault(self) -> bool:
        return self.why in ("wall", "lost")

    @property
    def good(self) -> bool:
        return self.why == "exit" and self.status == 0


@dataclass
class Place:
    """What a program sees: (outside, inside) pairs."""
    read: list[tuple[Path, str]] = field(default_factory=list)
    write: list[tuple[Path, str]] = field(default_factory=list)
    directory: str = "/"


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that the sandbox's user can reach and that is gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="forklore-grade-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sandbox_user() -> int | None:
    if os.geteuid() != 0:
        return None
    user = FIRST_USER + (os.getpid() * OF_A_GRADER + next(sandboxes)) % USERS
    users_given.add(user)
    return user


def writable(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def give(folder: Path, user: int) -> None:
    """With what an earlier sandbox left there."""
    os.chown(folder, user, user)
    for entry in os.scandir(folder):
        if entry.is_symlink() or entry.is_file(follow_symlinks=False):
            os.chown(entry.path, user, user, follow_symlinks=False)


# --- system calls that a check's process has no use for ---------------------------------------------------------------

# Audit architecture; clone; and the numbers of: fork vfork clone3 socket socketpair connect ptrace kill tkill mount unshare setns
# bpf io_uring_setup userfaultfd keyctl perf_event_open process_vm_writev pidfd_open pidfd_send_signal memfd_create.
SYSTEM_CALLS = {
    "x86_64": (0xC000003E, 56, [57, 58, 435, 41, 53, 42, 101, 62, 200, 165, 272, 308, 321, 425, 323, 250, 298, 311, 434, 424, 319]),
    "aarch64": (0xC00000B7, 220, [435, 198, 199, 203, 117, 129, 130, 40, 97, 268, 280, 425, 282, 219, 241, 271, 434, 424, 279]),
}
LOAD, JUMP_IF_EQUAL, JUMP_IF_SET, JUMP_IF_ABOVE, RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
ALLOW, REFUSE, NOT_THERE, KILL = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
CLONE_THREAD = 0x10000
CLONE3 = 435


def filter_program() -> bytes | None:
    """A seccomp filter: threads yes, processes and everything that reaches out no. None where the numbers are not known."""
    if platform.machine() not in SYSTEM_CALLS:
        return None
    machine, clone, refused = SYSTEM_CALLS[platform.machine()]
    code = [(LOAD, 0, 0, 4), (JUMP_IF_EQUAL, 1, 0, machine), (RETURN, 0, 0, KILL), (LOAD, 0, 0, 0),
            (JUMP_IF_ABOVE, 0, 1, 0x40000000), (RETURN, 0, 0, REFUSE)]
    for number in refused:
        # The C library tries clone3 first and takes clone when there is none.
        code += [(JUMP_IF_EQUAL, 0, 1, number), (RETURN, 0, 0, NOT_THERE if number == CLONE3 else REFUSE)]
    code += [(JUMP_IF_EQUAL, 0, 3, clone), (LOAD, 0, 0, 16), (JUMP_IF_SET, 1, 0, CLONE_THREAD), (RETURN, 0, 0, REFUSE), (RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("=HBBI", *step) for step in code)


# --- watching ----------------------------------------------------------------------------------------------------------

def descendants(pid: int) -> list[int]:
    found, todo = [], [pid]
    while todo:
        at = todo.pop()
        try:
            for task in os.listdir(f"/proc/{at}/task"):
                children = [int(n) for n in Path(f"/proc/{at}/task/{task}/children").read_text().split()]
                found += children
                todo += children
        except OSError:
            continue
    return found


class Activity(NamedTuple):
    asleep: bool                # does every thread sleep?
    ran: tuple[int, ...]        # what grows whenever one runs
    pages: int                  # in memory
    ticks: int                  # of processor time
    tasks: int


def activity(pids: list[int]) -> Activity:
    asleep, ran, pages, total, count = True, [], 0, 0, 0
    for pid in pids:
        try:
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            for task in os.listdir(f"/proc/{pid}/task"):
                count += 1
                parts = Path(f"/proc/{pid}/task/{task}/stat").read_text().rpartition(")")[2].split()
                asleep = asleep and parts[0] == "S"
                switches = [int(line.split()[1]) for line in Path(f"/proc/{pid}/task/{task}/status").read_text().splitlines()
                            if "ctxt_switches" in line]
                ticks = int(parts[11]) + int(parts[12])
                ran += [int(task), ticks, *switches]
                total += ticks
        except (OSError, ValueError, IndexError):
            asleep = False
    return Activity(asleep, tuple(ran), pages, total, count)


class Watch:
    """Says why a running program must be ended, or nothing."""

    def __init__(self, pid: int, limits: Limits, told: Callable[[float], None] | None) -> None:
        self.pid, self.limits, self.told = pid, limits, told
        self.start = self.moved = time.monotonic()
        self.ran: tuple[int, ...] = ()
        self.cpu = 0.0      # as far as it was seen
        self.looks = self.asleep = 0

    def verdict(self) -> str:
        now = time.monotonic()
        pids = descendants(self.pid)
        seen = activity(pids)
        self.cpu = max(self.cpu, seen.ticks / os.sysconf("SC_CLK_TCK"))
        if self.told:
            self.told(self.cpu)
        if seen.pages * resource.getpagesize() > self.limits.memory:
            return "memory"
        if seen.tasks > self.limits.processes:
            return "tasks"
        self.looks += 1
        self.asleep += bool(pids) and seen.asleep
        if not pids or not seen.asleep or seen.ran != self.ran:
            self.moved, self.ran = now, seen.ran
        if now - self.moved > self.limits.idle_seconds:
            return "idle"
        if now - self.start <= self.limits.wall_seconds:
            return ""
        # Threads that a slow host keeps waiting are ready to run. These sleep, and what wakes them is their own doing.
        return "restless" if self.asleep >= ASLEEP * self.looks else "wall"


def read_all(job: subprocess.Popen[bytes], channels: dict[int, str], limits: Limits, told: Callable[[float], None] | None) -> tuple[str, dict[str, bytes], float]:
    """Reads the channels until all are closed; ends the program if it must be. Why, what was read, processor time as seen."""
    got = {name: bytearray() for name in channels.values()}
    watch, why = Watch(job.pid, limits, told), ""
    with selectors.DefaultSelector() as selector:
        for descriptor, name in channels.items():
            selector.register(descriptor, selectors.EVENT_READ, name)
        looked = time.monotonic()
        while selector.get_map():
            for key, _ in selector.select(POLL_SECONDS):
                part = os.read(key.fd, 65536)
                if not part:
                    selector.unregister(key.fd)
                    continue
                room = limits.output - len(got[key.data])
                got[key.data] += part[:room]
                if len(part) > room and not why:
                    why = "output"
                    job.kill()
            if not why and time.monotonic() - looked > POLL_SECONDS:
                looked = time.monotonic()
                if why := watch.verdict():
                    job.kill()
    return why, {name: bytes(text) for name, text in got.items()}, watch.cpu


# --- running -----------------------------------------------------------------------------------------------------------

def bubblewrap(place: Place, check: bool) -> list[str]:
    program = shutil.which("bwrap")
    if not program:
        raise Failure("There is no bwrap here: install bubblewrap (`make setup` does)")
    command = [program, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--setenv", "PATH", "/usr/bin:/bin",
               "--setenv", "LANG", "C.UTF-8", "--hostname", "sandbox"]
    # The compiler needs its programs and headers, a check only the libraries it is linked with.
    for folder in ("lib", "lib64", "lib32", "libx32") + (() if check else ("bin", "libexec", "include", "share", "aarch64-linux-gnu")):
        if Path("/usr", folder).is_dir():
            command += ["--ro-bind", f"/usr/{folder}", f"/usr/{folder}"]
            if Path("/", folder).is_symlink():
                command += ["--symlink", f"usr/{folder}", f"/{folder}"]
    command += ["--proc", "/proc", "--dev", "/dev", "--size", str(64 * MIB), "--tmpfs", "/tmp"]
    for outside, inside in place.read:
        command += ["--ro-bind", str(outside), inside]
    for outside, inside in place.write:
        command += ["--bind", str(outside), inside]
    return command + ["--chdir", place.directory]


def limited(limits: Limits, user: int | None) -> list[str]:
    """prlimit's command line. (Limits set between fork and exec would make Python's threads and forks meet.) The kernel counts all processes of a
    user, those on a person's desktop too: without a user of its own only the watch counts."""
    command = ["prlimit", f"--cpu={limits.cpu_seconds}:{limits.cpu_seconds + 2}", f"--fsize={limits.file_size}", "--core=0",
               "--nofile=256"]
    command += [] if user is None else [f"--nproc={limits.processes}"]
    return command + ([f"--as={limits.address_space}"] if limits.address_space else [])


def at_descriptor(data: bytes) -> int:
    """A descriptor from which `data` is read."""
    descriptor = os.memfd_create("words")
    os.write(descriptor, data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def run(command: list[str], place: Place, limits: Limits, words: bytes | None = None, environment: dict[str, str] | None = None,
        given: tuple[int, ...] = (), told: Callable[[float], None] | None = None) -> Ended:
    """Runs a command inside. With `words` it is a check: the descriptors in WORDS and RECORDS read them and take records, few system calls are left.
    It has the descriptors in `given` too; `told` hears again and again how much processor time it has used."""
    check = words is not None
    opened: list[int] = []
    try:
        state_out, state_in = os.pipe()
        records_out, records_in = os.pipe()
        opened = [state_out, state_in, records_out, records_in]
        outer = bubblewrap(place, check) + ["--json-status-fd", str(state_in)]
        for name, value in (environment or {}).items():
            outer += ["--setenv", name, value]
        passed = [state_in, *given]
        if words is not None:
            words_at = at_descriptor(words)
            opened.append(words_at)
            passed += [words_at, records_in]
            if program := filter_program():
                filter_at = at_descriptor(program)
                opened.append(filter_at)
                passed.append(filter_at)
                outer += ["--seccomp", str(filter_at)]
            outer += ["--setenv", "WORDS", str(words_at), "--setenv", "RECORDS", str(records_in)]
        user = sandbox_user()
        if user is not None:
            for outside, _ in place.write:
                give(outside, user)
        job = subprocess.Popen([*limited(limits, user), *outer, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               pass_fds=passed, user=user, group=user, extra_groups=None if user is None else [])
        for descriptor in (state_in, records_in):
            os.close(descriptor)
            opened.remove(descriptor)
        assert job.stdout and job.stderr
        why, got, seen = read_all(job, {job.stdout.fileno(): "output", job.stderr.fileno(): "errors", records_out: "records", state_out: "state"}, limits, told)
        _, raw, used = os.wait4(job.pid, 0)
        job.returncode = os.waitstatus_to_exitcode(raw)
        job.stdout.close()
        job.stderr.close()
        return conclude(why, got, max(seen, used.ru_utime + used.ru_stime), limits)
    finally:
        for descriptor in opened:
            os.close(descriptor)


def conclude(why: str, got: dict[str, bytes], cpu: float, limits: Limits) -> Ended:
    ended = Ended(why or "exit", 0, got["output"], got["errors"], got["records"], cpu)
    if why:
        return ended
    # bubblewrap tells the program's own status here; nothing here means that there never was a program, or that it was killed from outside.
    status = next((value["exit-code"] for line in got["state"].splitlines() if "exit-code" in (value := json.loads(line))), None)
    if status == 1 and got["errors"].startswith(b"bwrap: "):    # it could not even start the program
        status = None
    if status is None or status == 128 + signal.SIGKILL:
        ended.why = "cpu" if cpu >= limits.cpu_seconds - 1 else "lost"
    elif status == 128 + signal.SIGXCPU:
        ended.why = "cpu"
    else:
        ended.status = status
    return ended
