"""Commands for a stopped kernel: ps, proc, zone, pagetable, locks, backtrace-all, user-symbols."""
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import gdb

import objects
from programs import program_file
from objects import Broken, number, target, text


class Impossible(Exception):
    """What was asked for can not be done."""


class Command(gdb.Command):
    """What a command is called and what it does; a broken kernel ends it with a sentence."""

    def __init__(self, name: str, usage: str, does: Callable[[list[str]], None]) -> None:
        self.usage, self.does = usage, does
        self.__doc__ = f"{usage}\n{does.__doc__ or ''}"
        super().__init__(name, gdb.COMMAND_STATUS)

    def invoke(self, line: str, from_tty: bool) -> None:
        try:
            self.does(gdb.string_to_argv(line))
        except Broken as broken:
            print(f"not sound: {broken}")
        except Impossible as why:
            print(why)
        except (IndexError, ValueError):
            print(f"usage: {self.usage}")


def shown_state(proc: gdb.Value) -> str:
    state = number(proc["state"])
    words = objects.PROC_STATES[state] if state < len(objects.PROC_STATES) else f"state {state}?"
    if (lent := target(proc["lent_thread"])) is not None:
        words += f", on loan of thread {number(lent['tid'])}"
    if (loans := number(proc["loans"])) != 0:
        words += f", {loans} thread{'s' if loans > 1 else ''} lent"
    return words


def guarded(what: str, show: Callable[[], None]) -> None:
    """Shows one part of a picture whose other parts are to be seen too."""
    try:
        show()
    except (Broken, gdb.MemoryError) as broken:
        print(f"{what}: not sound: {broken}")


def ps(words: list[str]) -> None:
    """All processes with parent, state, loans and name."""
    print(f"{'PID':>6} {'PPID':>6} {'THREADS':>7}  {'NAME':16} STATE")
    for proc in objects.processes():
        def line() -> None:
            parent = target(proc["parent"])
            threads = sum(1 for _ in objects.threads_of(proc))
            print(f"{number(proc['pid']):6} {number(parent['pid']) if parent is not None else 0:6} {threads:7}  "
                  f"{text(proc['inherited']['name']):16} {shown_state(proc)}")
        guarded(f"process at {int(proc.address):#x}", line)


def print_thread(thread: gdb.Value) -> None:
    where = f" on core {number(thread['cpu'].dereference()['id'])}" if number(thread["on_core"]) else ""
    print(f"  thread {number(thread['tid'])} \"{text(thread['name'])}\" {objects.thread_state(thread)}{where}, "
          f"asked {number(thread['return_work']):#x}")
    uthread = target(thread["uthread"])
    if uthread is None:
        print("    no UThread: it is the kernel's")
        return
    print(f"    uthread: mask {number(uthread['mask']):#x}, pending {number(uthread['pending']):#x}")
    if (child := objects.loan_of(uthread)) is not None:
        print(f"    lent to process {number(child['pid'])} ({text(child['inherited']['name'])})")


def proc(words: list[str]) -> None:
    """One process: kin, task, threads and their Unix halves, regions of memory."""
    one = objects.process(int(words[0]))
    parent = target(one["parent"])
    print(f"process {number(one['pid'])} ({text(one['inherited']['name'])}), {shown_state(one)}, at {int(one.address):#x}")
    print(f"  unique id {number(one['unique_id'])}, version {number(one['id_version'])}, parent {number(parent['pid']) if parent is not None else 'none'}")
    guarded("  children", lambda: print("  children:", *(number(child["pid"]) for child in objects.elements(one["children"], "Proc", "sibling_link"))))
    print(f"  signals pending {number(one['signals']['pending']):#x}, wait status {number(one['wait_status']):#x}")
    for thread in objects.threads_of(one):
        guarded("  thread", lambda: print_thread(thread))
    guarded("  memory", lambda: print_regions(objects.space_of(one)))


def print_regions(space: gdb.Value) -> None:
    pages = objects.pages_of(space)
    print(f"  memory: root {objects.root_of(space):#x}, {len(pages)} pages")
    for region in objects.regions_of(space):
        start, end = number(region["start"]), number(region["end"])
        protection = region["protection"]
        rights = "".join(letter if bool(protection[name]) else "-" for letter, name in (("r", "read"), ("w", "write"), ("x", "execute")))
        here = [entry for address, entry in pages.items() if start <= address < end]
        print(f"    {start:#011x}-{end:#011x} {rights} {str(region['kind']).split('::')[-1]:9} {len(here):5} pages, "
              f"{sum(entry.copy_on_write for entry in here)} copy-on-write, {sum(entry.shared for entry in here)} shared")


