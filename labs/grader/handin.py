"""Takes the listed files from a submission, and nothing else; says in a student's words what is wrong with it."""
import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from .lab import LABS, Failure, Lab, load

LARGEST = 256 * 1024
LONGEST_LINE = 2000
LOOKED_AT = 2000        # entries of a submission, when a file is searched for
NAMES_SHOWN = 12


class Unusable(Exception):
    """Why there is nothing to grade, for the student."""


@dataclass
class Files:
    """The text of each file to hand in, by its path in the tree."""
    text: dict[str, bytes] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)


def shown(name: str | bytes) -> str:
    """A file's name as it can be printed anywhere."""
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    text = "".join(c if c.isprintable() and c not in "<>&\"'`\\" else f"\\x{ord(c) & 0xff:02x}" for c in name)
    return text if len(text) <= 80 else text[:77] + "..."


def entries(folder: Path) -> list[str]:
    """The submission's files and links, without following any link; at most LOOKED_AT."""
    found: list[str] = []
    for at, folders, files in os.walk(folder):
        folders[:] = [f for f in sorted(folders) if f != ".git"]
        links = [f for f in folders if os.path.islink(os.path.join(at, f))]
        found += [os.path.relpath(os.path.join(at, f), folder) for f in sorted(files) + links]
        if len(found) >= LOOKED_AT:
            return found[:LOOKED_AT]
    return found


def open_inside(folder: Path, path: str) -> int:
    """Opens a file below a folder; no part of its path may be a link."""
    at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        *folders, name = path.split("/")
        for part in folders:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            os.close(at)
            at = below
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
    finally:
        os.close(at)


def explain(error: OSError, path: str) -> str:
    if error.errno == errno.ELOOP:
        return f"{path} is a symbolic link. Hand in the file itself."
    if error.errno == errno.ENOTDIR:
        return f"Something on the way to {path} is a file or a link where a folder should be."
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"{path} cannot be read: its permissions forbid it."
    return f"{path} cannot be read: {error.strerror}."


def looks_like_another(lab: Lab, there: list[str]) -> str:
    """The hand-in of which other lab this seems to be."""
    names = {os.path.basename(path) for path in there}
    for file in sorted(LABS.glob("lab*/lab.yaml")):
        number = int(file.parent.name.removeprefix("lab"))
        if number != lab.number:
            try:
                other = load(number)
            except Failure:
                continue
            if all(os.path.basename(f.path) in names for f in other.files):
                return f" This looks like a hand-in for lab {number} ({other.title}); here lab {lab.number} is graded."
    return ""


def missing(lab: Lab, path: str, folder: Path) -> str:
    there = entries(folder)
    if not there:
        return "The hand-in is empty: there is no file in it."
    name = os.path.basename(path)
    elsewhere = [p for p in there if os.path.basename(p).lower() == name.lower()]
    if elsewhere:
        return (f"{path} is missing. There is a file {shown(elsewhere[0])}: the grader takes {path}, or {name} at the top "
                "of the hand-in, and nothing from other folders. Hand it in again at its place.")
    listing = ", ".join(shown(p) for p in there[:NAMES_SHOWN]) + (", ..." if len(there) > NAMES_SHOWN else "")
    return f"{path} is missing.{looks_like_another(lab, there)} The hand-in holds: {listing}."


def check_text(path: str, data: bytes, lab: Lab) -> None:
    if not data.strip():
        raise Unusable(f"{path} is empty.")
    if data.startswith(b"\x7fELF"):
        raise Unusable(f"{path} is a compiled program or object, not C++ text.")
    if b"\0" in data:
        raise Unusable(f"{path} is not text: it holds zero bytes (UTF-16, an archive or a compiled file?).")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        at = data[:error.start].count(b"\n") + 1
        raise Unusable(f"{path}, line {at}: this is not UTF-8 text.") from None
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if len(line) > LONGEST_LINE:
            raise Unusable(f"{path}, line {number}: a line of {len(line)} characters; {LONGEST_LINE} are the most.")
        # Among them are those that turn the direction of writing, or are an end of a line to some and not to others, so that a file reads
        # otherwise than it compiles.
        if odd := next((c for c in line if not c.isprintable() and c != "\t"), None):
            raise Unusable(f"{path}, line {number}: an invisible character (U+{ord(odd):04X}).")


def take(lab: Lab, path: str, folder: Path) -> bytes:
    descriptor = -1
    for place in (path, os.path.basename(path)):
        try:
            descriptor = open_inside(folder, place)
            break
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise Unusable(explain(error, shown(place))) from None
    if descriptor < 0:
        raise Unusable(missing(lab, path, folder))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise Unusable(f"{path} is not a plain file.")
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise Unusable(f"{path} is larger than {LARGEST // 1024} KiB.")
    check_text(path, data, lab)
    return data


def collect(lab: Lab, folder: Path) -> Files:
    """Unusable says what is wrong; Failure that there is no submission at all."""
    try:
        if not stat.S_ISDIR(os.stat(folder).st_mode):
            raise Unusable(f"The hand-in is a file ({shown(folder.name)}), not a folder with {', '.join(f.path for f in lab.files)}.")
    except OSError as error:
        raise Failure(f"SUBMISSION={folder}: {error.strerror}") from None
    files = Files({file.path: take(lab, file.path, folder) for file in lab.files})
    there = entries(folder)
    taken = {file.path if file.path in there else os.path.basename(file.path) for file in lab.files}
    files.ignored = [shown(p) for p in there if p not in taken]
    return files
