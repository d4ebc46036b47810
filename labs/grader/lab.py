"""What lab.yaml says, read and checked: the one place that knows its keys."""
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

TREE = Path(__file__).resolve().parents[2]
LABS = TREE / "labs"
TIERS = ("host", "target", "board")
RUNNERS = ("check", "schedules", "program")
LOOKS = ("", "fork", "loan", "home")       # labs/grader/look.py
NAME = re.compile(r"[A-Za-z]\w*\.\w+")


class Failure(Exception):
    """A sentence for the person at the keyboard: the grader cannot start."""


@dataclass
class HandIn:
    path: str               # in the tree, and in the submission
    replaces: list[str]     # the reference's files whose objects it takes the place of


@dataclass
class Check:
    name: str               # Group.name, as in TEST(Group, name)
    points: float
    tier: str
    hint: str
    bonus: bool = False
    hidden: bool = False
    runner: str = "check"
    cpu_seconds: int = 10   # of the processor's time, not of the wall's
    guest_seconds: int = 4  # on the target, of its own time
    look: str = ""          # what the grader itself looks at, from outside the machine

    @property
    def id(self) -> str:
        """Names the check everywhere: on the target with its tier behind it."""
        return self.name if self.tier == "host" else f"{self.name}@{self.tier}"


@dataclass
class Contract:
    defines: list[str]
    members: list[str] = field(default_factory=list)    # beginnings of names that the file may define besides
    uses: list[str] = field(default_factory=list)       # beginnings of names that the file may refer to
    headers: list[str] = field(default_factory=list)    # folders or files of src/ that it may include


@dataclass
class Lab:
    number: int
    title: str
    folder: Path
    files: list[HandIn]
    contract: Contract
    floor: float
    checks: list[Check]
    check_sources: list[Path]
    schedule_sources: list[Path]        # of checks that run under the schedule explorer
    hidden_folder: Path
    boot_arguments: str = ""            # of the target tier's machines

    @property
    def replaced(self) -> list[str]:
        return [path for file in self.files for path in file.replaces]

    @property
    def full(self) -> float:
        """Full marks: what is bonus comes on top."""
        return sum(check.points for check in self.checks if not check.bonus)

    def tier(self, tier: str) -> list[Check]:
        return [check for check in self.checks if check.tier == tier]

    def sources(self, folder: str) -> list[Path]:
        """The checks of the target tier: `kernel` or `program`."""
        return [path for top in (self.folder / "checks", self.hidden_folder) for path in sorted((top / folder).glob("*.cpp"))]

    def skeleton(self, path: str) -> Path:
        return self.folder / path


class Reader:
    """A mapping of YAML whose every key must be known."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise Failure(f"{where}: a mapping is wanted, not {type(value).__name__}")
        self.value, self.where = dict(value), where

    def take(self, key: str, kind: type | tuple[type, ...], default: Any = None) -> Any:
        if key not in self.value:
            if default is None:
                raise Failure(f"{self.where}: `{key}` is missing")
            return default
        value = self.value.pop(key)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise Failure(f"{self.where}: `{key}: {value}` is of the wrong kind")
        return value

    def strings(self, key: str, default: list[str] | None = None) -> list[str]:
        value = self.take(key, list, default)
        if not all(isinstance(item, str) for item in value):
            raise Failure(f"{self.where}: `{key}` is a list of texts")
        return value

    def end(self) -> None:
        if self.value:
            raise Failure(f"{self.where}: unknown `{next(iter(self.value))}`")


def read_yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Failure(f"{path}: {error}") from None


def read_check(value: Any, where: str, hidden: bool) -> Check:
    reader = Reader(value, where)
    check = Check(name=reader.take("name", str), points=reader.take("points", (int, float)), tier=reader.take("tier", str, "host"),
                  hint=reader.take("hint", str).strip(), bonus=reader.take("bonus", bool, False), hidden=hidden,
                  runner=reader.take("runner", str, "check"), cpu_seconds=reader.take("cpu_seconds", int, 10),
                  guest_seconds=reader.take("guest_seconds", int, 4), look=reader.take("look", str, ""))
    reader.end()
    if not NAME.fullmatch(check.name):
        raise Failure(f"{where}: `{check.name}` is no Group.name")
    if check.tier not in TIERS or check.runner not in RUNNERS or check.points <= 0 or min(check.cpu_seconds, check.guest_seconds) < 1:
        raise Failure(f"{where}: {check.name}: tier {TIERS}, runner {RUNNERS}, points above 0, cpu_seconds and guest_seconds from 1")
    if {"schedules": "host", "program": "target"}.get(check.runner, check.tier) != check.tier:
        raise Failure(f"{where}: {check.name}: schedules run on the host, programs on the target")
    if check.look not in LOOKS or (check.look and check.runner != "program"):
        raise Failure(f"{where}: {check.name}: `look` is one of {LOOKS}, for a program on the target")
    return check


def read_hidden(folder: Path) -> list[Check]:
    listed = folder / "checks.yaml"
    values = read_yaml(listed) if listed.exists() else []
    return [read_check(value, f"{listed}: check {i + 1}", True) for i, value in enumerate(values or [])]


def load(number: int, hidden: Path | None = None) -> Lab:
    """Lab `number`, with the hidden checks of its own folder or of another."""
    folder = LABS / f"lab{number}"
    path = folder / "lab.yaml"
    if not path.is_file():
        there = ", ".join(sorted(p.parent.name.removeprefix("lab") for p in LABS.glob("lab*/lab.yaml")))
        raise Failure(f"LAB={number}: there is no such lab; there are {there}")
    if hidden is not None and not hidden.is_dir():
        raise Failure(f"HIDDEN={hidden}: there is no such folder")
    hidden = hidden or folder / "checks" / "hidden"
    reader = Reader(read_yaml(path), str(path))
    files = []
    for value in reader.take("files", list):
        file = Reader(value, f"{path}: files")
        name = file.take("path", str)
        files.append(HandIn(name, file.strings("replaces", [name])))
        file.end()
    contract = Reader(reader.take("contract", dict), f"{path}: contract")
    checks = [read_check(value, f"{path}: check {i + 1}", False) for i, value in enumerate(reader.take("checks", list))]
    checks += read_hidden(hidden)
    lab = Lab(number=number, title=reader.take("title", str), folder=folder, files=files,
              contract=Contract(contract.strings("defines"), contract.strings("members", []), contract.strings("uses", []), contract.strings("headers", [])),
              floor=reader.take("floor", (int, float), 0), checks=checks,
              check_sources=sorted((folder / "checks").glob("*.cpp")) + sorted(hidden.glob("*.cpp")),
              schedule_sources=sorted((folder / "checks/schedules").glob("*.cpp")) + sorted((hidden / "schedules").glob("*.cpp")),
              hidden_folder=hidden, boot_arguments=reader.take("boot_arguments", str, ""))
    contract.end()
    reader.end()
    ids = [check.id for check in checks]
    if twice := next((i for i in ids if ids.count(i) > 1), None):
        raise Failure(f"{path}: {twice} is listed twice")
    return lab
