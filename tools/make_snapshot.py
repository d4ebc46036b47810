#!/usr/bin/python3
"""`make snapshot CMD="..."`: stops the guest and draws its objects: build/snapshot.html, one page with nothing from elsewhere.

    AT=FUNCTION or AT=FUNCTION:N    where: at the Nth call of a kernel function (begin_exit, so that the first process to end is
                                    still whole); a panic stops it before that

Proc, Task, Thread and UThread with their arrows, zones as maps of their elements, the pages of parent and child side by side. A
kernel that is not sound is drawn as far as it is; the page begins with what is not. Options of make run.
"""
import html
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import run
from debug import free_port, gdb_command, start_machine
from machine import Failure

AT = "begin_exit"
BOX, GAP, ROW = 150, 44, 58
STYLE = """
body { font: 14px system-ui, sans-serif; margin: 24px; color: #1f2328; max-width: 1250px }
h2 { margin: 26px 0 6px } .soft { color: #667 } .bad { color: #a33 } td, th { padding: 1px 8px; text-align: left; font-variant-numeric: tabular-nums }
svg { max-width: 100%; height: auto } text { font: 12px system-ui, sans-serif } .name { font-weight: 600 }
.map { font: 11px monospace; display: flex; gap: 14px; align-items: center; flex-wrap: wrap }
.key i { display: inline-block; width: 12px; height: 12px; margin: 0 4px 0 12px; border-radius: 2px; border: 1px solid #999 }
"""
PAGES = {"shared": ("#9cc3f0", "shared with intent"), "cow": ("#f6d47a", "the same page, copied on the next write"),
         "same": ("#bfe0bf", "the same page, which nobody may write"), "own": ("#f2b8b0", "a copy of its own"), "only": ("#fff", "on one side only")}
STATES = {"Creating": "#f0a860", "Running": "#c9ecd0", "Stopped": "#d8d8e0", "Exiting": "#edc9c9", "Zombie": "#c3c3cb"}


