"""Prints which lines and branches of the given files the tests reached, as gcovr's JSON report has it; `make coverage` calls
it. Exits 1 if a file has a line or a branch that was not reached, or is not in the report at all.

    coverage.py REPORT FILE...
"""
import json
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Reached:
    file: str
    lines: dict[int, bool]              # line -> reached
    branches: dict[int, list[bool]]     # line -> each of its branches taken

    def row(self) -> str:
        taken = [one for each in self.branches.values() for one in each]
        return (f"{self.file:36} {share(list(self.lines.values())):>20} {share(taken):>20}   "
                f"{numbers([line for line, reached in self.lines.items() if not reached])}").rstrip()

    def half_taken(self) -> list[int]:
        return [line for line, taken in self.branches.items() if not all(taken)]

    def whole(self) -> bool:
        return bool(self.lines) and all(self.lines.values()) and not self.half_taken()

    def missing(self) -> str:
        half = self.half_taken()
        return f"branches (line {numbers(half)})" if half else "lines"


def share(parts: list[bool]) -> str:
    """`14 of 15 (93.3 %)`; what has no parts is whole."""
    percent = 100 * sum(parts) / len(parts) if parts else 100.0
    return f"{sum(parts)} of {len(parts)} ({percent:.1f} %)"


def numbers(lines: list[int]) -> str:
    return ", ".join(map(str, sorted(lines)))


def read(report: Path, files: list[str]) -> list[Reached]:
    wanted = {file: Reached(file, {}, {}) for file in files}
    for entry in json.loads(report.read_text())["files"]:
        reached = wanted.get(entry["file"])
        if reached is None:
            continue
        for line in entry["lines"]:
            if line.get("gcovr/noncode"):
                continue
            number = line["line_number"]
            reached.lines[number] = reached.lines.get(number, False) or line["count"] > 0
            taken = [branch["count"] > 0 for branch in line["branches"]]
            if taken:
                reached.branches.setdefault(number, []).extend(taken)
    return list(wanted.values())


def main(arguments: list[str]) -> int:
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        files = read(Path(arguments[0]), arguments[1:])
    except (OSError, ValueError, KeyError) as error:
        print(f"coverage: {arguments[0]}: not a report of gcovr: {error}", file=sys.stderr)
        return 1
    print(f"{'file':36} {'lines':>20} {'branches':>20}   lines not reached")
    for file in files:
        print(file.row())
    incomplete = [file for file in files if not file.whole()]
    for file in incomplete:
        print(f"coverage: {file.file} has {file.missing()} that no host test reaches", file=sys.stderr)
    return 1 if incomplete else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
