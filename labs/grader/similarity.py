"""Which hand-ins of a class are alike: sim_c++ compares them token by token, so that names and layout do not count.

What everybody has from the skeleton is taken out before. The reference and the known right solutions are candidates too. A pair above
the threshold is a reason to look at both, and nothing more.
"""
import os
import re
from dataclasses import dataclass
from pathlib import Path

from . import handin, sandbox
from .class_plan import Member
from .lab import TREE, Failure, Lab

THRESHOLD = 60              # percent
SHORTEST_RUN = 16           # tokens
LARGEST = 32 * 1024         # bytes of a hand-in's own text, more than any solution has; sim takes the square of a long repetition's length
LIMITS = sandbox.Limits(cpu_seconds=1800, memory=4 << 30, output=64 << 20, wall_seconds=7200)


@dataclass
class Pair:
    one: str
    other: str
    percent: int            # of the smaller share: how much of `one` lies in `other`
    back: int               # and the other way round


def own_text(lab: Lab, texts: dict[str, str]) -> str:
    """What is not the skeleton's, line by line."""
    kept = []
    for path, text in texts.items():
        skeleton = lab.skeleton(path)
        given = {line.strip() for line in skeleton.read_text().splitlines()} if skeleton.is_file() else set()
        kept += [line for line in text.splitlines() if line.strip() not in given]
    return "\n".join(kept)[:LARGEST] + "\n"


def handed_in(lab: Lab, folder: Path) -> dict[str, str]:
    """The files as far as they are there and text; a refused hand-in is compared too."""
    found = {}
    for file in lab.files:
        for place in (file.path, Path(file.path).name):
            try:
                with os.fdopen(handin.open_inside(folder, place), "rb") as opened:
                    found[file.path] = opened.read(handin.LARGEST).decode(errors="replace")
                break
            except OSError:
                continue
    return found


def known(lab: Lab) -> dict[str, dict[str, str]]:
    solutions = {"the reference": TREE} | {f"right/{path.name}": path for path in sorted((lab.folder / "right").glob("*")) if path.is_dir()}
    return {name: handed_in(lab, folder) for name, folder in solutions.items()}


def compare(lab: Lab, members: list[Member], threshold: int = THRESHOLD) -> list[Pair]:
    """The pairs of which one consists for at least `threshold` percent of the other, the most alike first."""
    ours = known(lab)
    texts = {name: own_text(lab, files) for name, files in (ours | {member.name: handed_in(lab, member.path) for member in members}).items() if files}
    names = list(texts)
    with sandbox.scratch() as folder:
        for number, name in enumerate(names):
            (folder / f"{number}.cpp").write_text(texts[name])
            (folder / f"{number}.cpp").chmod(0o644)
        (folder / "list").write_text("".join(f"{number}.cpp\n" for number in range(len(names))))
        (folder / "list").chmod(0o644)
        # sim reads what students wrote: it is confined as their programs are.
        ended = sandbox.run(["sh", "-c", f"sim_c++ -i -p -e -s -a -u -T -t {threshold} -r {SHORTEST_RUN} < list"],
                            sandbox.Place(read=[(folder, "/texts")], directory="/texts"), LIMITS)
    if not ended.good:
        raise Failure(f"sim_c++ did not do its work ({ended.why} {ended.status}): {ended.errors.decode(errors='replace')[:300]}; install similarity-tester")
    share: dict[tuple[int, int], int] = {}
    for one, percent, other in re.findall(r"^(\d+)\.cpp consists for (\d+) % of (\d+)\.cpp material$", ended.output.decode(errors="replace"), re.M):
        share[int(one), int(other)] = int(percent)
    pairs = []
    for one, other in {(min(pair), max(pair)) for pair in share}:
        there, back = share.get((one, other), 0), share.get((other, one), 0)
        if other < len(ours):
            continue        # ours among themselves
        pairs.append(Pair(names[other], names[one], back, there) if back >= there or one < len(ours) else Pair(names[one], names[other], there, back))
    return sorted(pairs, key=lambda pair: (-max(pair.percent, pair.back), pair.one, pair.other))
