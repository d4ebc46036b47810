"""The wire between a terminal and the guest's console: relays bytes, watches for the kernel's last line."""
import ctypes
import os
import re
import select
import signal
import subprocess
import sys
import termios
import time
import tty
from dataclasses import dataclass

VERDICT = re.compile(rb"forklore: (power off|panic), status (\d+)\s*")
VERDICT_START = b"forklore: "
CTRL_A, CTRL_D = 0x01, 0x04
GRACE_SECONDS = 5           # from the kernel's last line to QEMU's end


@dataclass
class Ending:
    """How a run ended. `status` is the guest's, or None if it gave none."""
    status: int | None = None
    panicked: bool = False
    left: bool = False          # the user typed Ctrl-A x
    dead: str = ""              # why the guard ended the run
    qemu: int | None = None     # QEMU's exit status


class Watcher:
    """Passes output on, but for the verdict when it is what ends the run."""

    def __init__(self, filtering: bool) -> None:
        self.filtering = filtering
        self.pending = b""
        self.line = b""
        self.ending = Ending()

    def feed(self, data: bytes) -> bytes:
        """What to show now."""
        self.note(data)
        if not self.filtering:
            return data
        self.pending = (self.pending + data).replace(b"\r\n", b"\n")
        keep = self.held_back()
        shown, self.pending = self.pending[:len(self.pending) - keep], self.pending[len(self.pending) - keep:]
        return shown

    def note(self, data: bytes) -> None:
        """Remembers the last verdict; anything printed after it makes it void."""
        self.line = (self.line + data)[-4096:]
        last = None
        for last in VERDICT.finditer(self.line):
            pass
        if last and not self.line[last.end():].strip():
            self.ending.status, self.ending.panicked = int(last[2]), last[1] == b"panic"
        else:
            self.ending.status, self.ending.panicked = None, False

    def held_back(self) -> int:
        """How many bytes at the end may be the verdict, whole or in part."""
        at = self.pending.rfind(VERDICT_START)
        if at >= 0:
            rest = self.pending[at:]
            whole = VERDICT.match(rest)
            possible = whole.end() == len(rest) if whole else b"\n" not in rest
            return len(rest) if possible else self.partial_start()
        return self.partial_start()

    def partial_start(self) -> int:
        for length in range(min(len(VERDICT_START) - 1, len(self.pending)), 0, -1):
            if self.pending.endswith(VERDICT_START[:length]):
                return length
        # A carriage return may be the first half of a line end.
        return 1 if self.pending.endswith(b"\r") else 0

    def rest(self) -> bytes:
        """What is still held back when the run is over: all but a power-off line."""
        match = VERDICT.search(self.pending)
        return b"" if match and match[1] == b"power off" else self.pending


class Guard:
    """Ends a run whose kernel is dead: the guest's own timeout should long have ended it.

    Time alone proves nothing on a busy host. The kernel is dead if QEMU has used far more processor time
    than the guest's seconds can need, or has slept on well after them.
    """

    def __init__(self, pid: int, guest_seconds: int, icount: bool) -> None:
        margin = int(os.environ.get("FORKLORE_GUARD_MARGIN") or 60)
        self.pid = pid
        self.start = time.monotonic()
        self.wall = guest_seconds + margin
        self.cpu = guest_seconds * (6 if icount else 2) + margin
        self.idle = min(margin, 20)
        self.idle_since: float | None = None
        self.last_cpu = 0.0

    def cpu_seconds(self) -> float:
        try:
            with open(f"/proc/{self.pid}/stat", encoding="ascii", errors="replace") as file:
                fields = file.read().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError, IndexError):
            return 0.0

    def verdict(self) -> str:
        now, used = time.monotonic(), self.cpu_seconds()
        if used > self.cpu:
            return f"QEMU has used {used:.0f} s of processor time"
        if used - self.last_cpu > 0.05:
            self.idle_since = None
        elif self.idle_since is None:
            self.idle_since = now
        self.last_cpu = used
        if now - self.start > self.wall and self.idle_since is not None and now - self.idle_since > self.idle:
            return f"nothing has happened for {now - self.idle_since:.0f} s"
        return ""


