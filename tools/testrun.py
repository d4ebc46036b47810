"""Runs all tests, group by group; `make test` calls it. The last line is `N passed, N failed`.

    ONLY=GROUP         one group: levels barriers headers thread-safety unit stress schedules kernel user system labs hostile
    ONLY=GROUP:TEST    one test of it: unit:Group.name, system:test_shell.Shell.test_pipeline, kernel:Group.name,
                       user:Group.name; and user:program, user:Group

    REPLAY=SCHEDULE    with ONLY=schedules:Group.name: that schedule alone, told step by step
    EFFORT=N           N times as many schedules; SEED=N others

A group that cannot be built counts as one failed test.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

BUILD = Path(os.environ.get("FORKLORE_BUILD") or "build")
CORES = os.cpu_count() or 1
# For a test that waits for ever; nothing depends on it being reached.
HOST_LIMIT_SECONDS = 1200
KERNEL_TEST_GUEST_SECONDS = "600"
USER_TEST_GUEST_SECONDS = "600"
USER_TEST_MIB = 192      # some use all memory up, which is to be quick
USER_TESTS = BUILD / "user" / "tests"


@dataclass
class Outcome:
    passed: int = 0
    failed: int = 0
    report: list[str] = field(default_factory=list)     # what to show of the failures
    again: list[str] = field(default_factory=list)      # names of failing tests, for ONLY

    def fail(self, name: str, text: str) -> None:
        self.failed += 1
        self.again.append(name)
        self.report.append(text.rstrip())


def environment(**more: str) -> dict[str, str]:
    # The options of the verb must not leak into the makes and runs below it.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FORKLORE_", "MAKE", "MFLAGS"))}
    for name in ("CROSS", "QEMU", "CLANG_CXX", "HOST_CXX", "GDB_PROGRAM", "MKIMAGE", "SFDISK", "MTOOLS", "SB"):
        if value := os.environ.get("FORKLORE_" + name):
            kept[name] = value
    return kept | {"FORKLORE_BUILD": str(BUILD)} | more


def shell(command: list[str], **more: str) -> tuple[int, str]:
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=environment(**more), timeout=HOST_LIMIT_SECONDS)
    except subprocess.TimeoutExpired as late:
        return 124, (late.stdout or b"").decode(errors="replace") + f"\nended after {HOST_LIMIT_SECONDS} s"
    except OSError as error:
        return 127, f"{command[0]}: {error.strerror}"
    return done.returncode, done.stdout.decode(errors="replace")


def make(*goals: str, keep_going: bool = False) -> tuple[int, str]:
    """Builds; shows the step of the build while it goes on."""
    command = ["make", "--no-print-directory", f"-j{CORES}", f"BUILD={BUILD}", *(["-k"] if keep_going else []), *goals]
    job = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                           env=environment(), text=True, errors="replace")
    said: list[str] = []
    shown = time.monotonic()
    assert job.stdout
    for line in job.stdout:
        said.append(line)
        if time.monotonic() - shown > 3:
            shown = time.monotonic()
            print(f"    {line.rstrip()[:100]}", flush=True)
    return job.wait(), "".join(said)


def errors_of(said: str) -> str:
    """A build's output without its quiet command lines."""
    lines = [line for line in said.splitlines() if not re.match(r"  [A-Z+]+ +\S+$", line)]
    return "\n".join(lines[:60])


# --- groups -----------------------------------------------------------------------------------------

def check(goal: str) -> Callable[[str], Outcome]:
    """A group of one test: a tool that reads what there is."""
    def run(_: str) -> Outcome:
        status, said = make(goal)
        outcome = Outcome(passed=int(status == 0))
        if status:
            outcome.fail("", errors_of(said))
        return outcome
    return run


def each_file(goal: str, label: str) -> Callable[[str], Outcome]:
    """A group whose tests are files that make compiles: those that are not up to date afterwards failed."""
    def run(_: str) -> Outcome:
        status, said = make(goal, keep_going=True)
        outcome = Outcome(passed=len(list((BUILD / "host" / goal).rglob("*.ok"))))
        if status:
            for file in sorted(set(re.findall(r"\[\S+: \S+/" + goal + r"/(\S+)\.ok\]", said))) or ["?"]:
                outcome.fail("", f"{file}: {label}")
                # The mark of an earlier, good version may still be there.
                outcome.passed -= int((BUILD / "host" / goal / f"{file}.ok").exists())
            outcome.report.append(errors_of(said))
        return outcome
    return run


