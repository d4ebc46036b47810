"""What a submission is judged with: the reference's objects and the checks, made by make before any submission is looked at."""
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from .lab import TREE, Failure, Lab

BUILD = Path(os.environ.get("FORKLORE_BUILD") or "build")
MARGIN_LINES = 25


def build_folder() -> Path:
    return BUILD if BUILD.is_absolute() else TREE / BUILD


def grade_folder() -> Path:
    return build_folder() / "grade"


def make(*goals: str) -> str:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("FORKLORE_", "MAKE", "MFLAGS"))}
    for name in ("CROSS", "HOST_CXX", "QEMU"):
        if value := os.environ.get("FORKLORE_" + name):
            kept[name] = value
    # The folder as it was given: the names in dependency files begin with it.
    command = ["make", "--no-print-directory", f"-j{os.cpu_count() or 1}", f"BUILD={BUILD}", *goals]
    done = subprocess.run(command, cwd=TREE, env=kept, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-MARGIN_LINES:])
        raise Failure(f"The tree that submissions are laid over does not build:\n{said}")
    return done.stdout


def variable(name: str) -> list[str]:
    """One of make's variables."""
    return make("print", f"NAME={name}").split()


def in_tree(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(TREE))
    except ValueError:
        return str(path.resolve())


def newer(target: Path, sources: list[Path]) -> bool:
    if not target.exists():
        return False
    made = target.stat().st_mtime_ns
    return all(source.stat().st_mtime_ns < made for source in sources)


@dataclass
class HostFiles:
    """One of the two builds of the host tier: checks as they are, and checks under the schedule explorer."""
    runner: str                 # check or schedules
    headers: Path               # a tree of headers, all that a submission is compiled with
    rest: Path                  # everything but the submission, in one object
    archive: Path               # what of the portable kernel the checks did not ask for
    compiler: str
    flags: list[str]            # as for the reference, sanitizers included
    link_flags: list[str]
    known: dict[tuple[str, bytes], Path] = field(default_factory=dict)      # objects of files of our own that many hand-ins share


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


def wanted_by_reference(lab: Lab) -> list[str]:
    """What the reference's files of a lab refer to. A student's tree has the answer in a file, for it does not have the reference."""
    told = TREE / "prebuilt" / f"wanted-lab{lab.number}"
    if told.exists():
        return told.read_text().split()
    make(*(f"{BUILD}/host/asan/{path}.o" for path in lab.replaced))
    return undefined_in([build_folder() / "host/asan" / f"{path}.o" for path in lab.replaced])


def link_rest(lab: Lab, objects: list[Path], portable: list[Path], rest: Path, archive: Path, compiler: str) -> None:
    """Links the checks with what they ask for of the kernel. What the reference asks for is wanted too: a submission's own
    copies of inline functions then never come first."""
    archive.unlink(missing_ok=True)
    subprocess.run(["ar", "rcs", str(archive), *map(str, portable)], check=True)
    wanted = wanted_by_reference(lab)
    # The reference's own names stay open: they are the submission's.
    command = [compiler, "-r", "-nostdlib", "-o", str(rest), *map(str, objects), *(f"-Wl,-u,{name}" for name in wanted), str(archive),
               "-lCppUTestExt", "-lCppUTest"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Failure(f"The checks of lab {lab.number} do not link:\n{done.stderr[-2000:]}")


def prepare(lab: Lab, runner: str, goal: str, *variables: str) -> HostFiles:
    made = make(goal, f"LAB_REPLACES={' '.join(lab.replaced)}", *variables)
    lines = {key: value.split() for key, _, value in (line.partition("=") for line in made.splitlines()) if key in ("PORTABLE", "OBJECTS", "FLAGS", "LINK_FLAGS", "CXX")}
    top = lambda names: [TREE / name for name in names]     # noqa: E731 (absolute names stay as they are)
    folder = grade_folder() / f"lab{lab.number}" / runner
    folder.mkdir(parents=True, exist_ok=True)
    headers, rest, archive = grade_folder() / "headers", folder / "rest.o", folder / "rest.a"
    copy_headers(headers)
    portable, objects = top(lines["PORTABLE"]), top(lines["OBJECTS"])
    listed = folder / "objects"
    listing = "\n".join(map(str, [*objects, *portable]))
    if not newer(rest, [*portable, *objects]) or not listed.exists() or listed.read_text() != listing:
        link_rest(lab, objects, portable, rest, archive, lines["CXX"][0])
        listed.write_text(listing)
    return HostFiles(runner, headers, rest, archive, lines["CXX"][0], lines["FLAGS"], lines["LINK_FLAGS"])


def prepare_host(lab: Lab) -> list[HostFiles]:
    """Builds what is missing; quick if nothing changed."""
    made = [prepare(lab, "check", "grade-objects", f"LAB_CHECKS={' '.join(map(in_tree, lab.check_sources))}")]
    if lab.has_schedules:
        made.append(prepare(lab, "schedules", "schedule-objects", f"LAB_SCHEDULES={' '.join(map(in_tree, lab.schedule_sources))}"))
    return made
