"""The host tier: a submission compiled for this machine with sanitizers, each check in a process of its own."""
import re
import secrets
from concurrent.futures import ThreadPoolExecutor, as_completed
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from . import compiling, inspection, sandbox
from .compiling import ATTEMPTS
from .inspection import Refused
from .lab import Check, Failure, Lab
from .reference import HostFiles
from .verdict import Outcome, Verdict

LARGEST_GAP = 1 << 16
SANITIZERS = {
    # The leak checker would need ptrace; what a lab must not lose is counted by the ledgers. Names are found afterwards, outside.
    "ASAN_OPTIONS": "detect_leaks=0:symbolize=0:abort_on_error=0:exitcode=99:max_allocation_size_mb=512:allocator_may_return_null=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:symbolize=0:exitcode=99",
}
# The explorer's reports name places themselves.
EXPLORED_SANITIZERS = {name: options.replace("symbolize=0", "symbolize=1") for name, options in SANITIZERS.items()}


@dataclass
class Program:
    """The checks linked with a submission, in a folder that sandboxes can see."""
    folder: Path
    path: Path                          # it says where functions lie, but not of which lines they are
    front: compiling.Front
    link_again: Callable[[], Path]      # the same, byte for byte where it runs, with the lines
    lock: Lock = field(default_factory=Lock)
    linked_again: Path | None = None

    @property
    def with_lines(self) -> Path:
        """Only what fails has places to name."""
        with self.lock:
            if not self.linked_again:
                try:
                    self.linked_again = self.link_again()
                except Refused as refusal:      # it has been linked before: no hand-in's fault
                    raise Failure(str(refusal)) from None
            return self.linked_again


def link(host: HostFiles, front: compiling.Front, folder: Path, objects: list[Path]) -> Program:
    """The gap of a random size keeps the submission from knowing how far away anything lies."""
    work = sandbox.writable(folder / "link")
    (work / "gap.s").write_text(f'.text\n.skip {secrets.randbelow(LARGEST_GAP)}\n.section .note.GNU-stack,"",@progbits\n')
    # __real_panic and __wrap_panic: the runner keeps the place of a panic.
    wrap = ["-Wl,--wrap=_Z5panicPKcmm"] if host.runner == "check" else []
    command = [Path(host.compiler).name, *[f for f in host.link_flags if not f.startswith(("-I", "-W"))], *wrap, "/in/rest.o", "gap.s"]

    def made(name: str, rest: Path) -> Path:
        return compiling.link(command, [(rest, "/in/rest.o"), (host.archive, "/in/rest.a")], objects, ["/in/rest.a"], work, name)

    return Program(folder, made("check", host.bare), front, lambda: made("with-lines", host.rest))


def build(lab: Lab, host: HostFiles, folder: Path, texts: dict[str, bytes]) -> Program:
    front = compiling.Front(host.compiler, host.flags, sanitized=True, explored=host.runner == "schedules")
    return link(host, front, folder, compiling.compile_all(lab, host.headers, front, folder, texts, host.known))


# --- one check --------------------------------------------------------------------------------------------------------------

def named_places(program: Program, offsets: list[str]) -> dict[str, list[str]]:
    """`function at file:line` for each offset into the program, innermost first; the runner's and the framework's own are left out."""
    if not offsets:
        return {}
    place = sandbox.Place(read=[(program.with_lines, "/check")])
    ended = sandbox.run([*program.front.reader("addr2line"), "-a", "-f", "-C", "-i", "-p", "-e", "/check", *offsets], place, sandbox.Limits(memory=3 << 30))
    named: dict[str, list[str]] = {offset: [] for offset in offsets}
    lines: list[str] = []
    for line in ended.output.decode(errors="replace").splitlines():
        if address := re.match(r"0x([0-9a-f]+): (.*)", line):
            lines = named.setdefault(f"{int(address[1], 16):x}", [])
            line = address[2]
        if found := re.match(r"(?: \(inlined by\) )?(.*) at (\S+):(\d+|\?)", line):
            name = in_the_tree(found[2])
            if name.startswith(("src/", "labs/")) and not name.startswith("labs/grader/"):
                lines.append(f"{function_name(found[1])} at {name}:{found[3]}")
            elif "/outside/" in found[2] or "/checks/" in found[2]:
                lines.append(f"{function_name(found[1])} at {Path(found[2]).name}:{found[3]}")
    return named


