"""A student's tree (make handout): what must not be in it is not in it, and what must work works."""
import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

import yaml

from support import BUILD, ROOT, Case, without_make

sys.path.insert(0, str(ROOT / "labs"))
from grader.handout import handed_in, lab_numbers, solved_by     # noqa: E402
from grader.variant import seed_of  # noqa: E402

LABS = lab_numbers()
BUILT = BUILD if BUILD.is_absolute() else ROOT / BUILD

# Lines of solutions that a student's tree has elsewhere: idioms of the whole kernel; spawn.cpp makes a child from the same parts
# as fork; documents quote the shape of fork1, which is the subject of the course.
SHARED = set("""
    #include "kernel/proc/family.h"
    ChildThread made = TRY(clone_thread(*child));
    ProcSlot slot = TRY(ProcSlot::reserve(*current_credentials(), current_limit(FL_RLIMIT_NPROC)));
    Result<Pid> fork1(UserFrame& frame, const ForkOptions& options) {
    SpinGuard guard(child.signals.lock);
    SpinGuard guard(families_lock);
    SpinGuard guard(parent.signals.lock);
    SpinGuard guard(proc.signals.lock);
    TRY(fork_policy_check(parent));
    Thread& thread = commit(proc, std::move(task), std::move(made));
    UThread& uthread = current_uthread();
    ZoneOwned<Proc> child = TRY(forkproc(parent, std::move(slot)));
    ZoneOwned<Proc> made = TRY(forkproc(parent, std::move(slot)));
    ZoneOwned<Task> task = TRY(clone_task(*child));
    count.store(n + 1, std::memory_order_relaxed);
    explicit Zone(const ZoneOptions& options)
    family_enter_locked(child, parent);
    for (Zone* zone = zone_next(nullptr); zone != nullptr; zone = zone_next(zone)) {
    for (size_t i = 0; i < span.count; ++i) {
    frame.x[0] = static_cast<uint64_t>(number(pid));
    if (failpoint::should_fail()) {
    if (mode == CopyMode::CopyOnWrite) {
    proc_transition(child, ProcState::Running);
    std::atomic<uint32_t> count{0};
    thread_set_child(thread, frame);
    uthread.mask_before_suspend.reset();
""".replace("    ", "").strip().split("\n"))


def handout(**options: str) -> subprocess.CompletedProcess[str]:
    environment = without_make() | {"PYTHONPATH": "labs", "FORKLORE_BUILD": str(BUILD)}
    return subprocess.run([sys.executable, "-m", "grader", "handout", *(f"{name}={value}" for name, value in options.items())], cwd=ROOT,
                          env=environment, capture_output=True, text=True)


def output(*command: str, where: Path = ROOT) -> str:
    return subprocess.run(command, cwd=where, check=True, capture_output=True, text=True, errors="replace").stdout


def code_lines(path: Path) -> set[str]:
    """Lines that say something about a solution; comments are the contract's as often as not."""
    return {line.strip() for line in path.read_text().splitlines() if len(line.strip()) > 30 and not line.strip().startswith("//")}


