"""What a submission is judged with: the reference's objects and the checks, made by make before any submission is looked at."""
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TypeVar

from .building import BUILD, Stage, build_folder, make, stage
from .lab import TREE, Check, Failure, Lab

def grade_folder() -> Path:
    return build_folder() / "grade"


def in_tree(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(TREE))
    except ValueError:
        return str(path.resolve())


def linked(made: Path, inputs: list[Path], link: Callable[[], None]) -> None:
    """Calls `link` unless `made` is newer than all its inputs, was made of these and no others, and its making was not cut off."""
    listed, listing = made.with_suffix(".inputs"), "\n".join(map(str, inputs))
    if made.exists() and listed.exists() and listed.read_text() == listing:
        time = made.stat().st_mtime_ns
        if all(each.stat().st_mtime_ns < time for each in inputs):
            return
    listed.unlink(missing_ok=True)
    link()
    listed.write_text(listing)


@dataclass
class HostFiles:
    """One of the two builds of the host tier: checks as they are, and checks under the schedule explorer."""
    runner: str                 # check or schedules
    headers: Path               # a tree of headers, all that a submission is compiled with
    rest: Path                  # everything but the submission, in one object
    bare: Path                  # the same without debugging information, which takes longer to link than all else; the explorer needs it always
    archive: Path               # what of the portable kernel the checks did not ask for
    compiler: str
    flags: list[str]            # as for the reference, sanitizers included
    link_flags: list[str]
    known: dict[tuple[str, bytes], Path] = field(default_factory=dict)      # objects of files of our own that many hand-ins share


@dataclass
class TargetFiles:
    headers: Path
    rest: Path                  # the kernel less the submission, with the runner and the checks, in one object
    bare: Path                  # the same without debugging information
    compiler: str
    flags: list[str]            # as for the reference
    link_flags: list[str]
    script: Path                # the linker's
    initrd: Path                # whose first process is the program with the checks at EL0
    dtb: Path
    layout: dict[str, int]      # where members lie in the kernel's objects
    symbols: dict[str, str]     # nm's letter of each name in `rest`


@dataclass
class Files:
    """For each tier that has a check to run."""
    host: list[HostFiles]
    target: TargetFiles | None = None
    left_out: str = ""          # why there is no target tier in a student's tree


def copy_headers(to: Path) -> None:
    """src's headers, the host's half of the seam: nothing that says how something is solved."""
    folders = ["src", "tests/host/machine_inline", "tests/explorer/machine_inline", "tools/c++"]
    wanted: set[Path] = set()
    # syscall.h stands in for libc's, which <atomic> would bring along.
    sources = [TREE / "tests/host/syscall.h", *(file for folder in folders for file in (TREE / folder).rglob("*"))]
    for file in sources:
        name = file.relative_to(TREE)
        if not file.is_file() or (name.parts[0] == "src" and (file.suffix != ".h" or name.parts[1] == "user")):
            continue
        inner = to / name
        wanted.add(inner)
        if not inner.exists() or inner.read_bytes() != file.read_bytes():
            inner.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, inner)
    for file in to.rglob("*"):
        if file.is_file() and file not in wanted:
            file.unlink()


def undefined_in(objects: list[Path]) -> list[str]:
    if not objects:
        return []
    said = subprocess.run(["nm", "--undefined-only", *map(str, objects)], capture_output=True, text=True, check=True).stdout
    return sorted({line.split()[-1] for line in said.splitlines() if line.startswith(" ") and not line.split()[-1].startswith(("__asan", "__ubsan"))})


def wanted_by_reference(lab: Lab, shown: Stage) -> list[str]:
    """What the reference's files of a lab refer to. A student's tree has the answer in a file, for it does not have the reference."""
    told = TREE / "prebuilt" / f"wanted-lab{lab.number}"
    if told.exists():
        return told.read_text().split()
    make(shown, *(f"{BUILD}/host/asan/{path}.o" for path in lab.replaced))
    return undefined_in([build_folder() / "host/asan" / f"{path}.o" for path in lab.replaced])


