"""Tests the labs themselves: the grader must give each known solution the mark that is known for it.

A skeleton scores its floor; the reference and every solution in right/ score everything, bonus too, but for those that right/points.yaml gives
full marks or more without all of the bonus; half/ scores what half/points.yaml says; each of wrong/ is caught by the checks that it names; and no check
exists that no wrong solution names. Only the named checks are run against a wrong solution: what else would catch it promises nothing.
"""
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import host_tier, reference
from .grade import Request, grade, new_seed, summary
from .inspection import Refused
from .lab import LABS, TREE, Failure, HandIn, Lab, load, read_yaml
from .sandbox import scratch
from .verdict import Report, Verdict, amount

SAMPLE_STEP = 24        # of the wrong solutions, in the fixed sample


@dataclass
class Specimen:
    """A known solution and what its mark must be."""
    kind: str                       # skeleton, reference, right, half, wrong
    name: str
    lab: Lab
    points: float | None = None
    caught_by: list[str] = field(default_factory=list)
    mistake: str = ""

    @property
    def title(self) -> str:
        return f"lab{self.lab.number}.{self.kind}.{self.name}" if self.name else f"lab{self.lab.number}.{self.kind}"


def like_reference(lab: Lab) -> Lab:
    """The lab as if a student had cut their solution into the reference's files."""
    return replace(lab, files=[HandIn(path, [path]) for path in lab.replaced])


def everything(lab: Lab) -> float:
    return sum(check.points for check in lab.checks)


def read_header(patch: Path) -> tuple[str, list[str]]:
    """(the mistake, the checks that must catch it), from the comment in front of a patch."""
    lines = [line.removeprefix("#").strip() for line in patch.read_text().splitlines() if line.startswith("#")]
    named = [line.partition(":")[2] for line in lines if line.startswith("caught-by:")]
    mistake = " ".join(line for line in lines if not line.startswith("caught-by:"))
    if not mistake or len(named) != 1:
        raise Failure(f"{patch}: it begins with `# what the mistake is` and `# caught-by: check, check`")
    return mistake, [name.strip() for name in named[0].split(",") if name.strip()]


def specimens(lab: Lab) -> list[Specimen]:
    known = {check.id for check in lab.checks}
    found = [Specimen("skeleton", "", lab, lab.floor), Specimen("reference", "", like_reference(lab), everything(lab))]
    right_file = lab.folder / "right" / "points.yaml"
    due = read_yaml(right_file) if right_file.exists() else {}
    for folder in sorted(p for p in (lab.folder / "right").glob("*") if p.is_dir()):
        points = due.get(folder.name, everything(lab))
        if points < lab.full:
            raise Failure(f"{right_file}: {folder.name} is no right solution with less than full marks")
        found.append(Specimen("right", folder.name, lab, points))
    points_file = lab.folder / "half" / "points.yaml"
    shares = read_yaml(points_file) if points_file.exists() else {}
    for folder in sorted(p for p in (lab.folder / "half").glob("*") if p.is_dir()):
        if folder.name not in shares:
            raise Failure(f"{points_file}: it does not say what {folder.name} scores")
        found.append(Specimen("half", folder.name, lab, shares[folder.name]))
    for patch in sorted((lab.folder / "wrong").glob("*.patch")):
        mistake, caught_by = read_header(patch)
        if unknown := [name for name in caught_by if name not in known]:
            raise Failure(f"{patch}: there is no check {unknown[0]}")
        found.append(Specimen("wrong", patch.stem, like_reference(lab), None, caught_by, mistake))
    return found


def sample(found: list[Specimen]) -> list[Specimen]:
    """The same few each time: one of each kind, and every 24th wrong one."""
    kept: list[Specimen] = []
    for kind, step in (("skeleton", 1), ("reference", 1), ("right", 100), ("half", 100), ("wrong", SAMPLE_STEP)):
        kept += [specimen for specimen in found if specimen.kind == kind][::step]
    return kept


def lay_out(specimen: Specimen, folder: Path) -> None:
    """The specimen as a student would hand it in."""
    lab = specimen.lab
    source = {"skeleton": lab.folder, "right": lab.folder / "right" / specimen.name, "half": lab.folder / "half" / specimen.name}.get(specimen.kind, TREE)
    for file in lab.files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            target.write_bytes((source / file.path).read_bytes())
        except OSError as error:
            raise Failure(f"{specimen.title}: {error}") from None
    if specimen.kind == "wrong":
        patch = lab.folder / "wrong" / f"{specimen.name}.patch"
        done = subprocess.run(["git", "apply", "--whitespace=nowarn", str(patch)], cwd=folder, capture_output=True, text=True,
                              env={"PATH": "/usr/bin:/bin", "GIT_CEILING_DIRECTORIES": str(folder.parent)})
        if done.returncode:
            raise Failure(f"{specimen.title}: the patch does not fit the reference any more: {done.stderr.strip()}")