def readable_places(program: Program, offsets: list[str]) -> list[str]:
    """The places of a stack, one below the other."""
    offsets = [offset for offset in offsets[:40] if re.fullmatch("[0-9a-f]{1,16}", offset)]
    named = named_places(program, list(dict.fromkeys(offsets)))
    return [line for offset in offsets for line in named[offset]]


PLACES = re.compile(r"\{([0-9a-f]{1,16}(?: [0-9a-f]{1,16}){0,7})\}")
MOST_PLACES = 2000      # of one text
PLACES_SHOWN = 3


def with_places(program: Program, text: str) -> str:
    """The explorer's words, each {stack} in them as places. How a lock is made is no news."""
    stacks = [found[1].split() for found in PLACES.finditer(text)]
    named = named_places(program, list(dict.fromkeys(offset for stack in stacks for offset in stack))[:MOST_PLACES])

    def shown(found: re.Match[str]) -> str:
        lines = [line for offset in found[1].split() for line in named.get(offset, []) if "src/machine/spin_lock.h:" not in line]
        return ", called by ".join(lines[:PLACES_SHOWN]) or "a place of the check's own"
    return PLACES.sub(shown, text)


def in_the_tree(path: str) -> str:
    """From the tree's top, wherever that lies: it may itself be called `labs`."""
    return re.sub(r"^.*/(?=(?:src|labs|tests)/)", "", path)


def function_name(name: str) -> str:
    """The framework's names of a check's functions, as they are written."""
    name = re.sub(r"TEST_\w+_Test::testBody\(\)", "the check", name)
    name = re.sub(r".*(?:the check|TEST_GROUP_CppUTestGroup\w+)::.*(?:\{lambda|operator).*", "the check", name)
    return re.sub(r"TEST_GROUP_CppUTestGroup\w+::(setup|teardown)\(\)", r"the check's \1", name).replace("(anonymous namespace)::", "")


def place_of(trace: list[str]) -> str:
    return trace[0].rpartition(" at ")[2] if trace else ""


def tidy(message: str) -> str:
    """CppUTest's message: what it is about, what was expected, what came."""
    lines = [line.strip() for line in message.replace("\t", " ").splitlines() if line.strip()]
    # Of two texts both are shown already.
    lines = [line for line in lines if not line.startswith("difference starts at position") and line != "^"]
    return "\n".join(re.sub(r"^but was ", "came    ", re.sub(r"^Message: ", "", line)) for line in lines)


def sanitizer_finding(program: Program, errors: str) -> tuple[str, list[str]]:
    """What AddressSanitizer or UBSan said, and where."""
    text = re.sub(r"^=+$", "", errors, flags=re.M).strip()
    head = re.search(r"(AddressSanitizer: [^\n]*|[^\n]*runtime error: [^\n]*|terminate called[^\n]*)", text)
    first_stack: list[str] = []
    for line in text.splitlines():
        if frame := re.match(r"\s*#(\d+) .*check\+0x([0-9a-f]+)\)", line):
            if frame[1] == "0" and first_stack:
                break
            # A return address is behind the call.
            first_stack.append(frame[2] if frame[1] == "0" else f"{int(frame[2], 16) - 1:x}")
    what = head[1] if head else ""
    what = re.sub(r"AddressSanitizer: (\S+) on (unknown )?address \S+.*", r"AddressSanitizer: \1", what)
    what = re.sub(r"^/?\S*?(src/\S+: runtime error)", r"\1", what)
    return what, readable_places(program, first_stack)


