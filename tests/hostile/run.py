"""Grades every hostile hand-in (cases.py): each gets its honest mark with a reason, and the host is as it was.

    tests/hostile/run.py [part of a name]

Prints `PASS name` or `FAIL name: why` for each.
"""
import hashlib
import json
import os
import select
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TREE / "labs"))

from grader import reference, report, sandbox   # noqa: E402
from grader.grade import Request, grade         # noqa: E402
from grader.lab import load                     # noqa: E402
from cases import CASES, Case                   # noqa: E402


GUARD_SECONDS = 60


def host_state() -> dict[str, str]:
    """What a hand-in could have changed: the tree's files, and processes of the sandboxes' users."""
    state = {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for folder in ("src", "labs", "tests", "tools")
             for p in sorted((TREE / folder).rglob("*")) if p.is_file() and "__pycache__" not in p.parts}
    return state | {"processes left": " ".join(left_behind())}


def left_behind() -> list[str]:
    """Processes of the sandboxes' users that do not end. One that has been killed may take its time on a busy host; one that lives on
    is waited for in vain."""
    left = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if process.stat().st_uid not in sandbox.users_given:
                continue
            ended = os.pidfd_open(int(process.name))
        except OSError:
            continue        # it is gone
        if not select.select([ended], [], [], GUARD_SECONDS)[0]:
            left.append(process.name)
        os.close(ended)
    return left


def run(case: Case, files: reference.Files) -> str:
    """What is wrong with the verdict; nothing if it is the honest one."""
    with tempfile.TemporaryDirectory(prefix="hand-in-") as name:
        folder = Path(name) / "hand-in"
        folder.mkdir()
        case.make(folder)
        request = Request(load(2), folder, seed=1, only=case.check, jobs=1)
        made = grade(request, files)
        out = Path(name) / "out"
        report.write(made, request, out)
        results = json.loads((out / "results.json").read_text())
    if made.infrastructure:
        return f"no verdict: {made.broken or [o.what for o in made.outcomes]}"
    if made.status != 1 or made.score != 0 or results["score"] != 0:
        return f"{made.score} points, status {made.status}"
    said = made.outcomes[0].what if case.check and not made.refused else made.refused
    if not said or case.says not in said:
        return f"it was told: {said!r}"
    return ""


def main() -> int:
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    files = reference.prepare(load(2))
    before = host_state()
    chosen = [case for case in CASES if wanted in case.name]
    failed = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for case, wrong in zip(chosen, pool.map(lambda c: run(c, files), chosen)):
            failed += bool(wrong)
            print(f"FAIL {case.name}: {wrong}" if wrong else f"PASS {case.name}", flush=True)
    after = host_state()
    changed = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    failed += bool(changed)
    print(f"FAIL the host is unchanged: {' '.join(changed)[:300]}" if changed else "PASS the host is unchanged", flush=True)
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
