"""The zip that Gradescope takes: setup.sh makes the image, run_autograder grades /autograder/submission in it.

It holds the tree with the lab's hidden checks, and none of the known solutions and mistakes.
"""
import zipfile
from pathlib import Path

from .handout import WITHHELD, WITHHELD_IN_LABS, tracked
from .lab import TREE, Failure, Lab

PLACE = "forklore"      # below /autograder/source
KEPT = ("labs/grader/", "labs/README.md")
SETUP = """#!/bin/sh
# Once, when the image is made: what is needed from Debian's or Ubuntu's packages, then everything but the submission is compiled.
set -e
cd "$(dirname "$0")/{place}"
if ! command -v make >/dev/null || ! command -v python3 >/dev/null; then
    apt-get update
    apt-get install -y --no-install-recommends make python3
fi
for verb in run grade; do
    tools/setup.sh $verb
done
PYTHONPATH=labs PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m grader prepare LAB={lab}
"""
RUN = """#!/bin/sh
# Once a submission. Without a verdict there is no score: Gradescope then says that the autograder failed, and the run can be repeated.
here=/autograder
mkdir -p $here/results
rm -rf $here/results/results.json $here/results/graded
cd $here/source/{place}
PYTHONPATH=labs PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m grader grade LAB={lab} SUBMISSION=$here/submission OUT=$here/results/graded QUIET=1
[ ! -e $here/results/graded/results.json ] || cp $here/results/graded/results.json $here/results/results.json
"""


def wanted(name: str, lab: Lab) -> bool:
    if name.startswith(KEPT) or name.startswith(f"labs/lab{lab.number}/checks/"):
        return True
    parts = name.split("/")
    if parts[0] == "labs" and len(parts) > 2 and parts[1].startswith("lab"):
        return not "/".join(parts[2:]).startswith(WITHHELD_IN_LABS)
    return not name.startswith(WITHHELD)


def add(archive: zipfile.ZipFile, name: str, data: bytes, program: bool = False) -> None:
    entry = zipfile.ZipInfo(name, (2000, 1, 1, 0, 0, 0))    # the same zip for the same tree
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (0o100755 if program else 0o100644) << 16
    archive.writestr(entry, data)


def make_autograder(lab: Lab, out: Path) -> None:
    hidden = lab.folder / "checks" / "hidden"
    inner = f"labs/lab{lab.number}/checks/hidden"
    files = {name: TREE / name for name in tracked() if wanted(name, lab) and (TREE / name).is_file()}
    if lab.hidden_folder and lab.hidden_folder.resolve() != hidden.resolve():     # HIDDEN=dir takes the place of the lab's own
        files = {name: path for name, path in files.items() if not name.startswith(inner)}
        files |= {f"{inner}/{path.relative_to(lab.hidden_folder)}": path for path in sorted(lab.hidden_folder.rglob("*")) if path.is_file()}
    out.parent.mkdir(parents=True, exist_ok=True)
    part = out.with_name(out.name + ".part")
    try:
        with zipfile.ZipFile(part, "w") as archive:
            words = {"place": PLACE, "lab": lab.number}
            add(archive, "setup.sh", SETUP.format(**words).encode(), program=True)
            add(archive, "run_autograder", RUN.format(**words).encode(), program=True)
            for name, path in sorted(files.items()):
                add(archive, f"{PLACE}/{name}", path.read_bytes(), program=bool(path.stat().st_mode & 0o100))
        part.replace(out)
    except OSError as error:
        raise Failure(f"OUT={out}: {error.strerror}") from None