def grade_specimen(specimen: Specimen, files: reference.Files) -> Report:
    with scratch() as folder:
        try:
            lay_out(specimen, folder)
        except Failure as failure:
            return Report(specimen.lab, 0, broken=str(failure))
        lab = specimen.lab
        if specimen.kind == "wrong":
            lab = replace(lab, checks=[check for check in lab.checks if check.id in specimen.caught_by])
        return grade(Request(lab, folder, new_seed(), jobs=1), files)


def compile_reference(lab: Lab, builds: list[reference.HostFiles], folder: Path) -> None:
    """A mistake is in one file; what is the reference's of a hand-in with several is compiled only once."""
    if len(lab.replaced) == 1:
        return
    for host in builds:
        texts = {path: (TREE / path).read_bytes() for path in lab.replaced}
        try:
            host_tier.build(like_reference(lab), host, folder / host.runner, texts)
        except Refused:
            return      # the reference's own grading will tell
        host.known.update({(path, texts[path]): folder / host.runner / f"host{n}" / "file.o" for n, path in enumerate(lab.replaced)})


def failed_checks(report: Report) -> list[str]:
    return [outcome.check.id for outcome in report.outcomes if outcome.verdict is Verdict.FAIL]


def complaint(specimen: Specimen, report: Report) -> str:
    """What is wrong with the mark; nothing if it is the one that must be."""
    if report.infrastructure:
        return summary(report)
    if report.refused:
        return f"refused: {report.refused}"
    failed = failed_checks(report)
    if specimen.kind == "wrong":
        missed = [name for name in specimen.caught_by if name not in failed]
        return f"not caught by {', '.join(missed)}; it fails {', '.join(failed) or 'nothing'} (seed {report.seed})" if missed else ""
    if report.score != specimen.points:
        return f"{amount(report.score)} points, {amount(specimen.points or 0)} are due; it fails {', '.join(failed) or 'nothing'} (seed {report.seed})"
    return ""


def print_table(lab: Lab, caught: dict[str, list[str]], made: list[Specimen]) -> None:
    """The table of mistakes against checks."""
    print(f"\nLab {lab.number}: mistakes against checks (* named and caught, ! named and missed)")
    wide = max((len(s.name) for s in made), default=10)
    for n, check in enumerate(lab.checks, 1):
        print(f"  {'':{wide}}  {n:2} {check.id}")
    for specimen in made:
        marks = "".join("." if check.id not in specimen.caught_by else "*" if check.id in caught[specimen.name] else "!" for check in lab.checks)
        print(f"  {specimen.name:{wide}}  {marks}")


def check_labs(labs: list[Lab], jobs: int, sampled: bool) -> int:
    complaints = 0

    def tell(title: str, wrong: str) -> None:
        nonlocal complaints
        complaints += bool(wrong)
        print(f"FAIL {title}: {wrong}" if wrong else f"PASS {title}", flush=True)

    for lab in labs:
        files = reference.prepare(lab)
        known = specimens(lab)
        chosen = sample(known) if sampled else known
        caught: dict[str, list[str]] = {}
        with scratch() as folder, ThreadPoolExecutor(max_workers=jobs) as pool:
            compile_reference(lab, files.host, folder)
            for specimen, report in zip(chosen, pool.map(lambda s: grade_specimen(s, files), chosen)):
                tell(specimen.title, complaint(specimen, report))
                if specimen.kind == "wrong":
                    caught[specimen.name] = failed_checks(report)
        if not sampled:
            print_table(lab, caught, [s for s in chosen if s.kind == "wrong"])
        named = {name for specimen in known for name in specimen.caught_by}
        idle = [check.id for check in lab.checks if check.id not in named]
        tell(f"lab{lab.number}.every_check_catches_something", f"no wrong solution names {', '.join(idle)}" if idle else "")
    print(f"{'all marks are right' if not complaints else f'{complaints} marks are wrong'}")
    return 1 if complaints else 0


def all_labs() -> list[Lab]:
    numbers = sorted(int(re.sub(r"\D", "", path.parent.name)) for path in LABS.glob("lab*/lab.yaml"))
    return [load(number) for number in numbers]
