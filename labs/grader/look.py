"""What the grader itself sees of a machine that stands still: processes and their links, page tables and their pages.

All memory is read through the debug port by its physical address, and nothing is asked of the guest: where members lie in their objects
comes from the debug information of the pristine kernel. A lab's file that computes the answers a check wants has not made this state.
"""
from collections.abc import Callable
from dataclasses import dataclass

from .debug_port import DebugPort
from .lab import Check
from .reference import FRAMES, PROCESSES
from .target_tier import Kernel

LINEAR_MAP, IMAGE = 0xFFFFFF8000000000, 0xFFFFFFFF80000000      # src/machine/rpi3/layout.h; QEMU loads the image at its usual place
PAGE = 4096
MOST = 5000             # of a list, or tables of a level; more of them go round in circles
MOST_PAGES = 1 << 16    # of a process: a quarter of the board's memory
RUNNING = 1             # ProcState::Running
# Bits of a descriptor: src/mm/page_table.h.
VALID, READ_ONLY, COPY_ON_WRITE, SHARED, FRAME = 1, 1 << 7, 1 << 55, 1 << 56, 0xFFFFFFFFF000


class Wrong(Exception):
    """What is not as it must be, for the student."""


def demand(condition: bool, what: str) -> None:
    if not condition:
        raise Wrong(what)


class CheckRandom:
    """The numbers of labs/grader/runner/seed.h."""

    def __init__(self, seed: int, salt: int) -> None:
        self.state = (seed * 0x9E3779B97F4A7C15 + salt) % 2**64

    def next(self) -> int:
        self.state = x = (self.state + 0x9E3779B97F4A7C15) % 2**64
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
        return x ^ x >> 31


