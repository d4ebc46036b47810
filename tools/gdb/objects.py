"""The kernel's objects as the debugger sees them. Runs inside gdb; a wild pointer ends a walk with a Broken, never with a crash."""
from collections.abc import Iterator

import gdb

MOST = 5000             # of a list: a longer one goes round in circles
LINEAR_MAP = 0xffffff8000000000
PAGE = 4096
PROC_STATES = ["Creating", "Running", "Stopped", "Exiting", "Zombie"]


class Broken(Exception):
    """What is not sound, in words."""


def plain(value: gdb.Value) -> gdb.Value:
    """What is inside std::atomic, Owned, Ref and Result-like wrappers."""
    for _ in range(4):
        type_ = value.type.strip_typedefs()
        name = type_.name or ""
        if name.startswith("std::atomic"):
            fields = [field.name for field in type_.fields()]
            value = value[type_.fields()[0]] if "_M_i" not in fields and "_M_base" not in fields and "_M_b" not in fields else \
                value["_M_i" if "_M_i" in fields else "_M_base" if "_M_base" in fields else "_M_b"]
        elif name.startswith("std::__atomic_base"):
            value = value["_M_p" if any(field.name == "_M_p" for field in type_.fields()) else "_M_i"]
        elif name.startswith(("Owned<", "Ref<")):
            value = value["object_"]
        else:
            return value
    return value


def number(value: gdb.Value) -> int:
    try:
        value = plain(value)
        if value.type.strip_typedefs().code == gdb.TYPE_CODE_STRUCT:
            value = value["value"]
        return int(value.cast(gdb.lookup_type("long"))) if value.type.strip_typedefs().code == gdb.TYPE_CODE_ENUM else int(value)
    except gdb.MemoryError as error:
        raise Broken(str(error)) from None


def target(value: gdb.Value) -> gdb.Value | None:
    """The object that a pointer, Owned or Ref leads to; none for a null pointer. Broken if nothing can be read there."""
    pointer = plain(value)
    try:
        address = int(pointer)
        if address == 0:
            return None
        thing = pointer.dereference()
        gdb.selected_inferior().read_memory(address, thing.type.sizeof)
        return thing
    except gdb.MemoryError:
        raise Broken(f"a {pointer.type.target().name} is said to be at {address:#x}, where nothing is") from None


def text(value: gdb.Value) -> str:
    """A char array, or a pointer to characters."""
    try:
        if value.type.strip_typedefs().code == gdb.TYPE_CODE_PTR:
            return value.string("ascii", "replace", length=-1) if int(value) else ""
        data = bytes(gdb.selected_inferior().read_memory(int(value.address), value.type.sizeof))
        return data.split(b"\0")[0].decode("ascii", "replace")
    except gdb.MemoryError:
        return "(wild)"


def offset_of(type_: gdb.Type, name: str) -> int | None:
    for field in type_.strip_typedefs().fields():
        if field.name == name:
            return field.bitpos // 8
        if field.is_base_class and (inner := offset_of(field.type, name)) is not None:
            return field.bitpos // 8 + inner
    return None


def elements(head: gdb.Value, type_name: str, link: str) -> Iterator[gdb.Value]:
    """Of a List<T, &T::link>, whose links must lead back to where they came from."""
    type_ = gdb.lookup_type(type_name)
    offset = offset_of(type_, link)
    start = int(head["head_"].address)
    before, node = start, int(head["head_"]["next"])
    node_type = gdb.lookup_type("ListNode").pointer()
    for _ in range(MOST):
        if node in (start, 0):      # 0: a list that nobody has made yet
            return
        here = target(gdb.Value(node).cast(node_type))
        assert here is not None
        if int(here["previous"]) != before:
            raise Broken(f"the links of {type_name}::{link} do not lead back at {node:#x}")
        thing = target(gdb.Value(node - offset).cast(type_.pointer()))
        assert thing is not None
        yield thing
        before, node = node, int(here["next"])
    raise Broken(f"the list of {type_name}::{link} has no end")


def static(file: str, name: str) -> gdb.Value:
    """A variable of a source file's unnamed namespace."""
    return gdb.parse_and_eval(f"'{file}'::'(anonymous namespace)::{name}'")


# --- processes and threads ---

