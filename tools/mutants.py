"""Shows that the explorer finds what it is for: `make mutants` calls it.

Each tests/schedules/mutants/*.patch makes one mistake in the kernel, and says in its first lines which case must find it:

    Mistake: the lock around the search and the taking of a number is gone
    Case: Pids.two_who_ask_get_two_numbers

The patch is applied to a copy of the one file that it changes; that file is compiled and linked before the archive of the
others, as a student's would be. The case must fail, and it is told after how many schedules. ONLY=NAME: one patch.
"""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

BUILD = Path(os.environ.get("FORKLORE_BUILD") or "build")
EXPLORED = BUILD / "host" / "explored"
PATCHES = Path("tests/schedules/mutants")
SECONDS = 300       # of a run that neither fails nor ends: a mistake of the explorer's


def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", timeout=SECONDS, **options)     # type: ignore[call-overload,no-any-return]


def field(text: str, name: str) -> str:
    found = re.search(rf"^{name}: (.+)$", text, re.M)
    if not found:
        raise SystemExit(f"mutants: a patch without a line `{name}: ...`")
    return found[1].strip()


def build(patch: Path, source: str) -> Path:
    """The explorer's program with the mistake in it."""
    folder = BUILD / "mutants" / patch.stem
    shutil.rmtree(folder, ignore_errors=True)
    copy = folder / source
    copy.parent.mkdir(parents=True)
    shutil.copy(source, copy)
    # As outside of any repository: the paths in the patch are then those below the folder.
    applied = run(["git", "apply", str(patch.resolve())], cwd=folder,
                  env=os.environ | {"GIT_CEILING_DIRECTORIES": str(folder.parent.resolve())})
    if applied.returncode:
        raise SystemExit(f"mutants: {patch} does not fit {source} any more:\n{applied.stdout}")
    flags = (EXPLORED / "flags").read_text().split()
    changed = str(folder / "changed.o")
    compiled = run([*flags, "-Wno-unused", "-Wno-unused-but-set-variable", "-c", str(copy), "-o", changed])
    if compiled.returncode:
        raise SystemExit(f"mutants: {patch} does not compile:\n{compiled.stdout}")
    objects = [str(p) for p in sorted(EXPLORED.glob("tests/**/*.o")) if p.relative_to(EXPLORED).with_suffix("").exists()]
    program = folder / "schedules"
    link = (EXPLORED / "link-flags").read_text().split()
    linked = run([*link, *objects, changed, str(EXPLORED / "portable.a"), "-lCppUTestExt", "-lCppUTest", "-o", str(program)])
    if linked.returncode:
        raise SystemExit(f"mutants: {patch} does not link:\n{linked.stdout}")
    return program


def check(patch: Path) -> bool:
    text = patch.read_text()
    case, mistake = field(text, "Case"), field(text, "Mistake")
    source = re.search(r"^\+\+\+ b/(\S+)", text, re.M)
    if not source:
        raise SystemExit(f"mutants: {patch} changes no file")
    program = build(patch, source[1])
    said = run([str(program), "-p", "-t", case]).stdout
    (program.parent / "said").write_text(said)
    counted = re.search(rf"{re.escape(case)}: (\d+) schedules", said)
    died = re.search(r"ended in schedule \S+ \(number (\d+)", said)
    number = (counted or died or [None, None])[1]
    found = "Failure in TEST" in said and number is not None
    reason = re.search(r"report\.cpp:\d+: error:\s*(.+)", said)
    how = reason[1][:110] if reason else "the process died" if died else ""
    print(f"  {patch.stem}: {mistake}\n      " + (f"found by {case} in schedule {number}: {how}" if found else
                                                  f"NOT FOUND by {case} (see {program.parent}/said)"), flush=True)
    return found


def main() -> int:
    only = os.environ.get("FORKLORE_ONLY", "")
    patches = [p for p in sorted(PATCHES.glob("*.patch")) if not only or p.stem == only]
    if not patches:
        print(f"mutants: no patch named {only}", file=sys.stderr)
        return 2
    found = [check(patch) for patch in patches]
    print(f"{sum(found)} passed, {len(found) - sum(found)} failed")
    return 0 if all(found) else 1


if __name__ == "__main__":
    sys.exit(main())
