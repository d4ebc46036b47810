"""The command `snapshot FILE`: all objects of a stopped kernel as JSON, for tools/make_snapshot.py to draw.

What is not sound is listed under "problems" and left out; everything else is there.
"""
import json
from collections.abc import Callable

import gdb

import commands
import objects
from objects import Broken, number, target, text

problems: list[str] = []


def sound(what: str, get: Callable[[], object], otherwise: object = None) -> object:
    try:
        return get()
    except (Broken, gdb.MemoryError) as broken:
        problems.append(f"{what}: {broken}")
        return otherwise


def address(value: gdb.Value | None) -> str:
    return hex(int(value.address)) if value is not None else ""


def reachable(walk: Callable[[], object], what: str) -> list[gdb.Value]:
    """What a walk gives before it meets something that is not sound."""
    found: list[gdb.Value] = []

    def take() -> None:
        for one in walk():      # type: ignore[attr-defined]
            found.append(one)
    sound(what, take)
    return found


def thread_data(thread: gdb.Value) -> dict:
    uthread = sound("a thread's UThread", lambda: target(thread["uthread"]))
    child = sound("a loan", lambda: objects.loan_of(uthread)) if uthread is not None else None
    on_core = bool(number(thread["on_core"]))
    return {"at": address(thread), "tid": number(thread["tid"]), "name": text(thread["name"]), "state": objects.thread_state(thread),
            "core": sound("a thread's core", lambda: number(thread["cpu"].dereference()["id"]), -1) if on_core else -1,
            "uthread": address(uthread), "mask": number(uthread["mask"]) if uthread is not None else 0,
            "pending": number(uthread["pending"]) if uthread is not None else 0, "lent_to": number(child["pid"]) if child is not None else 0}


def region_data(region: gdb.Value) -> dict:
    protection = region["protection"]
    rights = "".join(letter if bool(protection[name]) else "-" for letter, name in (("r", "read"), ("w", "write"), ("x", "execute")))
    return {"start": number(region["start"]), "end": number(region["end"]), "rights": rights, "kind": str(region["kind"]).split("::")[-1]}


def page_data(where: int, entry: objects.Entry) -> dict:
    return {"address": where, "frame": entry.frame, "write": not entry.read_only, "execute": not entry.no_execute,
            "cow": entry.copy_on_write, "shared": entry.shared,
            "references": sound(f"the frame of {where:#x}", lambda: objects.references(entry.frame), -1)}


def process_data(proc: gdb.Value) -> dict:
    pid = number(proc["pid"])
    name = f"process {pid}"
    state = number(proc["state"])
    parent = sound(f"{name}'s parent", lambda: target(proc["parent"]))
    task = sound(f"{name}'s task", lambda: target(proc["task"]))
    lent = sound(f"{name}'s lent thread", lambda: target(proc["lent_thread"]))
    space = sound(f"{name}'s address space", lambda: target(task["space"])) if task is not None else None
    threads = reachable(lambda: objects.threads_of(proc), f"{name}'s threads") if task is not None else []
    pages = sound(f"{name}'s page tables", lambda: objects.pages_of(space), {}) if space is not None else {}
    if state >= len(objects.PROC_STATES):
        problems.append(f"{name} is in state {state}, which there is not")
    return {"at": address(proc), "pid": pid, "name": text(proc["inherited"]["name"]),
            "state": objects.PROC_STATES[state] if state < len(objects.PROC_STATES) else "?",
            "parent": number(parent["pid"]) if parent is not None else 0, "loans": number(proc["loans"]),
            "task": address(task), "lent_thread": number(lent["tid"]) if lent is not None else 0,
            "threads": [one for thread in threads if (one := sound(f"a thread of {name}", lambda: thread_data(thread)))],
            "regions": [one for region in (reachable(lambda: objects.regions_of(space), f"{name}'s regions") if space is not None else [])
                        if (one := sound(f"a region of {name}", lambda: region_data(region)))],
            "pages": [page_data(where, entry) for where, entry in sorted(pages.items())]}


def zone_data(zone: gdb.Value) -> dict:
    name = text(zone["options_"]["name"])
    slabs: list[list[str]] = []

    def take() -> None:
        for slab, elements in objects.slab_elements(zone):
            slabs.append([hex(slab), "".join("#" if live else "." for _, live, _ in elements)])
    sound(f"zone \"{name}\"", take)
    live, shown = number(zone["live_"]), sum(marks.count("#") for _, marks in slabs)
    if live != shown:
        problems.append(f"zone \"{name}\" counts {live} live elements, and its slabs show {shown}")
    return {"name": name, "size": number(zone["size_"]), "live": live, "slabs": slabs}


def snapshot(words: list[str]) -> None:
    """Writes all objects of the stopped kernel to a file."""
    problems.clear()
    pc = int(gdb.parse_and_eval("(unsigned long)$pc"))
    data = {"place": objects.place(pc),
            "processes": [one for proc in reachable(objects.processes, "the table of processes")
                          if (one := sound(f"a process at {address(proc)}", lambda: process_data(proc)))],
            "zones": [one for zone in reachable(objects.zones, "the zones") if (one := sound("a zone", lambda: zone_data(zone)))],
            "problems": problems}
    with open(words[0], "w") as file:
        json.dump(data, file)
    print(f"snapshot: {len(data['processes'])} processes, {len(data['zones'])} zones, {len(problems)} problems")


def define() -> None:
    commands.Command("snapshot", "snapshot FILE", snapshot)
