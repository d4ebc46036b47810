"""Makes a student's tree for one lab: a git repository with one commit.

The lab's own files are the skeleton's. Earlier labs are solved: by the student's own files (CARRY=dir), or by the reference if the
instructor says SOLVED=1. Everything else that is a lab's is there as objects without sources or debug information, so that the whole
system boots on the student's code from the first day. Solutions, wrong solutions and hidden checks are nowhere in it: the tree is
put together from a list of what may be in it, and searched afterwards for what may not.
"""
import os
import shutil
import subprocess
from pathlib import Path

from . import reference
from .lab import LABS, TREE, Failure, load

# Of the instructor's tree, what a student does not get.
WITHHELD = ("tests/hostile/", "labs/grader/check_labs.py", "labs/grader/handout.py")
WITHHELD_IN_LABS = ("wrong", "right", "half", "checks/hidden")
MARK = "labs/HANDOUT"


def lab_numbers() -> list[int]:
    return sorted(int(path.name.removeprefix("lab")) for path in LABS.glob("lab[0-9]*") if path.is_dir())


def handed_in(number: int) -> list[str]:
    """The files of the skeleton: what a student writes."""
    folder = LABS / f"lab{number}"
    return sorted(str(path.relative_to(folder)) for path in (folder / "src").rglob("*.cpp"))


def solved_by(number: int) -> list[str]:
    """The reference's files of a lab."""
    return load(number).replaced if (LABS / f"lab{number}" / "lab.yaml").exists() else handed_in(number)


def tracked() -> list[str]:
    done = subprocess.run(["git", "ls-files", "-z"], cwd=TREE, capture_output=True, text=True)
    if done.returncode:
        raise Failure(f"{TREE} is no git repository: {done.stderr.strip()}")
    return [name for name in done.stdout.split("\0") if name]


def allowed(name: str, lab: int, secret: set[str]) -> bool:
    if name in secret or name.startswith(WITHHELD):
        return False
    parts = name.split("/")
    if parts[0] == "labs" and len(parts) > 2 and parts[1].startswith("lab"):
        inner = "/".join(parts[2:])
        return int(parts[1].removeprefix("lab")) <= lab and not inner.startswith(WITHHELD_IN_LABS)
    return True


def copy(name: str, out: Path, source: Path | None = None) -> None:
    target = out / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source or TREE / name, target)


def add_objects(files: list[str], out: Path) -> None:
    """The withheld files' objects, for the kernel and for both of the host's builds."""
    build = reference.build_folder()
    kinds = {"kernel": build / "kernel", "asan": build / "host/asan", "tsan": build / "host/tsan"}
    goals = [str(Path(reference.BUILD) / (folder.relative_to(build)) / f"{name}.o") for folder in kinds.values() for name in files]
    reference.make(*goals)
    strip = {"kernel": os.environ.get("FORKLORE_CROSS", "aarch64-linux-gnu-") + "strip"}
    for kind, folder in kinds.items():
        for name in files:
            target = out / "prebuilt" / kind / f"{name}.o"
            target.parent.mkdir(parents=True, exist_ok=True)
            # Without names that no linker needs, and without the lines of the source.
            subprocess.run([strip.get(kind, "strip"), "--strip-unneeded", "-o", str(target), str(folder / f"{name}.o")], check=True)


def add_wanted(lab: int, out: Path) -> None:
    """Which names the lab's solution asks of the rest: the grader links the rest with them in mind."""
    for number in range(lab + 1):
        if (LABS / f"lab{number}" / "lab.yaml").exists():
            (out / "prebuilt" / f"wanted-lab{number}").write_text("\n".join(reference.wanted_by_reference(load(number))) + "\n")


def carried(path: str, carry: Path) -> Path:
    source = carry / path
    if not source.is_file() or source.is_symlink():
        raise Failure(f"CARRY={carry}: there is no {path} in it")
    return source


def commit(out: Path, lab: int) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(out), "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "Forklore", "GIT_AUTHOR_EMAIL": "forklore@localhost",
                   "GIT_COMMITTER_NAME": "Forklore", "GIT_COMMITTER_EMAIL": "forklore@localhost"}
    # -f: prebuilt objects are what .gitignore usually names.
    for command in (["init", "-q", "-b", "main"], ["add", "-A", "-f", "."], ["commit", "-q", "-m", f"Lab {lab}"]):
        done = subprocess.run(["git", *command], cwd=out, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise Failure(f"git {command[0]}: {done.stderr.strip()}")


def search(out: Path, secret: set[str]) -> None:
    """No withheld file's text lies anywhere in the handout, under whatever name."""
    texts = {(TREE / name).read_bytes(): name for name in secret if (TREE / name).is_file()}
    for labs in LABS.glob("lab[0-9]*"):
        for part in WITHHELD_IN_LABS:
            texts |= {path.read_bytes(): str(path.relative_to(TREE)) for path in (labs / part).rglob("*") if path.is_file()}
    for path in out.rglob("*"):
        if path.is_file() and path.stat().st_size and (name := texts.get(path.read_bytes())):
            raise Failure(f"{path} would give {name} away")


def make_handout(lab: int, out: Path, carry: Path | None, solved: bool) -> None:
    numbers = lab_numbers()
    if lab not in numbers:
        raise Failure(f"LAB={lab}: there is no such lab")
    if out.exists() and any(out.iterdir()):
        raise Failure(f"OUT={out}: it is not empty")
    open_labs = [n for n in numbers if n < lab and solved and not carry]
    secret = {name for n in numbers if n not in open_labs for name in solved_by(n)}
    carried_files = {name: carried(name, carry) for n in numbers if n < lab for name in handed_in(n)} if carry else {}
    objects = sorted(name for n in numbers if n != lab and n not in open_labs and not (carry and n < lab) for name in solved_by(n))
    out.mkdir(parents=True, exist_ok=True)
    for name in tracked():
        if allowed(name, lab, secret) and (TREE / name).is_file():
            copy(name, out)
    for name in handed_in(lab):
        copy(name, out, LABS / f"lab{lab}" / name)
    for name, source in carried_files.items():
        copy(name, out, source)
    add_objects(objects, out)
    add_wanted(lab, out)
    (out / MARK).write_text(f"{lab}\n")
    search(out, secret)
    commit(out, lab)