def count_cpputest(outcome: Outcome, status: int, said: str, what: str) -> None:
    """Adds what CppUTest's last line says: OK (n tests, n ran, ...) or Errors (n failures, n tests, n ran, ...)."""
    summary = None
    for summary in re.finditer(r"^(OK|Errors) \((?:(\d+) failures?, )?\d+ tests?, (\d+) ran", said, re.M):
        pass
    if not summary:
        outcome.fail("", f"{what} ended with status {status} and without a summary:\n" + "\n".join(said.splitlines()[-60:]))
        return
    names = list(dict.fromkeys(re.findall(r"Failure in (?:IGNORE_)?TEST\((\w+), (\w+)\)", said)))
    failed = len(names)
    outcome.passed += int(summary[3]) - failed
    for group, name in names:
        outcome.fail(f"{group}.{name}", "")
    if failed:
        outcome.report.append("\n".join(line for line in said.splitlines() if not re.match(r"TEST\(.*ms$", line)))
    elif status:
        outcome.fail("", f"{what} passed its tests and ended with status {status}:\n" + "\n".join(said.splitlines()[-40:]))


def cpputest(goal: str) -> Callable[[str], Outcome]:
    def run(only: str) -> Outcome:
        outcome = Outcome()
        status, said = make(goal)
        if status:
            outcome.fail("", errors_of(said))
            return outcome
        status, said = shell([str(BUILD / "host" / goal), "-v", *(["-t", only] if only else [])],
                             TSAN_OPTIONS="halt_on_error=1", UBSAN_OPTIONS="print_stacktrace=1")
        count_cpputest(outcome, status, said, goal)
        return outcome
    return run


def schedules(only: str) -> Outcome:
    """The explorer's cases, each in a process of its own. REPLAY=... runs one schedule of one case and tells its story."""
    outcome = Outcome()
    status, said = make("schedules")
    if status:
        outcome.fail("", errors_of(said))
        return outcome
    options = [f"--{name.lower()}={value}" for name in ("REPLAY", "EFFORT", "SEED")
               if (value := os.environ.get("FORKLORE_" + name))]
    replay = bool(os.environ.get("FORKLORE_REPLAY"))
    status, said = shell([str(BUILD / "host" / "schedules"), "-v", *([] if replay else ["-p"]), *(["-t", only] if only else []),
                          *options], UBSAN_OPTIONS="print_stacktrace=1")
    count_cpputest(outcome, status, said, "schedules")
    if replay and not outcome.failed:
        print("    " + said.rstrip().replace("\n", "\n    "))
    return outcome


def kernel(only: str) -> Outcome:
    """The unit tests again, on the machine itself."""
    outcome = Outcome()
    status, said = make("kernel-test", "run-files")
    if status:
        outcome.fail("", errors_of(said))
        return outcome
    image = BUILD / "target" / "kernel-test.img"
    status, said = shell([sys.executable, "tools/run.py", f"KERNEL={image}", f"TIMEOUT={KERNEL_TEST_GUEST_SECONDS}",
                          "INPUT=/dev/null", *([f"ARGS=test={only}"] if only else [])])
    count_cpputest(outcome, status, said.replace("\r\n", "\n"), "the kernel's tests")
    return outcome


@dataclass
class Section:
    """What one program of a boot said, and the status it ended with; none if it did not end."""
    program: str
    said: str
    status: int | None

    @property
    def complete(self) -> bool:
        return self.status is not None and re.search(r"^(OK|Errors) \(", self.said, re.M) is not None

    @property
    def last_test(self) -> str:
        """The test that ran last: the one to blame if the program did not get to its end."""
        started = re.findall(r"^TEST\((\w+), (\w+)\)", self.said, re.M)
        return ".".join(started[-1]) if started else ""


