#!/usr/bin/python3
"""`make trace CMD="..."`: runs the machine with the kernel's trace on and writes what happened.

    build/trace.json    for https://ui.perfetto.dev and chrome://tracing
    build/trace.html    one page that needs nothing else: open it in a browser

Takes the options of make run, and TRACE=N: how many records each core keeps (65536); OUT=DIR for the two files. With CMD the run is
one of ICOUNT=1, in which time is counted in instructions (ICOUNT=0: in the host's). The records are read from the stopped
machine's memory, so a run that panicked, hung or was left by Ctrl-A x has its trace too. The exit status is the run's.
"""
import html
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import console
import run
from machine import Failure, Options
from monitor import GuestMemory, Monitor
from programs import program_file
from symbols import KERNEL_HALF, Place, Symbols, places_in
from trace_file import Lane, Recording, Story, call_names, error_names, read_rings

TOOLS = Path(__file__).resolve().parent
TREE = TOOLS.parent
RECORDS = 65536
PROBE = "src/machine/trace.h"     # inlined into the code that is meant
CONTEXT = 3         # lines shown before and behind a source line


class Reader(console.Onlooker):
    """Takes the rings out of the machine when its run is over."""

    def __init__(self, socket: str, scratch: Path, symbols: Symbols) -> None:
        self.socket, self.scratch, self.symbols = socket, scratch, symbols
        self.monitor: Monitor | None = None
        self.recording = Recording()
        self.text: dict[int, str] = {}
        self.failure = ""

    def connected(self) -> Monitor:
        if not self.monitor:
            self.monitor = Monitor(self.socket)
        return self.monitor

    def stands_still(self) -> bool:
        return not self.connected().running()

    def look(self) -> None:
        try:
            monitor = self.connected()
            monitor.ask("stop")
            memory = GuestMemory(monitor, self.scratch)
            if "trace_buffers" not in self.symbols.address:
                raise Failure(f"{self.symbols.elf} has no trace: it was built from another tree")
            self.recording = read_rings(memory, self.symbols.address["trace_buffers"])
            names = {record.a for record in self.recording.records if record.kind in ("LockWait", "LockTaken", "ZoneGrow")}
            self.text = {address: memory.text(address) for address in names}
        except (Failure, OSError) as failure:
            self.failure = str(failure)


# --- places ------------------------------------------------------------------------------------------------

class Places:
    """What stands at each address that a span names: the function and the line."""

    def __init__(self, story: Story, kernel: Symbols, build: Path) -> None:
        self.number: dict[tuple[str, int], int] = {}
        self.list: list[Place] = [Place("")]
        wanted: dict[Path, dict[int, list[str]]] = {}
        for lane in story.lanes():
            name = lane.process.name if lane.process else ""
            for span in lane.spans:
                if not span.place:
                    continue
                elf = kernel.elf if span.place >= KERNEL_HALF else program_file(build, name)
                if elf:
                    wanted.setdefault(elf, {}).setdefault(span.place, []).append(name)
        for elf, addresses in wanted.items():
            # A kernel place is a return address: the call is just before it.
            back = 4 if elf == kernel.elf else 0
            found = places_in(elf, [address - back for address in addresses])
            for address, names in addresses.items():
                place = next((place for place in found.get(address - back, []) if place.file != PROBE), Place("?"))
                self.list.append(place)
                for name in names:
                    self.number[(name if not back else "", address)] = len(self.list) - 1

    def of(self, lane: Lane, address: int) -> int:
        name = lane.process.name if lane.process and address < KERNEL_HALF else ""
        return self.number.get((name, address), 0)


def excerpt(place: Place) -> str:
    try:
        lines = (TREE / place.file).read_text().splitlines() if place.file else []
    except OSError:
        lines = []
    first = max(place.line - 1 - CONTEXT, 0)
    return "\n".join(f"{'>' if number == place.line else ' '}{number:5} {line}"
                     for number, line in enumerate(lines[first:place.line + CONTEXT], first + 1))


# --- the two files -----------------------------------------------------------------------------------------

def chrome_events(story: Story, places: Places) -> dict:
    """The trace event format: a `process` for the cores, and one for each process."""
    processes = {None: 1} | {id(process): number for number, process in enumerate(story.processes, 2)}
    events: list[dict] = []
    tracks: dict[int, dict] = {}
    for lane in story.lanes():
        pid = processes[id(lane.process) if lane.process else None]
        tid = lane.thread if lane.process else int(lane.name.split()[-1]) + 1
        tracks[id(lane)] = {"pid": pid, "tid": tid}
        title = f"{lane.process.title()}" if lane.process else "cores"
        events += [{"ph": "M", "name": "process_name", "pid": pid, "args": {"name": title}},
                   {"ph": "M", "name": "process_sort_index", "pid": pid, "args": {"sort_index": pid}},
                   {"ph": "M", "name": "thread_name", "pid": pid, "tid": tid, "args": {"name": lane.name}}]
        for span in lane.spans:
            where = places.list[places.of(lane, span.place)]
            event = {"name": span.label, "cat": span.category, "ts": (span.start - story.start) / 1000, "pid": pid, "tid": tid,
                     "args": {key: value for key, value in (("fields", span.fields), ("source", str(where))) if value}}
            if span.end == span.start:
                event |= {"ph": "i", "s": "t"}
            else:
                event |= {"ph": "X", "dur": (span.end - span.start) / 1000}
            events.append(event)
    for number, flow in enumerate(story.flows):
        common = {"name": flow.kind, "cat": "flow", "id": number, "ts": (flow.time - story.start) / 1000}
        events += [common | {"ph": "s"} | tracks[id(flow.source)], common | {"ph": "f", "bp": "e"} | tracks[id(flow.target)]]
    return {"displayTimeUnit": "ns", "traceEvents": events,
            "otherData": {"records": len(story.recording.records), "lost_by_core": story.recording.lost}}


