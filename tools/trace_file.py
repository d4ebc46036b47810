"""A trace as the kernel left it in memory (src/machine/trace.h), and what it means: lanes of spans.

`read_rings` gives the records; `Story` turns them into lanes. A ring that overflowed says how many records it lost; what is not
known because of that is left out, not guessed.
"""
import re
import struct
from dataclasses import dataclass, field
from pathlib import Path

from machine import Failure
from monitor import GuestMemory

MAGIC = 0x3165636172744c46
CORES = 4
RECORD = struct.Struct("<QIIQQQ")
HEADER = struct.Struct("<QQQ")
RING = struct.Struct("<QQQQ")       # of each core, behind the header
KINDS = ["", "Gather", "State", "Publish", "Exec", "Text", "Gone", "Switch", "CallEnter", "CallLeave", "Fault", "LockWait",
         "LockTaken", "ZoneGrow"]
STATES = ["Creating", "Running", "Stopped", "Exiting", "Zombie"]
DEAD = 5                # ThreadState::Dead
KERNEL_HALF = 1 << 63


@dataclass(slots=True)
class Record:
    time: int
    core: int
    thread: int
    pid: int
    kind: str
    place: int
    a: int
    b: int


@dataclass
class Recording:
    records: list[Record] = field(default_factory=list)
    lost: list[int] = field(default_factory=list)       # of each core
    whole_from: int = 0     # before this time some core's records are gone


def read_rings(memory: GuestMemory, buffers: int) -> Recording:
    magic, record_size, capacity = HEADER.unpack(memory.read(buffers, HEADER.size))
    if magic != MAGIC or record_size != RECORD.size:
        raise Failure("There is no trace in the guest's memory that this tool can read: was the kernel built from this tree?")
    found = Recording()
    for core in range(CORES):
        start, _, written, _ = RING.unpack(memory.read(buffers + HEADER.size + RING.size * core, RING.size))
        kept = min(written, capacity)
        found.lost.append(written - kept)
        data = memory.read(start, kept * RECORD.size) if kept else b""
        oldest = written % capacity if written > capacity else 0
        data = data[oldest * RECORD.size:] + data[:oldest * RECORD.size]
        records = [Record(time, core, thread, who & 0xffffff, KINDS[who >> 24] if who >> 24 < len(KINDS) else "", place, a, b)
                   for time, thread, who, place, a, b in RECORD.iter_unpack(data)]
        if written > kept:
            found.whole_from = max(found.whole_from, records[0].time)
        found.records += records
    found.records.sort(key=lambda record: record.time)      # stable: a core's records keep their order
    return found


def call_names(abi: Path) -> dict[int, str]:
    return {int(number): name for name, number in re.findall(r"^\s+SYS_(\w+) = (\d+),", abi.read_text(), re.M) if name != "COUNT"}


def error_names(header: Path) -> dict[int, str]:
    return {int(number): name for number, name in re.findall(r"= (\d+),\s*// (E\w+)", header.read_text())}


# --- lanes ----------------------------------------------------------------------------------------------

@dataclass(slots=True)
class Span:
    """Something that lasted; an instant if `end` is `start`. `open`: it had not ended when the trace did."""
    start: int
    end: int
    category: str
    label: str
    place: int = 0
    fields: str = ""
    open: bool = False


@dataclass
class Lane:
    name: str
    process: "Process | None" = None        # none: a core
    thread: int = 0                         # 0: the process's life, or a core
    spans: list[Span] = field(default_factory=list)


@dataclass
class Process:
    """One life of a number: the number may have several owners in turn."""
    pid: int
    born: int
    name: str = "?"
    parent: "Process | None" = None
    state: str = ""             # "" if its beginning is not in the trace
    state_since: int = 0
    gone: int | None = None
    life: Lane = field(init=False)
    lanes: dict[int, Lane] = field(default_factory=dict)    # by thread

    def __post_init__(self) -> None:
        self.life = Lane("life", self)
        self.state_since = self.born

    def title(self) -> str:
        return f"{self.name} ({self.pid})"