class Handout(Case):
    def make(self, lab: int, **options: str) -> Path:
        out = self.folder / f"lab{lab}"
        done = handout(LAB=str(lab), OUT=str(out), **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return out

    def solution(self, out: Path, lab: int) -> None:
        for name in solved_by(lab):
            shutil.copyfile(ROOT / name, out / name)

    def as_built(self, out: Path, lab: int, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in the handout at the place of this tree and with what is built already: only the lab's own files are compiled."""
        build = self.folder / "build"
        if not build.exists():
            shutil.copytree(BUILT, build, symlinks=True, ignore=shutil.ignore_patterns("grade", "explored", "tsan", "target", "thread-safety", "apt", "mutants"))
        for name in [name for n in LABS for name in solved_by(n)]:
            for file in build.rglob(f"{name}.o"):
                file.unlink()
        (build / "grade").mkdir(exist_ok=True)
        place = ["bwrap", "--dev-bind", "/", "/", "--bind", str(out), str(ROOT), "--bind", str(build), str(ROOT / "build"), "--chdir", str(ROOT)]
        (out / "build").mkdir(exist_ok=True)
        return subprocess.run([*place, *command], env=without_make(), stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def assert_no_solution(self, out: Path, secret: list[str], text: str) -> None:
        for name in secret:
            self.assertFalse((out / name).exists() and (out / name).read_bytes() == (ROOT / name).read_bytes(), name)
            known = code_lines(ROOT / name.replace(".cpp", ".h")) if (ROOT / name.replace(".cpp", ".h")).exists() else set()
            telling = code_lines(ROOT / name) - known
            lab = next(n for n in LABS if name in solved_by(n))
            skeletons = set().union(*(code_lines(ROOT / "labs" / f"lab{lab}" / skeleton) for skeleton in handed_in(lab)))
            found = [line for line in telling - skeletons if line in text]
            self.assertEqual(sorted(set(found) - SHARED), [], name)

    def test_each_is_one_commit_without_solutions_and_hidden_things(self) -> None:
        for lab in LABS:
            with self.subTest(lab=lab):
                out = self.make(lab)
                self.assertEqual(output("git", "rev-list", "--all", "--count", where=out).strip(), "1")
                self.assertEqual(output("git", "fsck", "--unreachable", "--no-reflogs", where=out).strip(), "")
                self.assertEqual(output("git", "status", "--porcelain", "--ignored", where=out), "")
                names = output("git", "ls-files", where=out).split("\n")
                for word in ("/wrong/", "/right/", "/half/", "/hidden/", "mutants/", ".patch", "tests/hostile", *(f"labs/lab{n}/" for n in LABS if n > lab)):
                    self.assertEqual([name for name in names if word in name], [])
                text = output("git", "log", "-p", "--all", where=out)
                self.assert_no_solution(out, [name for n in LABS for name in solved_by(n)], text)
                for name in handed_in(lab):
                    self.assertEqual((out / name).read_bytes(), (ROOT / f"labs/lab{lab}" / name).read_bytes())
                workflow = yaml.safe_load((out / ".github/workflows/classroom.yml").read_text())
                steps = workflow["jobs"]["run-autograding-tests"]["steps"]
                self.assertIn(f"make grade LAB={lab}", [step.get("run") for step in steps])

    def test_objects_are_stripped(self) -> None:
        out = self.make(1)
        objects = sorted((out / "prebuilt").rglob("*.o"))
        self.assertGreater(len(objects), 10)
        for path in objects:
            self.assertNotRegex(output("readelf", "-SW", str(path)), r"\.debug_")
            self.assertNotRegex(output("readelf", "-sW", str(path)), r" FILE ")

    def test_a_leak_is_found(self) -> None:
        """The search of the handout itself, on a file that quotes the reference."""
        leak = ROOT / "tests" / f"leak-{os.getpid()}.cpp"
        lines = [line for line in (ROOT / solved_by(2)[0]).read_text().splitlines() if len(line.strip()) > 40 and "//" not in line]
        environment = without_make() | {"GIT_INDEX_FILE": str(self.folder / "index")}
        leak.write_text("".join(f"+ {line}\n" for line in lines[:6]))
        self.addCleanup(leak.unlink)
        for command in (["read-tree", "HEAD"], ["add", str(leak)]):
            subprocess.run(["git", *command], cwd=ROOT, env=environment, check=True)
        os.environ["GIT_INDEX_FILE"] = environment["GIT_INDEX_FILE"]
        self.addCleanup(os.environ.pop, "GIT_INDEX_FILE")
        done = handout(LAB="2", OUT=str(self.folder / "out"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("would give", done.stderr)

    def test_skeleton_fails_legibly_and_the_solution_boots(self) -> None:
        out = self.make(1)
        done = self.as_built(out, 1, "make", "run", "CMD=echo alive")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("panic:", done.stdout)
        self.solution(out, 1)
        done = self.as_built(out, 1, "make", "run", "CMD=echo alive; forktest 1")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("alive", done.stdout)
        self.assertIn("0 mistakes", done.stdout)

    def test_grades_itself(self) -> None:
        out = self.make(2, SOLVED="1", VARIANT="Ada")
        self.solution(out, 2)
        done = self.as_built(out, 2, "make", "grade", "LAB=2", "CHECK=PidOrder.starts_with_init_and_rises_by_one")
        self.assertIn(f"(seed {seed_of(2, 'Ada')})", done.stdout)
        self.assertRegex(done.stdout, r"pass +(\d+)/\1 ", done.stdout + done.stderr)
        done = self.as_built(out, 2, "make", "check-labs")
        self.assertIn("for instructors", done.stderr)

    def test_earlier_labs_are_the_students_own(self) -> None:
        theirs = self.folder / "theirs"
        theirs.mkdir()
        text = (ROOT / solved_by(1)[0]).read_text() + "// mine\n"
        (theirs / "zone.cpp").write_text(text)
        out = self.make(2, CARRY=str(theirs))
        self.assertEqual((out / "src/mm/zone.cpp").read_text(), text)
        self.assertFalse((out / "src/kernel/greeting.cpp").exists())
        self.assertTrue((out / "prebuilt/kernel/src/kernel/greeting.cpp.o").exists())

    def test_says_what_is_wrong(self) -> None:
        (self.folder / "full").mkdir()
        (self.folder / "full" / "file").write_text("x")
        for options, said in (({"LAB": "9", "OUT": str(self.folder / "a")}, "no such lab"), ({"LAB": "1"}, "where to"),
                              ({"LAB": "1", "OUT": str(self.folder / "full")}, "empty folder"),
                              ({"LAB": "1", "OUT": str(ROOT / "labs" / "new")}, "outside"),
                              ({"LAB": "2", "OUT": str(self.folder / "b"), "CARRY": str(self.folder / "full")}, "no file of an earlier lab")):
            with self.subTest(said=said):
                done = handout(**options)
                self.assertEqual(done.returncode, 2)
                self.assertRegex(done.stderr, re.compile(said))
                self.assert_clean(done.stderr)


if __name__ == "__main__":
    unittest.main()