def boot_programs(programs: list[tuple[str, str]]) -> tuple[list[Section], str]:
    """Runs programs with their options in one boot, up to the first that does not end by itself."""
    with tempfile.TemporaryDirectory(prefix="forklore-tests-") as folder:
        # A program that was killed may have left processes: those after it get a boot of their own.
        script = "".join(f"echo; echo '== {name}'; /add/{name} -v {options}; status=$?; echo; echo \"== ended $status\"\n"
                         "if [ $status -gt 1 ]; then exit 0; fi\n" for name, options in programs)
        (Path(folder) / "all.sh").write_text(script)
        for name in {name for name, _ in programs}:
            shutil.copy(USER_TESTS / name, folder)
        status, said = shell([sys.executable, "tools/run.py", "CMD=sh /add/all.sh", f"ADD={folder}", f"ARGS=memory={USER_TEST_MIB}",
                              f"TIMEOUT={USER_TEST_GUEST_SECONDS}"])
    said = said.replace("\r\n", "\n")
    sections = []
    for part in re.split(r"^== (?!ended)", said, flags=re.M)[1:]:
        program, _, text = part.partition("\n")
        ended = re.search(r"^== ended (\d+)$", text, re.M)
        sections.append(Section(program, text, int(ended[1]) if ended else None))
    return sections, said


def user(only: str) -> Outcome:
    """The programs of tests/user, one boot for all; after a program that crashed or hung, another boot goes on behind it."""
    outcome = Outcome()
    status, said = make("run-files", "user-tests")
    if status:
        outcome.fail("", errors_of(said))
        return outcome
    programs = sorted(p.name for p in USER_TESTS.iterdir())
    options = ""
    if only in programs:
        programs = [only]
    elif only:
        options = "-sg " + only if "." not in only else '"TEST({}, {})"'.format(*only.split(".", 1))
    left = [(program, options) for program in programs]
    while left:
        sections, said = boot_programs(left)
        last = sections[-1] if sections else None
        for section in sections:
            if "(ran nothing" in section.said:
                continue
            # One that is not the last ended by itself: without a summary it tells why it failed.
            if section.complete or section is not last:
                count_cpputest(outcome, section.status or 0, section.said, section.program)
        if last and last.complete:
            left = left[len(sections):]
            continue
        blamed = last.last_test if last else ""
        if last:    # those before it passed or said why not
            finished = max(len(re.findall(r"^TEST\(", last.said, re.M)) - 1, 0)
            failures = re.findall(r"Failure in TEST\((\w+), (\w+)\)", last.said)
            outcome.passed += finished - len(failures)
            for group, name in failures:
                outcome.fail(f"{group}.{name}", "")
        ending = f"status {last.status}" if last and last.status is not None else "no end"
        outcome.fail(blamed, f"{last.program if last else 'the boot'} {blamed}: {ending}:\n" + "\n".join(said.splitlines()[-60:]))
        if not last or not blamed:
            break
        left = [(last.program, f"{options} after={blamed}")] + left[len(sections):]
    if not outcome.passed and not outcome.failed:
        outcome.fail("", f"no test is called {only}")
    return outcome


def system(only: str) -> Outcome:
    """Python tests that drive whole machines, two at a time."""
    outcome = Outcome()
    status, said = make("run-files", "uboot", "standalone", "compilers", f"{BUILD}/host/count.so")
    if status:
        outcome.report.append(errors_of(said))  # tests that need no kernel still run
    status, said = shell([sys.executable, "tests/system/run.py", "--list"])
    if status:
        outcome.fail("", said)
        return outcome
    names = [name for name in said.split() if name.startswith(only)]
    with ThreadPoolExecutor(max_workers=min(2, CORES)) as pool:
        jobs = {pool.submit(shell, [sys.executable, "tests/system/run.py", name]): name for name in names}
        for job in as_completed(jobs):
            status, said = job.result()
            if status == 0:
                outcome.passed += 1
            else:
                outcome.fail(jobs[job], f"{jobs[job]}:\n{said}")
                print(f"    failed: {jobs[job]}", flush=True)
    return outcome


def lines_of(command: list[str], what: str, **more: str) -> Outcome:
    """A program that prints `PASS name` or `FAIL name: why` for each of its tests."""
    outcome = Outcome()
    status, said = shell(command, **more)
    outcome.passed = len(re.findall(r"^PASS ", said, re.M))
    for line in re.findall(r"^FAIL .+$", said, re.M):
        outcome.fail("", line)
    if (status and not outcome.failed) or not (outcome.passed or outcome.failed):
        outcome.fail("", f"{what} ended with status {status}:\n{said}")
    return outcome