@dataclass
class Memory:
    port: DebugPort
    kernel: Kernel

    def physical(self, address: int) -> int:
        if address >= IMAGE:
            return address - IMAGE
        demand(LINEAR_MAP <= address < LINEAR_MAP + (1 << 30), f"a pointer of the kernel leads to {address:#x}, where no object lies")
        return address - LINEAR_MAP

    def word(self, address: int, size: int = 8) -> int:
        return int.from_bytes(self.port.memory(self.physical(address), size), "little")

    def member(self, thing: int, name: str, size: int = 8) -> int:
        return self.word(thing + self.kernel.files.layout[name], size)

    def elements(self, head: int, link: str) -> list[int]:
        """Of an intrusive list, whose links must agree with each other."""
        offset = self.kernel.files.layout[link]
        found: list[int] = []
        node, before = self.word(head), head
        while node != head:
            demand(len(found) < MOST, f"the list of {link} has no end")
            demand(self.word(node + 8) == before, f"the links of {link} do not lead back to where they came from")
            found.append(node - offset)
            before, node = node, self.word(node)
        return found

    # --- processes ---

    def process(self, pid: int) -> int:
        every = self.elements(self.kernel.places[PROCESSES], "Proc.table_link")
        found = [proc for proc in every if self.member(proc, "Proc.pid", 4) == pid]
        demand(len(found) == 1, f"process {pid} is {len(found)} times in the table of processes")
        return found[0]

    def parent_and_child(self, parent_pid: int, child_pid: int) -> tuple[int, int]:
        parent, child = self.process(parent_pid), self.process(child_pid)
        children = self.elements(parent + self.kernel.files.layout["Proc.children"], "Proc.sibling_link")
        demand(children.count(child) == 1, f"process {child_pid} is {children.count(child)} times among the children of process {parent_pid}")
        demand(self.member(child, "Proc.parent") == parent, f"process {child_pid} has another parent than process {parent_pid}")
        demand(self.member(child, "Proc.state", 1) == RUNNING, f"process {child_pid} is not in the state Running")
        return parent, child

    def threads(self, proc: int) -> list[int]:
        task = self.member(proc, "Proc.task")
        return self.elements(task + self.kernel.files.layout["Task.threads"], "Thread.task_link") if task else []

    def loan_of(self, thread: int) -> int:
        """The child that the thread is lent to; 0: none."""
        uthread = self.member(thread, "Thread.uthread")
        return self.member(uthread, "UThread.loan.child") if self.member(uthread, "UThread.loan.engaged", 1) else 0

    # --- memory of programs ---

    def root(self, proc: int) -> int:
        task = self.member(proc, "Proc.task")
        demand(task != 0, f"process {self.member(proc, 'Proc.pid', 4)} has no task")
        return self.member(self.member(task, "Task.space"), "AddressSpace.root")

    def pages(self, root: int) -> dict[int, int]:
        """The descriptor of every page that is mapped, by its address."""
        tables = {0: root}
        for shift, most in ((30, MOST), (21, MOST), (12, MOST_PAGES)):
            below: dict[int, int] = {}
            for base, table in tables.items():
                below |= {base + (i << shift): entry for i, entry in self.entries(table)}
                # Tables that lead to each other describe more than any machine could hold.
                demand(len(below) <= most, "the page tables of a process describe more memory than the machine has")
            tables = below if shift == 12 else {base: entry & FRAME for base, entry in below.items()}
        return tables

    def entries(self, table: int) -> list[tuple[int, int]]:
        data = self.port.memory(table, PAGE)
        words = (int.from_bytes(data[i:i + 8], "little") for i in range(0, PAGE, 8))
        return [(i, word) for i, word in enumerate(words) if word & VALID]

    def references(self, entry: int) -> int:
        table = self.kernel.places[FRAMES]
        return self.word(self.word(table) + ((entry & FRAME) - self.word(table + 8)) // PAGE * 8, 4)

    def content(self, entry: int) -> int:
        return self.port.word(entry & FRAME)


def mapped(pages: dict[int, int], address: int, whose: str) -> int:
    demand(address in pages, f"the {whose} has no page at {address:#x}")
    return pages[address]


def look_at_fork(memory: Memory, words: list[int], seed: int) -> None:
    """`words`: pids of parent and child, who is alive; addresses of a page that both wrote, one that nobody wrote since, and a shared one.

    Their first words are random numbers of this run: the parent's, the child's, the common one."""
    parent_pid, child_pid, written, untouched, shared = words
    random = CheckRandom(seed, 3)
    of_parent, of_child, of_both = random.next(), random.next(), random.next()
    parent, child = memory.parent_and_child(parent_pid, child_pid)
    roots = memory.root(parent), memory.root(child)
    demand(roots[0] != roots[1], "parent and child have the same page tables")
    pages, copies = memory.pages(roots[0]), memory.pages(roots[1])
    demand(memory.content(mapped(pages, written, "parent")) == of_parent, "the page that both wrote does not hold what the parent wrote last")
    demand(memory.content(mapped(copies, written, "child")) == of_child, "the page that both wrote does not hold what the child wrote last")
    for whose, entry in (("parent", mapped(pages, untouched, "parent")), ("child", mapped(copies, untouched, "child"))):
        demand(memory.content(entry) == of_both, f"a page that nobody wrote since the fork is another for the {whose}")
    ours, theirs = mapped(pages, shared, "parent"), mapped(copies, shared, "child")
    demand((ours ^ theirs) & FRAME == 0, "a shared page is not the same page for parent and child")
    demand(not (ours | theirs) & READ_ONLY, "a shared page can not be written any more")
    owners = {entry & FRAME: address for address, entry in pages.items()}
    for address, entry in copies.items():
        if (there := owners.get(entry & FRAME)) is None:
            continue
        demand(memory.references(entry) >= 2, f"parent and child have the page at {address:#x} together, and it counts {memory.references(entry)} reference")
        private = not entry & SHARED
        demand(not private or bool(entry & pages[there] & READ_ONLY), f"parent and child have the private page at {address:#x} together, and one of them can write to it")


def look_at_loan(memory: Memory, words: list[int], seed: int) -> None:
    """While the child runs on the parent's thread. `words`: pids of parent and child."""
    parent, child = memory.parent_and_child(*words)
    thread = memory.member(child, "Proc.lent_thread")
    demand(memory.member(parent, "Proc.loans", 4) == 1, f"the parent counts {memory.member(parent, 'Proc.loans', 4)} loans while one thread is lent")
    demand(memory.member(child, "Proc.task") == 0, "the child has a task of its own while it is on loan")
    demand(thread in memory.threads(parent), "the thread that runs as the child is none of the parent's")
    demand(memory.loan_of(thread) == child, "the lent thread's loan does not name the child")
    demand(memory.member(memory.member(thread, "Thread.uthread"), "UThread.proc") == parent, "the lent thread does not belong to the parent any more")


def look_at_home(memory: Memory, words: list[int], seed: int) -> None:
    """When the child has its own program. `words`: pids of parent and child."""
    parent, child = memory.parent_and_child(*words)
    threads = memory.threads(parent)
    demand(memory.member(parent, "Proc.loans", 4) == 0, "the parent still counts a loan")
    demand(all(memory.loan_of(thread) == 0 for thread in threads), "a thread of the parent is still on loan")
    demand(memory.member(child, "Proc.lent_thread") == 0, "the child still has a claim on a thread of the parent")
    demand(len(memory.threads(child)) == 1 and memory.threads(child)[0] not in threads, "the child has not exactly one thread of its own")
    roots = memory.root(parent), memory.root(child)
    demand(roots[0] != roots[1], "parent and child have the same page tables")
    frames = {entry & FRAME for entry in memory.pages(roots[0]).values() if not entry & READ_ONLY}
    demand(not any(entry & FRAME in frames for entry in memory.pages(roots[1]).values()), "the child's program has a page that the parent can write")


LOOKS: dict[str, Callable[[Memory, list[int], int], None]] = {"fork": look_at_fork, "loan": look_at_loan, "home": look_at_home}


def look(port: DebugPort, kernel: Kernel, check: Check, wanted: str, seed: int) -> str:
    """What is wrong there; nothing if all is well."""
    try:
        LOOKS[check.look](Memory(port, kernel), [int(word, 0) for word in wanted.split()], seed)
    except Wrong as wrong:
        return f"seen from outside the machine: {wrong}"
    except (IndexError, ValueError, TypeError) as error:
        return f"seen from outside the machine: a pointer of the kernel leads nowhere ({error})"
    return ""