class Drawing:
    """SVG, piece by piece."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.width, self.height = 0, 0

    def box(self, x: int, y: int, name: str, lines: list[str], colour: str) -> None:
        self.parts.append(f'<rect x="{x}" y="{y}" width="{BOX}" height="{ROW - 12}" rx="6" fill="{colour}" stroke="#567"/>'
                          f'<text class="name" x="{x + 8}" y="{y + 15}">{html.escape(name)}</text>')
        self.parts += [f'<text x="{x + 8}" y="{y + 29 + 12 * i}" fill="#445" style="font-size:10.5px">{html.escape(line)}</text>'
                       for i, line in enumerate(lines)]
        self.width, self.height = max(self.width, x + BOX + 20), max(self.height, y + ROW)

    def arrow(self, path: str, colour: str = "#456", dash: str = "") -> None:
        extra = f' stroke-dasharray="{dash}"' if dash else ""
        self.parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.6" marker-end="url(#tip)"{extra}/>')

    def svg(self, label: str) -> str:
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {self.height}" width="{self.width}" height="{self.height}" '
                f'role="img" aria-label="{html.escape(label)}"><defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
                f'markerHeight="7" orient="auto"><path d="M0 0 10 5 0 10z" fill="#456"/></marker></defs>{"".join(self.parts)}</svg>')


def objects_picture(processes: list[dict]) -> str:
    """A row a process, one more for each further thread: Proc, Task, Thread, UThread."""
    drawing = Drawing()
    columns = [30 + i * (BOX + GAP) for i in range(4)]
    row_of, thread_row = {}, {}
    row = 0
    for process in processes:
        row_of[process["pid"]] = row
        for i, thread in enumerate(process["threads"]):
            thread_row[thread["tid"]] = row + i
        row += max(len(process["threads"]), 1)
    for process in processes:
        y = 10 + row_of[process["pid"]] * ROW
        middle = y + (ROW - 12) // 2
        lent = f", lends {process['loans']}" if process["loans"] else ""
        drawing.box(columns[0], y, f"Proc {process['pid']}", [f"{process['name']}, {process['state']}{lent}", process["at"]],
                    STATES.get(process["state"], "#f88"))
        if process["parent"] in row_of:
            above = 10 + row_of[process["parent"]] * ROW + (ROW - 12) // 2 + 8
            drawing.arrow(f"M{columns[0]} {middle - 8} H{columns[0] - 14} V{above} H{columns[0]}", "#999")
        if process["task"]:
            drawing.box(columns[1], y, "Task", [f"{len(process['pages'])} pages, {len(process['threads'])} threads", process["task"]], "#e8eefb")
            drawing.arrow(f"M{columns[0] + BOX} {middle} H{columns[1]}")
        if process["lent_thread"] in thread_row:
            # The child has no task: it borrows the whole row of the lender's thread.
            there = 10 + thread_row[process["lent_thread"]] * ROW + ROW - 12
            drawing.arrow(f"M{columns[0] + BOX} {middle} H{columns[2] + 40} V{there}", "#b07d00", "5 3")
            drawing.parts.append(f'<text x="{columns[0] + BOX + 8}" y="{middle - 5}" fill="#b07d00">lent_thread</text>')
        for i, thread in enumerate(process["threads"]):
            top = y + i * ROW
            core = f", core {thread['core']}" if thread["core"] >= 0 else ""
            drawing.box(columns[2], top, f"Thread {thread['tid']}", [f"{thread['state']}{core}", thread["at"]], "#eef6ee")
            drawing.arrow(f"M{columns[1] + BOX} {middle} L{columns[2]} {top + (ROW - 12) // 2}")
            if thread["uthread"]:
                drawing.box(columns[3], top, "UThread", [f"mask {thread['mask']:#x}, pending {thread['pending']:#x}", thread["uthread"]], "#fbf3e4")
                drawing.arrow(f"M{columns[2] + BOX} {top + (ROW - 12) // 2} H{columns[3]}")
            if thread["lent_to"] in row_of:
                child = 10 + row_of[thread["lent_to"]] * ROW + ROW - 12
                right = columns[3] + BOX + 26
                drawing.arrow(f"M{columns[3] + BOX} {top + 14} H{right} V{child + 4} H{columns[0] + 60} V{child}", "#b07d00")
                drawing.parts.append(f'<text x="{right - 24}" y="{top + 9}" fill="#b07d00">loan</text>')
                drawing.width, drawing.height = max(drawing.width, right + 20), max(drawing.height, child + 12)
    return drawing.svg("Processes, tasks, threads and their Unix halves") if processes else "<p>No process could be found.</p>"


def zones_picture(zones: list[dict]) -> str:
    parts = []
    for zone in zones:
        if not zone["slabs"]:
            continue
        maps = "".join(f'<span title="{slab}">{marks.replace("#", "█").replace(".", "░")}</span>' for slab, marks in zone["slabs"][:24])
        more = f"<span>and {len(zone['slabs']) - 24} more</span>" if len(zone["slabs"]) > 24 else ""
        parts.append(f"<tr><td>{html.escape(zone['name'])}</td><td>{zone['size']}</td><td>{zone['live']}</td>"
                     f'<td><div class="map">{maps}{more}</div></td></tr>')
    return ("<table><tr><th>zone</th><th>bytes</th><th>live</th><th>pages (█ in use, ░ free)</th></tr>" + "".join(parts) + "</table>"
            if parts else "<p>No zone could be read: a zone.cpp of another make keeps its elements otherwise.</p>")


def relation(ours: dict | None, theirs: dict | None) -> str:
    if not ours or not theirs:
        return "only"
    if ours["frame"] != theirs["frame"]:
        return "own"
    return "shared" if ours["shared"] and theirs["shared"] else "cow" if ours["cow"] or theirs["cow"] else "same"


def cell(page: dict | None, kind: str) -> str:
    if not page:
        return "<td></td>"
    rights = "r" + ("w" if page["write"] else "-") + ("x" if page["execute"] else "-")
    return f'<td style="background:{PAGES[kind][0]}">{page["frame"]:#x} {rights} {page["references"]}×</td>'


def pages_picture(parent: dict, child: dict) -> str:
    ours, theirs = ({page["address"]: page for page in one["pages"]} for one in (parent, child))
    heading = f"<h3>{html.escape(parent['name'])} ({parent['pid']}) and its child {html.escape(child['name'])} ({child['pid']})</h3>"
    if not {page["frame"] for page in parent["pages"]} & {page["frame"] for page in child["pages"]}:
        return heading + "<p>No page in common: the child runs a program of its own, or all was copied and written.</p>"
    rows, counts = [], dict.fromkeys(PAGES, 0)
    for address in sorted(ours.keys() | theirs.keys()):
        kind = relation(ours.get(address), theirs.get(address))
        counts[kind] += 1
        if len(rows) < 200:
            rows.append(f"<tr><td>{address:#x}</td>{cell(ours.get(address), kind)}{cell(theirs.get(address), kind)}</tr>")
    said = ", ".join(f"{count} {PAGES[kind][1]}" for kind, count in counts.items() if count)
    more = f"<p>and {sum(counts.values()) - len(rows)} more</p>" if sum(counts.values()) > len(rows) else ""
    return (f"{heading}<p>{said}</p>"
            f"<table><tr><th>address</th><th>parent: frame, rights, references</th><th>child</th></tr>{''.join(rows)}</table>{more}")


def page(data: dict, what: str) -> str:
    processes = data["processes"]
    by_pid = {process["pid"]: process for process in processes}
    pairs = [(by_pid[process["parent"]], process) for process in processes
             if process["parent"] in by_pid and process["pages"] and by_pid[process["parent"]]["pages"]]
    key = "".join(f'<i style="background:{colour}"></i>{words}' for colour, words in PAGES.values())
    problems = ("<h2 class=bad>Not sound</h2><ul class=bad>" + "".join(f"<li>{html.escape(one)}</li>" for one in data["problems"]) + "</ul>"
                if data["problems"] else "")
    return (f"<!DOCTYPE html><html lang=en><head><meta charset=utf-8><title>Forklore: {html.escape(what)}</title>"
            f'<link rel="icon" href="data:,"><style>{STYLE}</style></head><body><h1>{html.escape(what)}</h1>'
            f'<p class=soft>stopped in {html.escape(data["place"])}; {len(processes)} processes</p>{problems}'
            f"<h2>Objects</h2>{objects_picture(processes)}<h2>Pages of parent and child</h2><p class=key>{key}</p>"
            + ("".join(pages_picture(*pair) for pair in pairs) or "<p>No process and its child both have memory.</p>")
            + f"<h2>Zones</h2>{zones_picture(data['zones'])}</body></html>\n")


def snapshot() -> int:
    options = run.options_from_environment()
    if options.cmd is None:
        raise Failure('make snapshot wants CMD="...": what the guest is to run')
    at = re.fullmatch(r"([A-Za-z_][\w:]*?)(?::(\d+))?", run.text("AT") or AT)
    if not at:
        raise Failure(f"AT={run.text('AT')}: a function of the kernel is wanted, or FUNCTION:N")
    out = Path(run.text("OUT") or options.build)
    options.gdb_port = free_port()
    with tempfile.TemporaryDirectory(prefix="forklore-snapshot-") as folder:
        script, taken = Path(folder) / "script", Path(folder) / "snapshot.json"
        ignore = f"ignore 1 {int(at[2]) - 1}\n" if at[2] else ""
        script.write_text(f"hbreak {at[1]}\n{ignore}hbreak panic\nhbreak panic_at\nhbreak power::off\ncontinue\nsnapshot {taken}\nkill\n")
        os.environ["FORKLORE_GDB_SCRIPT"] = str(script)
        machine = start_machine(options)
        try:
            done = subprocess.run(gdb_command(options), capture_output=True, text=True, stdin=subprocess.DEVNULL)
        finally:
            machine.terminate()
            machine.wait()
        if not taken.is_file():
            raise Failure(f"snapshot: gdb says:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
        data = json.loads(taken.read_text())
    (out / "snapshot.html").write_text(page(data, options.cmd))
    missed = "" if at[1].split("::")[-1] in data["place"].split("(")[0] else f"; {at[1]} was not reached"
    run.say(f"snapshot: in {data['place']}{missed}; {len(data['processes'])} processes, {len(data['problems'])} problems; {out}/snapshot.html")
    return 0


if __name__ == "__main__":
    run.arguments_to_environment(__doc__)
    sys.exit(run.guarded(snapshot))