class Table:
    """Strings by number: most labels repeat."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, text: str) -> int:
        return self.numbers.setdefault(text, len(self.numbers))


def page_data(story: Story, places: Places, what: str, note: str, out: Path) -> dict:
    strings = Table()
    numbers = {id(lane): number for number, lane in enumerate(story.lanes())}
    processes = {id(process): number for number, process in enumerate(story.processes)}
    lanes = []
    for lane in story.lanes():
        columns = {"start": [], "length": [], "category": [], "label": [], "place": [], "fields": [], "open": []}
        for span in lane.spans:
            for name, value in (("start", span.start - story.start), ("length", span.end - span.start),
                                ("category", strings.number(span.category)), ("label", strings.number(span.label)),
                                ("place", places.of(lane, span.place)), ("fields", strings.number(span.fields)), ("open", int(span.open))):
                columns[name].append(value)
        lanes.append({"name": lane.name, "process": processes[id(lane.process)] if lane.process else -1, "thread": lane.thread,
                      **columns})
    return {
        "what": what, "note": note, "end": story.end - story.start, "records": len(story.recording.records),
        "lost": story.recording.lost, "wholeFrom": max(story.recording.whole_from - story.start, 0) if any(story.recording.lost) else 0,
        "strings": list(strings.numbers), "lanes": lanes,
        "processes": [{"title": process.title(), "pid": process.pid,
                       "parent": processes[id(process.parent)] if process.parent else -1} for process in story.processes],
        "flows": [[flow.time - story.start, flow.kind, numbers[id(flow.source)], numbers[id(flow.target)]] for flow in story.flows],
        "places": [[place.function, place.file, place.line, excerpt(place)] for place in places.list],
        "root": os.path.relpath(TREE, out.resolve()),
    }


def embedded(data: dict) -> str:
    """JSON that may stand in a script element."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def page_of(data: dict) -> str:
    page = (TOOLS / "trace_page.html").read_text()
    return page.replace("@TITLE@", html.escape(f"Forklore: {data['what']}")).replace("@DATA@", embedded(data))


def write(reader: Reader, options: Options, note: str) -> None:
    out = Path(run.text("OUT") or options.build)
    story = Story(reader.recording, call_names(TREE / "src/abi/forklore.h"), error_names(TREE / "src/base/errors.h"), reader.text)
    places = Places(story, reader.symbols, options.build)
    with (out / "trace.json").open("w") as file:
        json.dump(chrome_events(story, places), file, separators=(",", ":"))
    what = options.cmd if options.cmd is not None else "a session"
    (out / "trace.html").write_text(page_of(page_data(story, places, what, note, out)))
    lost = sum(reader.recording.lost)
    run.say(f"trace: {len(reader.recording.records)} records, {len(story.processes)} processes; {out}/trace.html and trace.json"
            + (f"; {lost} older records were overwritten: TRACE={2 * (lost // 2 + RECORDS)} keeps more" if lost else "")
            + (f"; {note}" if note else ""))


def trace() -> int:
    options = run.options_from_environment()
    records = run.number("TRACE", 1) or RECORDS
    options.icount |= options.cmd is not None and not run.text("ICOUNT")
    options.args = f"{options.args} trace={records}"
    elf = Path(options.kernel).with_suffix(".elf") if options.kernel else options.build / "kernel" / "kernel8.elf"
    if not elf.is_file():
        raise Failure(f"There is no {elf}: the trace is found by its symbols")
    scratch = Path(tempfile.mkdtemp(prefix="forklore-trace-"))
    try:
        socket = f"{scratch}/monitor"
        # The machine that is switched off, or that panicked, stays to be looked at.
        options.extra = ["-qmp", f"unix:{socket},server=on,wait=off", "-no-shutdown"]
        reader = Reader(socket, scratch, Symbols(elf))
        status = run.run(options, reader)
        if reader.failure:
            raise Failure(f"trace: {reader.failure}")
        notes = {run.PANICKED: "the kernel panicked: the trace ends there", run.TIMED_OUT: "the run did not end by itself"}
        write(reader, options, notes.get(status, ""))
        return status
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    run.arguments_to_environment(__doc__)
    sys.exit(run.guarded(trace))