def zone(words: list[str]) -> None:
    """All zones; with a name, each slab as a map (# live, . free), and who has its live elements."""
    if not words:
        for one in objects.zones():
            print(f"{text(one['options_']['name']):20} {number(one['size_']):5} bytes, {number(one['live_'])} live, {number(one['slabs_'])} pages")
        return
    one = objects.zone_named(words[0])
    print(f"zone \"{words[0]}\": {number(one['size_'])} bytes an element, {number(one['per_slab_'])} a page, {number(one['live_'])} live")
    holders: dict[int, int] = {}
    for slab, elements in objects.slab_elements(one):
        print(f"  {slab:#x} " + "".join("#" if live else "." for _, live, _ in elements))
        for _, live, caller in elements:
            if live:
                holders[caller] = holders.get(caller, 0) + 1
    for caller, count in sorted(holders.items(), key=lambda item: -item[1]):
        print(f"  {count:5} taken by {objects.place(caller - 4) if caller else 'nobody'}")


def pagetable(words: list[str]) -> None:
    """The way from a process's root to the page of an address, and who else has the page."""
    one, address = objects.process(int(words[0])), int(words[1], 0)
    space = objects.space_of(one)
    print(f"process {words[0]}, root {objects.root_of(space):#x}")
    for level, index, entry in objects.walk(space, address):
        print(f"  level {level} [{index:3}] {entry.bits:#018x} " + (f"table at {entry.frame:#x}" if level < 3 and entry.valid else entry.words()))
        if level == 3 and entry.valid:
            print(f"  the page has {objects.references(entry.frame)} references")


def innermost_first(held: gdb.Value) -> Iterator[gdb.Value]:
    """Of HeldLocks or HeldMutexes; eight at most, for the list may be broken."""
    lock = held["innermost"]
    for _ in range(8):
        if number(lock) == 0:
            return
        yield lock.dereference()
        lock = lock.dereference()["outer_"]


def locks(words: list[str]) -> None:
    """Spin locks by core, mutexes by thread; who waits for a mutex."""
    for core in range(objects.core_count()):
        thread = objects.running_on(core)
        if thread is None:
            print(f"core {core}: booting, or off")
            continue
        names = [f"\"{text(lock['name_'])}\"" for lock in innermost_first(target(thread["cpu"])["held"])]
        print(f"core {core}: thread {number(thread['tid'])} \"{text(thread['name'])}\" holds {' inside '.join(names) or 'no spin lock'}")
    for thread in objects.all_threads():
        for mutex in innermost_first(thread["held_mutexes"]):
            waiters = [number(waiter["thread"].dereference()["tid"])
                       for waiter in objects.elements(mutex["waiters_"]["waiters"], "Waiter", "link")]
            print(f"thread {number(thread['tid'])} \"{text(thread['name'])}\" holds mutex \"{text(mutex['name_'])}\""
                  + (f"; waiting: thread {', '.join(map(str, waiters))}" if waiters else ""))


def registers(core: int) -> tuple[int, int]:
    before = gdb.selected_thread()
    try:
        for thread in gdb.selected_inferior().threads():
            if thread.num == core + 1:
                thread.switch()
        return int(gdb.parse_and_eval("(unsigned long)$pc")), int(gdb.parse_and_eval("(unsigned long)$x29"))
    finally:
        before.switch()


def backtrace_all(words: list[str]) -> None:
    """Where every thread is: those on a core, and those that sleep."""
    for thread in objects.all_threads():
        on_core = bool(number(thread["on_core"]))
        core = number(thread["cpu"].dereference()["id"]) if on_core else -1
        print(f"thread {number(thread['tid'])} \"{text(thread['name'])}\" {objects.thread_state(thread)}" + (f" on core {core}" if on_core else ""))
        pc, frame = registers(core) if on_core else (0, number(thread["context"]["frame_pointer"]))
        for depth, address in enumerate(objects.frames_from(pc, frame)):
            print(f"  #{depth} {objects.place(address)}")


loaded: set[str] = set()


def user_symbols(words: list[str]) -> None:
    """Loads the symbols of a process's program; without a number, of the process that this core runs."""
    if words:
        one = objects.process(int(words[0]))
    else:
        core = (gdb.selected_thread().num if gdb.selected_thread() else 1) - 1
        thread = objects.running_on(core)
        uthread = target(thread["uthread"]) if thread is not None else None
        if uthread is None:
            print(f"core {core} runs no program")
            return
        one = objects.loan_of(uthread)
        one = one if one is not None else target(uthread["proc"])
    name = text(one["inherited"]["name"])
    file = program_file(Path(os.environ.get("FORKLORE_BUILD") or "build"), name)
    if file is None:
        print(f"{name} is not one of the RAM disk's programs: add-symbol-file its ELF")
        return
    # All programs lie at the same addresses: the one before must go.
    for other in loaded - {str(file)}:
        gdb.execute(f"remove-symbol-file {other}", to_string=True)
    if str(file) not in loaded:
        gdb.execute(f"add-symbol-file {file}", to_string=True)
    loaded.clear()
    loaded.add(str(file))
    print(f"symbols of {file} for process {number(one['pid'])} ({name})")


def define() -> None:
    Command("ps", "ps", ps)
    Command("proc", "proc PID", proc)
    Command("zone", "zone [NAME]", zone)
    Command("pagetable", "pagetable PID ADDRESS", pagetable)
    Command("locks", "locks", locks)
    Command("backtrace-all", "backtrace-all", backtrace_all)
    Command("user-symbols", "user-symbols [PID]", user_symbols)