@dataclass
class Flow:
    """An arrow: a child is made, a thread is lent, a thread comes home."""
    time: int
    kind: str
    source: Lane
    target: Lane


@dataclass
class Call:
    number: int
    start: int
    argument: int
    place: int


@dataclass
class ThreadStory:
    tid: int
    process: Process | None = None
    since: int = 0              # as this process
    lender: Process | None = None
    lent_since: int = 0
    calls: list[Call] = field(default_factory=list)
    wait: Record | None = None


@dataclass
class CoreStory:
    lane: Lane
    thread: int = 0
    process: Process | None = None
    since: int | None = None    # none: idle, or not known


class Story:
    """Reads the records in order of time and keeps what each process, thread and core is at."""

    def __init__(self, recording: Recording, names: dict[int, str], errors: dict[int, str], text: dict[int, str]) -> None:
        self.recording, self.call_name, self.error_name, self.text = recording, names, errors, text
        records = recording.records
        self.start = records[0].time if records else 0
        self.end = records[-1].time if records else 0
        self.processes: list[Process] = []
        self.alive: dict[int, Process] = {}
        self.threads: dict[int, ThreadStory] = {}
        self.cores = [CoreStory(Lane(f"core {core}")) for core in range(CORES)]
        self.flows: list[Flow] = []
        self.named: dict[int, Process] = {}     # by core: whose name the next Text is
        for record in records:
            self.tell(record)
        self.finish()

    # -- who is who --

    def process_of(self, pid: int, time: int) -> Process:
        if pid not in self.alive:
            process = Process(pid, time, name="kernel" if pid == 0 else "?")
            process.state = "Running"
            self.alive[pid] = process
            self.processes.append(process)
        return self.alive[pid]

    def lane_of(self, process: Process, thread: int) -> Lane:
        if thread not in process.lanes:
            process.lanes[thread] = Lane(f"thread {thread}", process, thread)
        return process.lanes[thread]

    def lanes(self) -> list[Lane]:
        return [core.lane for core in self.cores] + [lane for process in self.processes
                                                     for lane in (process.life, *process.lanes.values())]

    def spans(self) -> int:
        return sum(len(lane.spans) for lane in self.lanes())

    # -- one record --

    def tell(self, record: Record) -> None:
        thread = self.threads.setdefault(record.thread, ThreadStory(record.thread))
        if record.pid != 0:
            self.acts_as(thread, record)
        if handler := getattr(self, "on_" + record.kind.lower(), None):
            handler(record, thread)

    def acts_as(self, thread: ThreadStory, record: Record) -> None:
        """The record's process is who the thread acts as from now on: a change is a loan, or its end."""
        process = self.process_of(record.pid, record.time)
        before = thread.process
        if before is process:
            return
        if before is None:
            thread.process, thread.since = process, record.time
        elif before.parent is process or thread.lender is process:
            self.comes_home(thread, process, record.time)
        else:
            self.is_lent(thread, process, record.time)
        core = self.cores[record.core]
        if core.thread == record.thread and core.since is not None:
            self.leave_core(core, record.time)
            core.process, core.since = process, record.time

    def is_lent(self, thread: ThreadStory, child: Process, time: int) -> None:
        lender = thread.process
        assert lender
        self.move_calls(thread, lender, child, time)
        self.flows.append(Flow(time, "lend", self.lane_of(lender, thread.tid), self.lane_of(child, thread.tid)))
        thread.lender, thread.lent_since = lender, time
        thread.process, thread.since = child, time

    def comes_home(self, thread: ThreadStory, lender: Process, time: int) -> None:
        child = thread.process
        assert child
        self.lane_of(child, thread.tid).spans.append(
            Span(thread.since, time, "loan", f"on loan from {lender.title()}", 0, f"thread {thread.tid}"))
        if thread.lender is lender:
            self.lane_of(lender, thread.tid).spans.append(
                Span(thread.lent_since, time, "lent", f"lent to {child.title()}", 0, f"thread {thread.tid}"))
        self.move_calls(thread, child, lender, time)
        self.flows.append(Flow(time, "return", self.lane_of(child, thread.tid), self.lane_of(lender, thread.tid)))
        thread.lender = None
        thread.process, thread.since = lender, time

    def move_calls(self, thread: ThreadStory, before: Process, after: Process, time: int) -> None:
        """A call that is under way when the thread changes sides is drawn in two parts."""
        for call in thread.calls:
            self.lane_of(before, thread.tid).spans.append(
                Span(call.start, time, "call", self.name_of(call.number), call.place,
                     f"argument {call.argument:#x}; goes on as {after.title()}"))
            call.start = time

    def name_of(self, number: int) -> str:
        return self.call_name.get(number, f"call {number}")

    # -- process life --

    def on_gather(self, record: Record, thread: ThreadStory) -> None:
        process = Process(record.a, record.time)
        process.state = "Creating"
        process.name = thread.process.name if thread.process else "?"
        self.alive[record.a] = process
        self.processes.append(process)

    def on_state(self, record: Record, thread: ThreadStory) -> None:
        process = self.process_of(record.a, record.time)
        after = record.b >> 8 & 0xff
        label = STATES[after] if after < len(STATES) else f"state {after}"
        self.end_state(process, record.time)
        if process.state == "Creating":
            process.life.spans.append(Span(record.time, record.time, "life", "commit", record.place))
        process.state, process.state_since = label, record.time
        if label == "Zombie":
            process.life.spans.append(Span(record.time, record.time, "life", "zombie", record.place,
                                           f"wait status {record.b >> 16:#x}"))

    def end_state(self, process: Process, time: int) -> None:
        if process.state:
            label = "gather" if process.state == "Creating" else process.state.lower()
            process.life.spans.append(Span(process.state_since, time, "state", label, 0, ""))

    def on_publish(self, record: Record, thread: ThreadStory) -> None:
        process, parent = self.process_of(record.a, record.time), self.process_of(record.b, record.time)
        process.parent = parent
        if process.name == "?":
            process.name = parent.name
        process.life.spans.append(Span(record.time, record.time, "life", "publish", record.place, f"child of {parent.title()}"))
        # On loan the making thread already acts as the child; the lend is the arrow then.
        if thread.process is not process:
            self.flows.append(Flow(record.time, "fork", self.lane_of(parent, record.thread) if thread.process is parent else parent.life,
                                   process.life))

    def on_exec(self, record: Record, thread: ThreadStory) -> None:
        self.named[record.core] = self.process_of(record.a, record.time)

    def on_text(self, record: Record, thread: ThreadStory) -> None:
        if process := self.named.pop(record.core, None):
            text = struct.pack("<QQ", record.a, record.b).split(b"\0")[0].decode("ascii", "replace")
            process.life.spans.append(Span(record.time, record.time, "life", f"exec {text}", record.place, f"was {process.name}"))
            process.name = text

    def on_gone(self, record: Record, thread: ThreadStory) -> None:
        process = self.process_of(record.a, record.time)
        self.end_state(process, record.time)
        label = "reaped" if process.state == "Zombie" else "undone"
        by = f"by {thread.process.title()}" if thread.process else ""
        process.life.spans.append(Span(record.time, record.time, "life", label, record.place, by))
        process.gone, process.state = record.time, ""
        self.alive.pop(record.a, None)

    # -- threads and cores --

    def leave_core(self, core: CoreStory, time: int) -> None:
        if core.since is None:
            return
        label = core.process.title() if core.process else f"thread {core.thread}"
        core.lane.spans.append(Span(core.since, time, "run", label, 0, f"thread {core.thread}"))
        if core.process:
            self.lane_of(core.process, core.thread).spans.append(Span(core.since, time, "cpu", core.lane.name))

    def on_switch(self, record: Record, thread: ThreadStory) -> None:
        core = self.cores[record.core]
        if core.since is None and core.thread == 0 and record.thread != 0 and record.pid != 0:
            core.since, core.thread, core.process = self.start, record.thread, thread.process    # it ran when the trace began
        self.leave_core(core, record.time)
        next_pid, left, to_idle = record.b & 0xffffffff, record.b >> 32 & 0xff, record.b >> 40 & 0xff
        if left == DEAD:
            self.end_thread(thread, record.time)
        core.thread = record.a & 0xffffffff
        core.since = None if to_idle else record.time
        core.process = self.process_of(next_pid, record.time) if next_pid else None
        if core.process:
            incoming = self.threads.setdefault(core.thread, ThreadStory(core.thread))
            self.acts_as(incoming, Record(record.time, record.core, core.thread, next_pid, "", 0, 0, 0))

    def end_thread(self, thread: ThreadStory, time: int, still: bool = False) -> None:
        if not thread.process:
            return
        lane = self.lane_of(thread.process, thread.tid)
        for call in thread.calls:
            lane.spans.append(Span(call.start, time, "call", self.name_of(call.number), call.place,
                                   f"argument {call.argument:#x}; does not return", still))
        if thread.wait:
            lane.spans.append(self.wait_span(thread.wait, time, still))
        if thread.lender:
            lane.spans.append(Span(thread.since, time, "loan", f"on loan from {thread.lender.title()}", 0, f"thread {thread.tid}", still))
            self.lane_of(thread.lender, thread.tid).spans.append(
                Span(thread.lent_since, time, "lent", f"lent to {thread.process.title()}", 0, f"thread {thread.tid}", still))
        thread.calls, thread.wait, thread.process, thread.lender = [], None, None, None

    def on_callenter(self, record: Record, thread: ThreadStory) -> None:
        thread.calls.append(Call(record.a, record.time, record.b, record.place))

    def on_callleave(self, record: Record, thread: ThreadStory) -> None:
        if not thread.calls or not thread.process:
            return      # its beginning is lost
        call = thread.calls.pop()
        result = record.b - (1 << 64) if record.b >> 63 else record.b
        said = f"{result:#x}" if result > 9999 else str(result)
        if -4096 < result < 0:
            said = f"-{self.error_name.get(-result, -result)}"
        self.lane_of(thread.process, thread.tid).spans.append(
            Span(call.start, record.time, "call", self.name_of(call.number), call.place, f"argument {call.argument:#x}, result {said}"))

    def lane_here(self, record: Record, thread: ThreadStory) -> Lane:
        if thread.process:
            return self.lane_of(thread.process, thread.tid)
        return self.cores[record.core].lane

    def on_fault(self, record: Record, thread: ThreadStory) -> None:
        who = "in the kernel, for the program" if record.place >= KERNEL_HALF else "in the program"
        write = " of a write" if record.b >> 6 & 1 else ""
        self.lane_here(record, thread).spans.append(
            Span(record.time, record.time, "fault", "fault", record.place, f"address {record.a:#x}{write}, {who}; ESR {record.b:#x}"))

    def on_lockwait(self, record: Record, thread: ThreadStory) -> None:
        thread.wait = record

    def wait_span(self, wait: Record, end: int, still: bool = False) -> Span:
        return Span(wait.time, end, "lock", f"wait for {self.text.get(wait.a, hex(wait.a))}", wait.place, f"lock at {wait.b:#x}", still)

    def on_locktaken(self, record: Record, thread: ThreadStory) -> None:
        if thread.wait:
            self.lane_here(record, thread).spans.append(self.wait_span(thread.wait, record.time))
            thread.wait = None

    def on_zonegrow(self, record: Record, thread: ThreadStory) -> None:
        self.lane_here(record, thread).spans.append(
            Span(record.time, record.time, "zone", f"zone {self.text.get(record.a, hex(record.a))} grows", record.place, f"{record.b} pages"))

    # -- the end --

    def finish(self) -> None:
        """What was under way when the trace ended is drawn up to there, and marked."""
        for core in self.cores:
            self.leave_core(core, self.end)
        for thread in self.threads.values():
            self.end_thread(thread, self.end, still=True)
        for process in self.alive.values():
            if process.state:
                self.end_state(process, self.end)
                process.life.spans[-1].open = True
        for lane in self.lanes():
            lane.spans.sort(key=lambda span: (span.start, -span.end))