def judge(check: Check, program: Program, ended: sandbox.Ended, word: bytes, passed: bytes) -> Outcome:
    outcome = Outcome(check, Verdict.FAIL, cpu=ended.cpu)
    if ended.hosts_fault:
        outcome.verdict, outcome.what = Verdict.INFRASTRUCTURE, f"the host ended it ({ended.why})"
        return outcome
    records = [r.split(b"\x1f") for r in ended.records.split(b"\x1e") if r]
    # Only this run's words make a record, one of them a pass and nothing else; what else comes over the channel was forged.
    genuine = [[f.decode(errors="replace") for f in r[1:]] for r in records if secrets.compare_digest(r[0], word)]
    failures = [r for r in genuine if r[0] == "failure" and len(r) == 6]
    if ended.good and records == [[passed, b"passed"]]:
        outcome.verdict = Verdict.PASS
    elif ["missing"] in genuine:
        outcome.verdict, outcome.what = Verdict.INFRASTRUCTURE, f"there is no TEST({check.name.replace('.', ', ')}) among the checks"
    elif failures:
        _, path, line, message, offsets, outcome.schedule = failures[0]
        outcome.what = tidy(message) if not outcome.schedule else with_places(program, message)
        outcome.trace = readable_places(program, offsets.split())
        outcome.place = place_of(outcome.trace) or ("" if outcome.schedule else f"{in_the_tree(path)}:{line}")     # a schedule tells its own
    elif ended.why == "cpu":
        outcome.what = f"did not come to an end: it used {check.cpu_seconds} s of processor time (a loop without end?)"
    elif ended.why == "idle":
        outcome.what = "waits for ever: each of its threads sleeps and none can wake another"
    elif ended.why == "restless":
        outcome.what = "sleeps and wakes without end: whatever it waits for does not come"
    elif ended.why == "memory":
        outcome.what = "used more memory than there is for a check"
    elif ended.why == "tasks":
        outcome.what = "made more threads than a check may"
    elif ended.why == "output":
        outcome.what = "printed more than a check may"
    else:
        said = ended.errors.decode(errors="replace")
        finding, outcome.trace = sanitizer_finding(program, said)
        if died := re.search(r"explorer: the process ended in schedule (\S+)", said):
            outcome.schedule = died[1]
        if told := re.search(r"explorer: (?:failure outside of a schedule: )?(?!the process ended)([^\n]+)", said):
            finding = finding or told[1]
        outcome.place = place_of(outcome.trace)
        if ended.status > 128 and not finding:
            finding = f"ended by signal {ended.status - 128}"
        outcome.what = finding or "the program ended before the check was over"
    outcome.story = with_places(program, ended.output.decode(errors="replace")) if outcome.schedule else ""
    return outcome


def run_check(check: Check, program: Program, seed: int, replay: str = "") -> Outcome:
    limits = sandbox.Limits(cpu_seconds=check.cpu_seconds)
    place = sandbox.Place(read=[(program.path, "/check")])
    for _ in range(ATTEMPTS):
        word, passed = secrets.token_hex(16), secrets.token_hex(16)
        ended = sandbox.run(["/check", check.name], place, limits, words=f"{word} {passed} {seed} {replay}".rstrip().encode(),
                            environment=EXPLORED_SANITIZERS if check.runner == "schedules" else SANITIZERS)
        outcome = judge(check, program, ended, word.encode(), passed.encode())
        if outcome.verdict is not Verdict.INFRASTRUCTURE:
            break
    return outcome


def run_checks(checks: list[Check], programs: dict[str, Program], seed: int, jobs: int, ended: Callable[[Outcome], None],
               replay: str = "") -> list[Outcome]:
    """All of them, some at a time; `ended` hears of each in the order of their ending."""
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        work = {pool.submit(run_check, check, programs[check.runner], seed, replay): check for check in checks}
        for future in as_completed(work):
            ended(future.result())
        return [future.result() for future in work]
