"""Makes a student's tree for one lab: a git repository with one commit.

The lab's own files are the skeleton's. Earlier labs are solved by the student's own files (CARRY=dir) as far as there are any, else
by the reference if the instructor says SOLVED=1. Everything else that is a lab's is there as objects without sources or debug
information, so that the whole system boots on the student's code from the first day. Solutions, wrong solutions and hidden checks are
nowhere in it: the tree is put together from a list of what may be in it, and searched afterwards for what may not.
"""
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from . import building, handin, reference, variant
from .lab import LABS, TREE, Failure, load

# Of the instructor's tree, what a student does not get.
WITHHELD = ("tests/hostile/", "tests/system/test_labs_", "tests/schedules/mutants/", "tools/mutants.py", "labs/grader/check_labs.py",
            "labs/grader/handout.py", "labs/grader/autograder.py", "labs/grader/classroom.yml", ".ci/", ".github/")
WITHHELD_IN_LABS = ("wrong", "right", "half", "checks/hidden")
MARK = "labs/HANDOUT"
# A line of a solution that no other source has and that is long enough to say something; so many of them in one file are a copy.
TELLING_LENGTH, TELLING_LINES = 25, 3


@dataclass
class Plan:
    """Where each lab's files come from."""
    secret: set[str] = field(default_factory=set)           # sources that stay with the instructor
    objects: list[str] = field(default_factory=list)        # those of them that a student gets as objects
    carried: dict[str, bytes] = field(default_factory=dict)


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


KINDS = {"kernel": "kernel", "asan": "host/asan", "tsan": "host/tsan", "explored": "host/explored"}


def add_objects(files: list[str], lab: int, out: Path) -> None:
    """The withheld files' objects, for the kernel and for each of the host's builds; and which names each lab's solution asks of the
    rest: the grader links the rest with them in mind."""
    labs = [load(number) for number in lab_numbers() if number <= lab]
    solutions = [f"{KINDS['asan']}/{name}.o" for each in labs for name in each.replaced]
    objects = {(kind, name): f"{folder}/{name}.o" for kind, folder in KINDS.items() for name in files}
    with reference.alone(), building.stage("the objects of the withheld files") as shown:
        building.make(shown, *(str(building.BUILD / goal) for goal in {*objects.values(), *solutions}))
    strip = {"kernel": os.environ.get("FORKLORE_CROSS", "aarch64-linux-gnu-") + "strip"}
    for (kind, name), made in objects.items():
        target = out / "prebuilt" / kind / f"{name}.o"
        target.parent.mkdir(parents=True, exist_ok=True)
        # Without names that no linker needs, and without the lines of the source.
        subprocess.run([strip.get(kind, "strip"), "--strip-unneeded", "-o", str(target), str(building.build_folder() / made)], check=True)
    (out / "prebuilt").mkdir(exist_ok=True)
    for each in labs:
        wanted = reference.undefined_in([building.build_folder() / KINDS["asan"] / f"{name}.o" for name in each.replaced])
        (out / "prebuilt" / f"wanted-lab{each.number}").write_text("\n".join(wanted) + "\n")


def own_files(number: int, carry: Path) -> dict[str, bytes] | None:
    """What the student handed in for an earlier lab; None if there is nothing of it."""
    lab = load(number)
    try:
        return handin.collect(lab, carry).text
    except handin.Unusable as unusable:
        if any((carry / place).exists() for file in lab.files for place in (file.path, Path(file.path).name)):
            raise Failure(f"CARRY={carry}: {unusable}") from None
        return None


def plan(lab: int, carry: Path | None, solved: bool) -> Plan:
    made = Plan()
    for number in lab_numbers():
        own = own_files(number, carry) if carry and number < lab else None
        if own is not None:
            made.carried |= own
            made.secret |= set(solved_by(number))
        elif number == lab or not (number < lab and solved):
            made.secret |= set(solved_by(number))
            made.objects += solved_by(number) if number != lab else []
    if carry and not made.carried:
        raise Failure(f"CARRY={carry}: there is no file of an earlier lab in it")
    return made