def link_rest(lab: Lab, shown: Stage, objects: list[Path], portable: list[Path], rest: Path, archive: Path, compiler: str) -> None:
    """Links the checks with what they ask for of the kernel. What the reference asks for is wanted too: a submission's own
    copies of inline functions then never come first."""
    archive.unlink(missing_ok=True)
    subprocess.run(["ar", "rcs", str(archive), *map(str, portable)], check=True)
    wanted = wanted_by_reference(lab, shown)
    # The reference's own names stay open: they are the submission's.
    command = [compiler, "-r", "-nostdlib", "-o", str(rest), *map(str, objects), *(f"-Wl,-u,{name}" for name in wanted), str(archive),
               "-lCppUTestExt", "-lCppUTest"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Failure(f"The checks of lab {lab.number} do not link:\n{done.stderr[-2000:]}")


def strip(tool: str, rest: Path, bare: Path) -> None:
    subprocess.run([tool, "--strip-debug", str(rest), str(bare)], capture_output=True, check=True)


def prepare_runner(lab: Lab, shown: Stage, runner: str, goal: str, *variables: str) -> HostFiles:
    made = make(shown, goal, f"LAB_REPLACES={' '.join(lab.replaced)}", *variables)
    lines = said_by_make(made)
    top = lambda names: [TREE / name for name in names]     # noqa: E731 (absolute names stay as they are)
    folder = grade_folder() / f"lab{lab.number}" / runner
    folder.mkdir(parents=True, exist_ok=True)
    headers, rest, archive = grade_folder() / "headers", folder / "rest.o", folder / "rest.a"
    bare = rest if runner == "schedules" else folder / "bare.o"
    copy_headers(headers)
    portable, objects = top(lines["PORTABLE"]), top(lines["OBJECTS"])

    def link() -> None:
        shown.step(f"LINK {rest.name}")
        link_rest(lab, shown, objects, portable, rest, archive, lines["CXX"][0])
        if bare != rest:
            strip("objcopy", rest, bare)

    linked(bare, [*objects, *portable], link)
    return HostFiles(runner, headers, rest, bare, archive, lines["CXX"][0], lines["FLAGS"], lines["LINK_FLAGS"])


def prepare_host(lab: Lab, runners: set[str]) -> list[HostFiles]:
    """Builds what is missing; quick if nothing changed."""
    made = []
    if "check" in runners:
        with stage("the portable kernel and the checks, with sanitizers") as shown:
            made.append(prepare_runner(lab, shown, "check", "grade-objects", f"LAB_CHECKS={' '.join(map(in_tree, lab.check_sources))}"))
    if "schedules" in runners:
        with stage("the portable kernel and the checks, for the schedule explorer") as shown:
            made.append(prepare_runner(lab, shown, "schedules", "schedule-objects", f"LAB_SCHEDULES={' '.join(map(in_tree, lab.schedule_sources))}"))
    return made


# --- the target tier -----------------------------------------------------------------------------------------------------

# What would start the first program starts the runner; the first C++ of each core takes the run's key.
WRAPPED = ("_Z19start_first_processv", "_Z10enter_corej", "_ZdlPv", "_ZdlPvm")


# What labs/grader/look.py asks for: name there, and the member for the debugger.
MEMBERS = {
    **{f"{kind}.{member}": f"(({kind}*)0)->{member}" for kind, members in {
        "Proc": "pid state parent table_link sibling_link children task lent_thread loans",
        "Task": "space threads", "Thread": "uthread task_link", "UThread": "proc"}.items() for member in members.split()},
    "UThread.loan.engaged": "((UThread*)0)->loan._M_payload._M_engaged",
    "UThread.loan.child": "((UThread*)0)->loan._M_payload._M_payload._M_value.child_",
    "AddressSpace.root": "((AddressSpace*)0)->tables_.root_",
}


def read_layout(rest: Path) -> dict[str, int]:
    debugger = os.environ.get("FORKLORE_GDB_PROGRAM") or "gdb-multiarch"
    asked = [word for member in MEMBERS.values() for word in ("-ex", f'printf "%ld\\n", (long)&{member}')]
    try:
        done = subprocess.run([debugger, "-nx", "-batch", *asked, str(rest)], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise Failure(f"{debugger}: {error.strerror}; install gdb-multiarch (`make setup` does)") from None
    values = [int(line) for line in done.stdout.splitlines() if line.isdigit()]
    if len(values) != len(MEMBERS):
        raise Failure(f"{debugger} does not say where the kernel's members lie: {done.stderr[-1000:]}")
    return dict(zip(MEMBERS, values))


# Objects where the look begins.
PROCESSES, FRAMES = "_ZN12_GLOBAL__N_15tableE", "_ZN5pages5tableE"      # family.cpp, page.cpp


def kinds_of_symbols(tool: str, rest: Path) -> dict[str, str]:
    said = subprocess.run([tool, str(rest)], capture_output=True, text=True, check=True).stdout
    defined = [line.rsplit(maxsplit=2) for line in said.splitlines() if line[0] != " "]
    names = [name for _, _, name in defined]
    for name in (PROCESSES, FRAMES):    # the wrong one would be a wrong mark
        if names.count(name) != 1:
            raise Failure(f"{name} is there {names.count(name)} times in the kernel: the grader does not know which one to look at")
    return {name: kind for _, kind, name in defined}


def said_by_make(text: str) -> dict[str, list[str]]:
    return {key: value.split() for key, equals, value in (line.partition("=") for line in text.splitlines()) if equals and key.isupper()}


def prepare_target(lab: Lab, shown: Stage) -> TargetFiles:
    """Builds what is missing of the pristine kernel, the runner and the lab's checks; quick if nothing changed."""
    for sources in ("newlib/stamp", "cpputest-source/stamp"):
        if not (build_folder() / sources).exists():     # make must see them to know what there is to compile
            shown.step(sources)
            make(shown, f"{BUILD}/{sources}")
    kernel, program = ([in_tree(path) for path in lab.sources(folder)] for folder in ("kernel", "program"))
    said = said_by_make(make(shown, "grade-target", f"LAB_NUMBER={lab.number}", f"LAB_REPLACES={' '.join(lab.replaced)}",
                             f"LAB_KERNEL_CHECKS={' '.join(kernel)}", f"LAB_PROGRAM_CHECKS={' '.join(program)}"))
    folder = grade_folder() / f"lab{lab.number}"
    folder.mkdir(parents=True, exist_ok=True)
    headers, rest, bare, known = grade_folder() / "headers", folder / "target.o", folder / "target-bare.o", folder / "target.json"
    copy_headers(headers)
    compiler, inputs = said["CXX"][0], [TREE / name for name in (*said["OBJECTS"], *said["LIBRARIES"])]

    def link() -> None:
        shown.step(f"LINK {rest.name}")
        done = subprocess.run([compiler, "-r", "-nostdlib", "-o", str(rest), *(f"-Wl,--wrap={name}" for name in WRAPPED), *map(str, inputs)],
                              capture_output=True, text=True)
        if done.returncode:
            raise Failure(f"The kernel with the checks of lab {lab.number} does not link:\n{done.stderr[-2000:]}")
        tools = compiler.removesuffix("g++")
        known.write_text(json.dumps([read_layout(rest), kinds_of_symbols(tools + "nm", rest)]))
        strip(tools + "objcopy", rest, bare)

    linked(bare, inputs, link)
    return TargetFiles(headers, rest, bare, compiler, said["FLAGS"], said["LINK"], TREE / "src/boot/kernel.ld", TREE / said["INITRD"][0], build_folder() / "rpi3.dtb",
                       *json.loads(known.read_text()))


@contextmanager
def alone() -> Iterator[None]:
    """One grader at a time builds in this folder: two makes would write the same objects. The kernel drops the lock of one that is killed."""
    grade_folder().mkdir(parents=True, exist_ok=True)
    with (grade_folder() / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def prepare(lab: Lab, only: str = "") -> Files:
    """For all checks, or for one."""
    with alone():
        return build(lab, [check for check in lab.checks if only in ("", check.id)])


def build(lab: Lab, wanted: list[Check]) -> Files:
    files = Files(prepare_host(lab, {check.runner for check in wanted if check.tier == "host"}))
    if any(check.tier == "target" for check in wanted):
        try:
            with stage("the kernel, its programs and the checks, for the board") as shown:
                files.target = prepare_target(lab, shown)
        except Failure as failure:
            if not (TREE / "labs" / "HANDOUT").exists():
                raise
            files.left_out = str(failure)
    return files


# --- for a class -----------------------------------------------------------------------------------------------------------

@contextmanager
def prepared_apart(lab: Lab, name: str) -> Iterator[Files]:
    """In a folder of its own, that nobody builds in: whoever edits and grades beside a class changes nothing for it."""
    folder = grade_folder() / f"apart-{name}"
    with alone():
        shutil.rmtree(folder, ignore_errors=True)      # of a run that was killed
        files = copied(build(lab, lab.checks), folder)
    try:
        yield files
    finally:
        shutil.rmtree(folder, ignore_errors=True)


Tier = TypeVar("Tier", HostFiles, TargetFiles)


def copied(files: Files, folder: Path) -> Files:
    made: dict[Path, Path] = {}

    def copy(path: Path) -> Path:
        if path not in made:
            made[path] = folder / f"{len(made)}" / path.name
            made[path].parent.mkdir(parents=True)
            if path.is_dir():
                shutil.copytree(path, made[path])
            else:
                shutil.copyfile(path, made[path])
        return made[path]

    def of(tier: Tier) -> Tier:
        return replace(tier, **{each.name: copy(value) for each in fields(tier) if isinstance(value := getattr(tier, each.name), Path)})

    return Files([of(host) for host in files.host], of(files.target) if files.target else None, files.left_out)


def digest(files: Files) -> str:
    """Of all that a submission meets: checks with all they include, kernel, headers, flags, linker script, and which tools."""
    total = hashlib.sha256()
    tools = [os.environ.get("FORKLORE_QEMU") or "qemu-system-aarch64"] if files.target else []
    for tier in [*files.host, *([files.target] if files.target else [])]:
        tools.append(tier.compiler)
        for each in fields(tier):
            value = getattr(tier, each.name)
            if not isinstance(value, Path):
                total.update(repr(value).encode() + b"\0")
                continue
            for path in sorted(value.rglob("*")) if value.is_dir() else [value]:
                if path.is_file():
                    total.update(str(path.relative_to(value)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    for tool in tools:
        total.update(subprocess.run([tool, "--version"], capture_output=True, check=True).stdout)
    return total.hexdigest()