def processes() -> Iterator[gdb.Value]:
    """All that can be found: the kernel's own process is none of them."""
    yield from elements(static("src/kernel/proc/family.cpp", "table"), "Proc", "table_link")


def process(pid: int) -> gdb.Value:
    for proc in processes():
        if number(proc["pid"]) == pid:
            return proc
    raise Broken(f"there is no process {pid}")


def threads_of(proc: gdb.Value) -> Iterator[gdb.Value]:
    task = target(proc["task"])
    if task is not None:
        yield from elements(task["threads"], "Thread", "task_link")


def loan_of(uthread: gdb.Value) -> gdb.Value | None:
    """The child that the thread runs as while it is lent."""
    payload = uthread["loan"]["_M_payload"]
    if not bool(payload["_M_engaged"]):
        return None
    return target(payload["_M_payload"]["_M_value"]["child_"])


def thread_state(thread: gdb.Value) -> str:
    names = ["Waiting", "Ready", "Running", "Blocked", "Sleeping", "Dead"]
    state = number(thread["state"])
    return names[state] if state < len(names) else f"state {state}"


def core_count() -> int:
    return int(gdb.parse_and_eval("sizeof(cores) / sizeof(cores[0])"))


def running_on(core: int) -> gdb.Value | None:
    """The Thread whose turn it is there; none while the core boots."""
    for thread in gdb.selected_inferior().threads():
        if thread.num == core + 1:
            before = gdb.selected_thread()
            thread.switch()
            try:
                address = int(gdb.parse_and_eval("$TPIDR_EL1"))
            finally:
                before.switch()
            if address == 0:
                return None
            found = target(gdb.Value(address).cast(gdb.lookup_type("Thread").pointer()))
            return found if found is not None and number(found["tid"]) != 0 else None
    return None


def all_threads() -> list[gdb.Value]:
    """Those of processes, those on a core, and the idle ones; each once."""
    found: dict[int, gdb.Value] = {}
    for proc in processes():
        for thread in threads_of(proc):
            found[int(thread.address)] = thread
    for core in range(core_count()):
        for thread in (running_on(core), target(gdb.parse_and_eval(f"cores[{core}].idle"))):
            if thread is not None:
                found[int(thread.address)] = thread
    return list(found.values())


# --- memory of programs ---

class Entry:
    """A descriptor: the bits of src/mm/page_table.h."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.frame = bits & 0xfffffffff000
        self.valid, self.table = bool(bits & 1), bool(bits & 2)
        self.user, self.read_only, self.no_execute = bool(bits >> 6 & 1), bool(bits >> 7 & 1), bool(bits >> 54 & 1)
        self.copy_on_write, self.shared = bool(bits >> 55 & 1), bool(bits >> 56 & 1)

    def words(self) -> str:
        if not self.valid:
            return "not valid"
        rights = ("r" if self.user else "-") + ("-" if self.read_only or not self.user else "w") + ("-" if self.no_execute else "x")
        return " ".join([f"frame {self.frame:#x}", rights, *(["copy-on-write"] if self.copy_on_write else []),
                         *(["shared"] if self.shared else [])])


def space_of(proc: gdb.Value) -> gdb.Value:
    """A child on loan has none: its thread runs in the lender's."""
    task = target(proc["task"])
    if task is None:
        lent = target(proc["lent_thread"])
        task = target(lent["task"]) if lent is not None else None
    space = target(task["space"]) if task is not None else None
    if space is None:
        raise Broken(f"process {number(proc['pid'])} has no memory: it is a zombie, or it is being made")
    return space


def table_words(physical: int) -> list[int]:
    try:
        data = bytes(gdb.selected_inferior().read_memory(LINEAR_MAP + physical, PAGE))
    except gdb.MemoryError:
        raise Broken(f"a page table is said to be at {physical:#x}, where no memory is") from None
    return [int.from_bytes(data[i:i + 8], "little") for i in range(0, PAGE, 8)]


def root_of(space: gdb.Value) -> int:
    return number(space["tables_"]["root_"])


def walk(space: gdb.Value, address: int) -> list[tuple[int, int, Entry]]:
    """(level, index, entry) of each step down to the page, or to where the way ends."""
    steps, table = [], root_of(space)
    for level, shift in ((1, 30), (2, 21), (3, 12)):
        index = address >> shift & 511
        entry = Entry(table_words(table)[index])
        steps.append((level, index, entry))
        if not entry.valid or (level < 3 and not entry.table):
            break
        table = entry.frame
    return steps


