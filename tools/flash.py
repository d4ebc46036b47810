"""Writes the SD card's image to a card: `make flash DEV=/dev/sdX` calls it, after make sdcard.

Shows what is on the device and asks; writes with progress; reads all of it back and compares. Refuses what is not a whole
card: partitions, what is mounted or in use, what is read-only or too small, and disks that are built in.
"""
import errno
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from program import Failure

PIECE = 1 << 20
SECTOR = 512
LARGEST_CARD_GIB = 256      # no course has larger ones; built-in disks do


@dataclass
class Disk:
    """A block device as the system describes it."""
    path: Path
    name: str
    bytes: int
    model: str
    removable: bool
    read_only: bool
    partitions: list[tuple[str, int]] = field(default_factory=list)     # name, bytes
    uses: list[str] = field(default_factory=list)                       # why it must not be touched


@dataclass
class System:
    """Where the system describes its devices; tests have their own."""
    sys: Path = Path("/sys/class/block")
    mounts: Path = Path("/proc/self/mountinfo")
    swaps: Path = Path("/proc/swaps")
    number_of: Callable[[Path], str] = lambda path: block_number(path)


def block_number(path: Path) -> str:
    """major:minor of a block device."""
    try:
        status = path.stat()
    except OSError as error:
        raise Failure(f"DEV={path}: {os.strerror(error.errno or 0)}") from None
    if not stat.S_ISBLK(status.st_mode):
        raise Failure(f"DEV={path} is not a block device: a card is one like /dev/sdb or /dev/mmcblk0 (lsblk shows them)")
    return f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}"


def line_of(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def holders(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "holders").glob("*"))


def look(path: Path, system: System) -> Disk:
    """What DEV is. Failure if it is no whole disk."""
    number = system.number_of(path)
    folder = next((one for one in sorted(system.sys.glob("*")) if line_of(one / "dev") == number), None)
    if folder is None:
        raise Failure(f"DEV={path}: the system does not describe it in {system.sys}")
    if (folder / "partition").exists():
        raise Failure(f"DEV={path} is one partition: name the whole card")
    disk = Disk(path, folder.name, int(line_of(folder / "size") or 0) * SECTOR,
                " ".join(filter(None, (line_of(folder / "device" / "vendor"), line_of(folder / "device" / "model"),
                                       line_of(folder / "device" / "name")))) or "unnamed",
                line_of(folder / "removable") == "1" or "/usb" in str(folder.resolve()) or folder.name.startswith("mmcblk"),
                line_of(folder / "ro") == "1")
    parts = {line_of(part / "dev"): part for part in [folder, *sorted(folder.glob(f"{folder.name}*"))]}
    for part in list(parts.values())[1:]:
        disk.partitions.append((part.name, int(line_of(part / "size") or 0) * SECTOR))
    for line in line_of(system.mounts).splitlines():
        words = line.split()
        if len(words) > 4 and words[2] in parts:
            disk.uses.append(f"{parts[words[2]].name} is mounted at {words[4]}")
    swapping = [Path(line.split()[0]).name for line in line_of(system.swaps).splitlines()[1:] if line]
    for part in parts.values():
        disk.uses += [f"{part.name} is swap space"] * (part.name in swapping)
        disk.uses += [f"{part.name} is used by {holder}" for holder in holders(part)]
    return disk


def refuse(disk: Disk, image_bytes: int) -> None:
    if disk.uses:
        raise Failure(f"{disk.path} is in use: {'; '.join(disk.uses)}. Unmount it first, if it is the card at all.")
    if not disk.removable or disk.bytes > LARGEST_CARD_GIB << 30:
        raise Failure(f"{disk.path} ({disk.model}, {size(disk.bytes)}) does not look like a card but like a disk of this machine")
    if disk.read_only:
        raise Failure(f"{disk.path} is read-only: look at the card's little switch")
    if disk.bytes < image_bytes:
        raise Failure(f"{disk.path} has {size(disk.bytes)}, the image needs {size(image_bytes)}")


def size(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB" if count >= 1 << 30 else f"{count >> 20} MiB"


def describe(disk: Disk) -> str:
    lines = [f"{disk.path}: {disk.model}, {size(disk.bytes)}"]
    lines += [f"    {name}: {size(count)}" for name, count in disk.partitions] or ["    no partitions"]
    return "\n".join(lines)


def confirmed(disk: Disk) -> bool:
    print(f"Everything on it will be lost. Type its name ({disk.name}) to go on: ", end="", flush=True)
    return sys.stdin.readline().strip() == disk.name


def progress(what: str, done: int, total: int) -> None:
    if sys.stderr.isatty() or done == total:
        print(f"\r  {what} {done * 100 // total:3}%", end="\n" if done == total else "", file=sys.stderr, flush=True)


def write(image: Path, target: int) -> None:
    total = image.stat().st_size
    done = 0
    with image.open("rb") as source:
        while piece := source.read(PIECE):
            while piece:
                piece = piece[(written := os.write(target, piece)):]
                done += written
            # Piece by piece, so that the progress is the card's and not the memory's.
            os.fsync(target)
            progress("written", done, total)


def compare(image: Path, target: int) -> None:
    """Reads back what the card holds, not what memory still has of it."""
    total = image.stat().st_size
    os.posix_fadvise(target, 0, 0, os.POSIX_FADV_DONTNEED)
    os.lseek(target, 0, os.SEEK_SET)
    done = 0
    with image.open("rb") as source:
        while piece := source.read(PIECE):
            back = b""
            while len(back) < len(piece) and (more := os.read(target, len(piece) - len(back))):
                back += more
            if back != piece:
                at = next((i for i, (one, other) in enumerate(zip(piece, back)) if one != other), len(back))
                raise Failure(f"the card does not hold what was written to it, from byte {done + at} on: try another card")
            done += len(piece)
            progress("compared", done, total)


def flash(image: Path, disk: Disk) -> None:
    try:
        # Exclusive: the system refuses if something uses the device after all.
        target = os.open(disk.path, os.O_RDWR | os.O_EXCL)
    except OSError as error:
        hint = {errno.EACCES: "type it with sudo, or join the group `disk`", errno.EBUSY: "something uses it"}
        raise Failure(f"{disk.path}: {hint.get(error.errno or 0, os.strerror(error.errno or 0))}") from None
    try:
        write(image, target)
        compare(image, target)
    except OSError as error:
        raise Failure(f"{disk.path}: {error.strerror}; what is on the card now is not whole") from None
    finally:
        os.close(target)


def run(device: str, image: Path, system: System) -> int:
    if not device:
        raise Failure("DEV= is wanted: the card, for instance DEV=/dev/sdb (lsblk shows what there is)")
    if not image.is_file():
        raise Failure(f"There is no {image}: type `make sdcard`")
    disk = look(Path(device), system)
    print(describe(disk))
    refuse(disk, image.stat().st_size)
    if not confirmed(disk):
        print("\nNothing was written.")
        return 1
    flash(image, disk)
    print(f"{device} holds {image}. It may be taken out.")
    return 0


def main() -> int:
    try:
        return run(os.environ.get("FORKLORE_DEV", ""), Path(os.environ.get("FORKLORE_BUILD") or "build") / "forklore-sd.img", System())
    except Failure as failure:
        print(f"make flash: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nmake flash: interrupted; what is on the card now may not be whole", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
