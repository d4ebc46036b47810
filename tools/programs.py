"""Where the debug information of the guest's programs is. Also read inside gdb."""
import os
from pathlib import Path


def program_file(build: Path, name: str) -> Path | None:
    """The copy of a program that has debug information. The grader starts a first program of its own."""
    if name == "init" and os.environ.get("FORKLORE_FIRST_PROGRAM"):
        return Path(os.environ["FORKLORE_FIRST_PROGRAM"])
    folder = build / "user" / "debug" / "bin"
    if (folder / name).is_file():
        return folder / name
    return folder / "tools" if f"bin/{name}=@bin/tools" in (build / "user" / "initrd.list").read_text().split() else None