def write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data):]


def end_with_parent() -> None:
    """In the child, before QEMU: whatever ends this tool, even SIGKILL, ends the machine too (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Onlooker:
    """Who looks at the machine when its run is over, however it ended, and before QEMU goes."""

    def stands_still(self) -> bool:
        return False

    def look(self) -> None:
        pass


def relay(command: list[str], filtering: bool, keyboard: int | None, guard_seconds: int, icount: bool,
          onlooker: Onlooker | None = None) -> Ending:
    """Runs QEMU with the guest's console on our standard output; `keyboard` is typed into it."""
    watcher = Watcher(filtering)
    job = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
                           preexec_fn=end_with_parent)
    saved = None
    try:
        if keyboard is not None and os.isatty(keyboard) and not filtering:
            saved = termios.tcgetattr(keyboard)
            tty.setraw(keyboard)
        guard = Guard(job.pid, guard_seconds, icount) if guard_seconds else None
        pump(job, watcher, keyboard, guard, onlooker)
    finally:
        if saved is not None and keyboard is not None:
            termios.tcsetattr(keyboard, termios.TCSADRAIN, saved)
        if onlooker and job.poll() is None:
            onlooker.look()
        if job.poll() is None:
            if watcher.ending.status is None:
                watcher.ending.qemu = -signal.SIGKILL
            job.kill()
        job.wait()
    if watcher.ending.qemu is None:
        watcher.ending.qemu = job.returncode
    sys.stdout.buffer.write(watcher.rest())
    sys.stdout.buffer.flush()
    return watcher.ending


def pump(job: subprocess.Popen, watcher: Watcher, keyboard: int | None, guard: Guard | None, onlooker: Onlooker | None) -> None:
    assert job.stdin and job.stdout
    guest_out, guest_in = job.stdout.fileno(), job.stdin.fileno()
    escaped = False
    ended_at: float | None = None
    spoke = False       # a byte that comes while the kernel takes the serial port over may be lost: nothing is typed before its first word
    while True:
        sources = [guest_out] + ([keyboard] if keyboard is not None and spoke else [])
        ready, _, _ = select.select(sources, [], [], 0.1 if onlooker and ended_at is not None else 1.0)
        if guest_out in ready:
            data = os.read(guest_out, 65536)
            if not data:
                return
            spoke = True
            write_all(sys.stdout.fileno(), watcher.feed(data))
            ended_at = time.monotonic() if watcher.ending.status is not None else None
        if keyboard in ready and keyboard is not None:
            typed = os.read(keyboard, 4096)
            if not typed:
                # A file or pipe is used up: the end of input, as a terminal says it.
                keyboard, typed = None, bytes([CTRL_D])
            else:
                typed, escaped, leave = commands(typed, escaped)
                if leave:
                    watcher.ending.left = True
                    return
            try:
                write_all(guest_in, typed)
            except BrokenPipeError:
                keyboard = None
        if ended_at is not None and (time.monotonic() - ended_at > GRACE_SECONDS or (onlooker and onlooker.stands_still())):
            return
        if guard and not ready:
            watcher.ending.dead = guard.verdict()
            if watcher.ending.dead:
                return


def commands(typed: bytes, escaped: bool) -> tuple[bytes, bool, bool]:
    """Ctrl-A x leaves, Ctrl-A twice types one; returns what is left to type, the new state, and leave."""
    out = bytearray()
    for byte in typed:
        if escaped:
            escaped = False
            if byte in b"xX":
                return bytes(out), False, True
            out.append(byte)
        elif byte == CTRL_A:
            escaped = True
        else:
            out.append(byte)
    return bytes(out), escaped, False