def commit(out: Path, lab: int) -> None:
    environment = {"PATH": os.environ["PATH"], "HOME": str(out), "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "Forklore", "GIT_AUTHOR_EMAIL": "forklore@localhost",
                   "GIT_COMMITTER_NAME": "Forklore", "GIT_COMMITTER_EMAIL": "forklore@localhost"}
    # -f: prebuilt objects are what .gitignore usually names.
    for command in (["init", "-q", "-b", "main"], ["add", "-A", "-f", "."], ["commit", "-q", "-m", f"Lab {lab}"]):
        done = subprocess.run(["git", *command], cwd=out, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise Failure(f"git {command[0]}: {done.stderr.strip()}")


def add_workflow(lab: int, out: Path) -> None:
    """What GitHub runs for each push of a student."""
    target = out / ".github" / "workflows" / "classroom.yml"
    target.parent.mkdir(parents=True)
    target.write_text((Path(__file__).parent / "classroom.yml").read_text().replace("@LAB@", str(lab)))


def lines_of(data: bytes) -> set[str]:
    """As they are compared: without what a patch or an indentation puts in front."""
    return {line.lstrip("+- \t").rstrip() for line in data.decode(errors="replace").splitlines()}


def withheld_in_labs() -> list[Path]:
    return [path for labs in LABS.glob("lab[0-9]*") for part in WITHHELD_IN_LABS for path in sorted((labs / part).rglob("*")) if path.is_file()]


def copied(secret: Path, lines: set[str]) -> int:
    """How many of a withheld file's telling lines make another file a copy. Hidden checks ask the same contract as the tests that
    students have, so some lines of theirs are the same: only half of one is a copy."""
    return max(TELLING_LINES, len(lines) // 2) if "hidden" in secret.parts else TELLING_LINES


def search(out: Path, made: Plan) -> None:
    """No withheld file lies anywhere in the handout, under whatever name, nor a part of one. Handouts and documents (.md) quote a line
    or two on purpose; the student's own files are theirs."""
    sources = [out / name for name in made.carried]
    files = [path for path in out.rglob("*") if path.is_file() and ".git" not in path.relative_to(out).parts and path not in sources]
    known = set().union(*(lines_of(path.read_bytes()) for path in files if "src" in path.relative_to(out).parts))
    texts = {path: path.read_bytes() for path in [TREE / name for name in sorted(made.secret)] + withheld_in_labs()}
    telling = {path: {line for line in lines_of(text) if len(line) >= TELLING_LENGTH and not line.startswith("#include")} - known for path, text in texts.items()}
    # A half-done solution may leave a file as the skeleton has it.
    whole = {text: path for path, text in texts.items() if telling[path]}
    for path in files:
        data = path.read_bytes()
        told = lines_of(data) if path.suffix not in (".md", ".o") else set()
        secret = whole.get(data) or next((secret for secret, lines in telling.items() if len(lines & told) >= copied(secret, lines)), None)
        if secret:
            raise Failure(f"{path} would give {secret.relative_to(TREE)} away")


def make_handout(lab: int, out: Path, carry: Path | None, solved: bool, variant_name: str = "") -> None:
    """`out` and nothing else; Failure says why not."""
    if lab not in lab_numbers():
        raise Failure(f"LAB={lab}: there is no such lab")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Failure(f"OUT={out}: an empty folder is wanted, or none")
    if out.resolve().is_relative_to(TREE) and not out.resolve().is_relative_to(building.build_folder().resolve()):
        raise Failure(f"OUT={out}: a folder outside of the instructor's tree is wanted")
    made = plan(lab, carry, solved)
    out.mkdir(parents=True, exist_ok=True)
    for name in tracked():
        if allowed(name, lab, made.secret) and (TREE / name).is_file():
            copy(name, out)
    for name in handed_in(lab):
        copy(name, out, LABS / f"lab{lab}" / name)
    for name, text in made.carried.items():
        (out / name).write_bytes(text)
    add_objects(made.objects, lab, out)
    add_workflow(lab, out)
    (out / MARK).write_text(f"{lab}\n")
    if variant_name:
        (out / variant.FILE).write_text(f"{variant_name}\n")
    search(out, made)
    commit(out, lab)
