"""Who is graded in a class run, and with what: a file that every worker reads, on this machine or another with the same folders."""
import hashlib
import os
import pickle
import re
from dataclasses import dataclass
from pathlib import Path

from . import handin, reference, variant
from .lab import TREE, Failure, Lab

LARGEST_NAME = 60


@dataclass
class Member:
    """One submission: an entry of SUBMISSIONS."""
    name: str
    path: Path
    report: str         # its folder below OUT/reports
    digest: str         # of what it holds: a new hand-in is graded anew


@dataclass
class Plan:
    lab: Lab
    files: reference.Files
    seed: int
    variants: bool      # a seed for each, by its name
    out: Path
    checks: str         # digest of all that decides a mark besides the submission
    todo: list[Member]

    def seed_of(self, member: Member) -> int:
        return variant.seed_of(self.lab.number, member.name) if self.variants else self.seed

    def save(self, path: Path) -> None:
        part = path.with_suffix(".part")
        part.write_bytes(pickle.dumps(self))
        part.replace(path)


def load_plan(path: Path) -> Plan:
    plan = pickle.loads(path.read_bytes())
    assert isinstance(plan, Plan)
    return plan


def report_folder(name: str) -> str:
    """A name that is one on every file system and in every address."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name)[:LARGEST_NAME].lstrip(".")
    return plain if plain == name else f"{plain}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}"


def digest_of(lab: Lab, path: Path) -> str:
    """Of the names of all files and the text of those that are looked at."""
    total = hashlib.sha256(repr(sorted(handin.entries(path))).encode(errors="replace") if path.is_dir() else b"no folder")
    for file in lab.files:
        for place in (file.path, Path(file.path).name):
            try:
                with os.fdopen(handin.open_inside(path, place), "rb") as opened:
                    total.update(opened.read(handin.LARGEST + 1))
            except OSError as error:
                total.update(str(error.errno).encode())
    return total.hexdigest()


def digest_of_checks(lab: Lab, files: reference.Files) -> str:
    """Of what judges: what was built, the marks and the contract, the grader itself."""
    total = hashlib.sha256(reference.digest(files).encode())
    for path in [lab.folder / "lab.yaml", lab.hidden_folder / "checks.yaml", *sorted((TREE / "labs/grader").glob("*.py"))]:
        if path.is_file():
            total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def stored_names(names: list[str]) -> dict[str, str]:
    """By each entry's name one that is UTF-8, as a database and a spreadsheet want it; no two are the same."""
    found: dict[str, str] = {}
    for name in names:
        stored = os.fsencode(name).decode(errors="backslashreplace")
        while stored != name and (stored in names or stored in found.values()):
            stored += "'"
        found[name] = stored
    return found


def entries(folder: Path) -> list[str]:
    try:
        return sorted(entry.name for entry in os.scandir(folder))
    except OSError as error:
        raise Failure(f"SUBMISSIONS={folder}: {error.strerror}") from None


def passed_over(folder: Path) -> list[str]:
    """Entries that are nobody's submission, as file managers and archives leave them: to be named, for one may be meant as one."""
    return [handin.shown(name) for name in entries(folder) if name.startswith(".")]


def members(lab: Lab, folder: Path) -> list[Member]:
    """Every other entry of the folder is somebody's submission; one that is a file gets a report that says so."""
    names = [name for name in entries(folder) if not name.startswith(".")]
    if not names:
        raise Failure(f"SUBMISSIONS={folder}: there is nothing in it; a folder for each submission is wanted")
    return [Member(stored, (folder / name).absolute(), report_folder(name), digest_of(lab, folder / name)) for name, stored in stored_names(names).items()]
