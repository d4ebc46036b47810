"""Makes the guest's initial RAM disk: a cpio archive ("newc") that is the same for the same files.

    mkinitrd.py OUT ENTRY...        PATH=FILE    a file (or everything below, if FILE is a folder)
                                    PATH=@PATH2  a hard link to an earlier PATH2
                                    PATH/        an empty folder

The data of every file starts at a multiple of 4096 bytes, so that the kernel can map program pages
straight from the archive: the field for the name is filled up with NULs. Hard links share their inode;
as the format wants it, the data is with the last of them.
"""
import os
import sys
from pathlib import Path

PAGE = 4096
HEADER_SIZE = 110
FOLDER, FILE = 0o040755, 0o100644


class Failure(Exception):
    """A sentence for the user."""


class Archive:
    """Bytes of a newc archive, written front to back."""

    def __init__(self) -> None:
        self.out = bytearray()

    def add(self, name: str, mode: int, inode: int, links: int, data: bytes, aligned: bool = False) -> None:
        field = name.encode() + b"\0"
        start = len(self.out) + HEADER_SIZE
        end = start + len(field)
        end += -end % (PAGE if aligned and data else 4)
        field = field.ljust(end - start, b"\0")
        numbers = [inode, mode, 0, 0, links, 0, len(data), 0, 0, 0, 0, len(field), 0]
        self.out += b"070701" + b"".join(b"%08X" % n for n in numbers) + field + data
        self.out += b"\0" * (-len(self.out) % 4)

    def finish(self) -> bytes:
        self.add("TRAILER!!!", 0, 0, 1, b"")
        return bytes(self.out)


def expand(entries: list[str]) -> tuple[dict[str, Path], dict[str, str], set[str]]:
    """Files, hard links and folders by guest path."""
    files: dict[str, Path] = {}
    links: dict[str, str] = {}
    folders: set[str] = set()
    for entry in entries:
        path, equals, value = entry.partition("=")
        path = path.strip("/")
        if not path or ".." in path.split("/"):
            raise Failure(f"'{entry}' is not a path in the guest")
        if not equals:
            folders.add(path)
        elif value.startswith("@"):
            links[path] = value[1:].strip("/")
        elif Path(value).is_dir():
            folders.add(path)
            for found in sorted(Path(value).rglob("*")):
                inside = f"{path}/{found.relative_to(value).as_posix()}"
                if found.is_dir():
                    folders.add(inside)
                elif found.is_file():
                    files[inside] = found
        elif Path(value).is_file():
            files[path] = Path(value)
        else:
            raise Failure(f"{value}: there is no such file or folder (for /{path} in the guest)")
    for path in [*files, *links, *folders]:
        parts = path.split("/")
        folders.update("/".join(parts[:n]) for n in range(1, len(parts)))
    for path, target in links.items():
        if target not in files:
            raise Failure(f"/{path} is a link to /{target}, which is not in the archive")
    clash = sorted(folders & (files.keys() | links.keys()))
    if clash:
        raise Failure(f"/{clash[0]} is both a folder and a file")
    return files, links, folders


def mode_of(path: str, host: Path) -> int:
    programs = path.startswith("bin/") or os.access(host, os.X_OK)
    return FILE | 0o111 if programs else FILE


def build(entries: list[str]) -> bytes:
    files, links, folders = expand(entries)
    archive = Archive()
    inode = 1
    for path in sorted(folders):
        inode += 1
        archive.add(path, FOLDER, inode, 2, b"")
    for path in sorted(files):
        inode += 1
        names = sorted(link for link, target in links.items() if target == path)
        mode = mode_of(path, files[path])
        for name in names:
            archive.add(name, mode, inode, len(names) + 1, b"")
        archive.add(path, mode, inode, len(names) + 1, files[path].read_bytes(), aligned=True)
    return archive.finish()


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        image = build(sys.argv[2:])
        temporary = Path(sys.argv[1] + ".tmp")
        temporary.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(image)
        temporary.replace(sys.argv[1])
        return 0
    except (Failure, OSError) as failure:
        print(f"mkinitrd: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