def pages_of(space: gdb.Value) -> dict[int, Entry]:
    tables = {0: root_of(space)}
    for shift in (30, 21):
        tables = {base + (index << shift): word & 0xfffffffff000 for base, table in tables.items()
                  for index, word in enumerate(table_words(table)) if word & 1}
    return {base + (index << 12): Entry(word) for base, table in tables.items()
            for index, word in enumerate(table_words(table)) if word & 1}


def references(frame: int) -> int:
    table = gdb.parse_and_eval("pages::table")
    return number(table["frames"][(frame - number(table["first"])) >> 12]["references"])


def regions_of(space: gdb.Value) -> Iterator[gdb.Value]:
    yield from elements(space["regions_"], "Region", "link")


# --- zones ---

def zones() -> Iterator[gdb.Value]:
    """Of the zone.cpp in src/: a lab's own zones may be made otherwise, and then this is Broken."""
    try:
        storage = static("src/mm/zone.cpp", "zone_list_storage")
        head = storage.address.cast(gdb.lookup_type("ListNode").pointer()).dereference()
        type_ = gdb.lookup_type("Zone")
        offset = offset_of(type_, "list_link")
    except gdb.error as error:
        raise Broken(f"the zones are not those of the reference ({error})") from None
    node, start = int(head["next"]), int(head.address)
    for _ in range(MOST):
        if node in (start, 0):
            return
        thing = target(gdb.Value(node - offset).cast(type_.pointer()))
        assert thing is not None
        yield thing
        node = int(thing["list_link"]["next"])
    raise Broken("the list of zones has no end")


def zone_named(name: str) -> gdb.Value:
    for zone in zones():
        if text(zone["options_"]["name"]) == name:
            return zone
    raise Broken(f"there is no zone \"{name}\"")


def slab_elements(zone: gdb.Value) -> Iterator[tuple[int, list[tuple[int, bool, int]]]]:
    """(address of a slab, its elements as (address, live, code that took or freed it last))."""
    size, count, first = number(zone["size_"]), number(zone["per_slab_"]), number(zone["first_"])
    base = int(gdb.parse_and_eval("(unsigned long)&'zone_stats(Zone&)'"))
    slab_type = static_type("Slab")
    for name in ("full_", "partial_", "empty_"):
        head = zone[name]["head_"]
        node, start = int(head["next"]), int(head.address)
        offset = offset_of(slab_type, "link")
        for _ in range(MOST):
            if node == start:
                break
            slab = node - offset
            try:
                words = bytes(gdb.selected_inferior().read_memory(slab + slab_type.sizeof, 4 * count))
            except gdb.MemoryError:
                raise Broken(f"a slab is said to be at {slab:#x}, where nothing is") from None
            found = []
            for index in range(count):
                word = int.from_bytes(words[4 * index:4 * index + 4], "little")
                distance = (word >> 1) - (1 << 31 if word >> 31 else 0)
                found.append((slab + first + index * size, bool(word & 1), base + distance if word else 0))
            yield slab, found
            node = int(gdb.Value(node).cast(gdb.lookup_type("ListNode").pointer()).dereference()["next"])


def static_type(name: str) -> gdb.Type:
    return gdb.lookup_type(f"(anonymous namespace)::{name}")


# --- code ---

def place(address: int) -> str:
    """function at file:line"""
    found = gdb.find_pc_line(address)
    function = gdb.execute(f"info symbol {address:#x}", to_string=True).split(" in section")[0].strip()
    if function.startswith("No symbol"):
        return f"{address:#x}"
    return f"{function}" + (f" at {found.symtab.filename.removeprefix('./')}:{found.line}" if found.symtab else "")


def frames_from(pc: int, frame: int) -> list[int]:
    """Addresses of a chain of frame records (x29)."""
    found = [pc] if pc else []
    for _ in range(40):
        if frame == 0 or frame < LINEAR_MAP:
            break
        try:
            record = bytes(gdb.selected_inferior().read_memory(frame, 16))
        except gdb.MemoryError:
            break
        following, back = int.from_bytes(record[:8], "little"), int.from_bytes(record[8:], "little")
        if back:
            found.append(back - 4)
        if following <= frame:
            break
        frame = following
    return found