def labs(_: str) -> Outcome:
    """A fixed sample of the labs' known solutions gets its known marks; all of them: `make check-labs`."""
    return lines_of([sys.executable, "-m", "grader", "check-labs", "SAMPLE=1"], "check-labs", PYTHONPATH="labs")


def hostile(only: str) -> Outcome:
    """Hand-ins that were never meant to be honest."""
    return lines_of([sys.executable, "tests/hostile/run.py", *([only] if only else [])], "tests/hostile/run.py")


def lines_of_built(goals: list[str], command: list[str], what: str) -> Outcome:
    """The same, when make has made the goals."""
    status, said = make(*goals)
    return lines_of(command, what) if status == 0 else not_built(said)


def not_built(said: str) -> Outcome:
    outcome = Outcome()
    outcome.fail("", errors_of(said))
    return outcome


def pages(only: str) -> Outcome:
    """The pages that our tools write, in a browser without a window."""
    return lines_of_built(["run-files"], [sys.executable, "tests/pages/run.py", *([only] if only else [])], "tests/pages/run.py")


def world(_: str) -> Outcome:
    """Programs written by others, and their own tests where they ship any."""
    return lines_of_built(["run-files", "world"], [sys.executable, "tools/world.py", "test", str(BUILD)], "tools/world.py")


def sanitizer(only: str) -> Outcome:
    """The kernel that SAN=1 builds."""
    status, said = make("SAN=1", "kernel")
    if status:
        return not_built(said)
    return lines_of_built(["run-files", "user-tests"], [sys.executable, "tests/sanitizer/run.py", *([only] if only else [])], "tests/sanitizer/run.py")


GROUPS: dict[str, Callable[[str], Outcome]] = {
    "levels": check("levels"),
    "barriers": check("barriers"),
    "headers": each_file("headers", "does not compile alone"),
    "thread-safety": each_file("thread-safety", "clang complains"),
    "unit": cpputest("unit"),
    "stress": cpputest("stress"),
    "schedules": schedules,
    "kernel": kernel,
    "user": user,
    "system": system,
    "labs": labs,
    "hostile": hostile,
    "pages": pages,
    "world": world,
    "sanitizer": sanitizer,
}
# Only when asked for: they need a browser, which is larger than everything else together, sources that others publish, and the whole
# kernel built once more.
ON_DEMAND = ("pages", "world", "sanitizer")
if Path("labs/HANDOUT").exists():   # a student's tree: there is nothing that these could be tested with
    del GROUPS["labs"], GROUPS["hostile"]


# Each of these keeps one core busy and builds what the other does not.
PAIR = ("schedules", "user")


def side_by_side() -> list[list[str]]:
    return [list(PAIR) if name == PAIR[0] else [name] for name in GROUPS if name != PAIR[1] and name not in ON_DEMAND]


def run_group(name: str, test: str) -> Outcome:
    start = time.monotonic()
    print(f"{name}", flush=True)
    outcome = GROUPS[name](test)
    lines = ["    " + text.replace("\n", "\n    ") for text in filter(None, outcome.report)]
    lines += [f"    again: make test ONLY={name}" + (f":{again}" if again else "") for again in dict.fromkeys(outcome.again)]
    lines.append(f"  {name}: {outcome.passed} passed, {outcome.failed} failed ({time.monotonic() - start:.0f} s)")
    print("\n".join(lines), flush=True)
    return outcome


def main() -> int:
    group, _, test = os.environ.get("FORKLORE_ONLY", "").partition(":")
    if group and group not in GROUPS:
        print(f"ONLY={group}: the groups are {' '.join(GROUPS)}", file=sys.stderr)
        return 2
    passed = failed = 0
    for names in [[group]] if group else side_by_side():
        with ThreadPoolExecutor(max_workers=len(names)) as pool:
            for outcome in pool.map(lambda name: run_group(name, test), names):
                passed, failed = passed + outcome.passed, failed + outcome.failed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
