"""What our tools need to run others: a sentence when something is missing or fails."""
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any


class Failure(Exception):
    """A sentence for the user."""


def tool(name: str, variable: str, package: str) -> str:
    """The path of a program, from the variable or PATH."""
    wanted = os.environ.get(variable) or name
    # fdisk's programs are in /usr/sbin, which is not in a user's PATH.
    found = shutil.which(wanted) or shutil.which(wanted, path="/usr/sbin:/sbin")
    if not found:
        raise Failure(f"There is no {wanted} here: install {package} (`make setup` does), or set {variable} to its path. "
                      "`make doctor` checks everything.")
    return found


def call(command: list[str], text: str | None = None, **settings: Any) -> None:
    done = subprocess.run(command, input=text, capture_output=True, text=True, **settings)
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise Failure(f"{Path(command[0]).name} failed: {said[-1] if said else f'status {done.returncode}'}")


def existing(path: Path, what: str, fix: str) -> Path:
    if not path.is_file():
        raise Failure(f"There is no {what} {path}: {fix}")
    return path
