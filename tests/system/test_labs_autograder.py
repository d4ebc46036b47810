"""The zip for Gradescope, unpacked where Gradescope unpacks it: setup.sh, then run_autograder for three submissions."""
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from support import BUILD, ROOT, Case, without_make

GREETING = "src/kernel/greeting.cpp"
BUILT = BUILD if BUILD.is_absolute() else ROOT / BUILD


class Autograder(Case):
    def inside(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command where the test's folder is /autograder."""
        place = ["bwrap", "--cap-add", "ALL"]
        for entry in sorted(Path("/").iterdir()):
            if entry.is_symlink():
                place += ["--symlink", os.readlink(entry), str(entry)]
            elif entry.is_dir() and entry.name != "autograder":
                place += ["--dev-bind", str(entry), str(entry)]
        place += ["--bind", str(self.folder), "/autograder", "--chdir", "/"]
        return subprocess.run([*place, *command], env=without_make(), stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def unpack(self) -> list[str]:
        out = self.folder / "autograder.zip"
        done = subprocess.run([sys.executable, "-m", "grader", "autograder", "LAB=0", f"OUT={out}"], cwd=ROOT, capture_output=True, text=True,
                              env=without_make() | {"PYTHONPATH": "labs", "FORKLORE_BUILD": str(BUILD)})
        self.assertEqual(done.returncode, 0, done.stderr)
        source = self.folder / "source"
        with zipfile.ZipFile(out) as archive:
            for entry in archive.infolist():
                target = Path(archive.extract(entry, source))
                target.chmod(entry.external_attr >> 16 & 0o777)
                # Older than the objects below.
                os.utime(target, (1e9, 1e9))
            return archive.namelist()

    def grade(self, text: str | None, path: str = os.environ["PATH"]) -> dict:
        submission = self.folder / "submission"
        shutil.rmtree(submission, ignore_errors=True)
        submission.mkdir()
        if text is not None:
            (submission / "greeting.cpp").write_text(text)
        done = self.inside("env", f"PATH={path}", "/autograder/source/run_autograder")
        file = self.folder / "results" / "results.json"
        self.assertTrue(file.exists(), done.stdout + done.stderr)
        return json.loads(file.read_text())

    def test_grades_what_gradescope_lays_there(self) -> None:
        self.folder.chmod(0o755)
        names = self.unpack()
        for word in ("/wrong/", "/right/", "/half/", "tests/hostile", "mutants/"):
            self.assertEqual([name for name in names if word in name], [])
        # The objects are made once already; setup.sh makes what is missing.
        objects = self.folder / "source/forklore/build/host/asan"
        shutil.copytree(BUILT / "host/asan", objects)
        done = self.inside("/autograder/source/setup.sh")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        reference = (ROOT / GREETING).read_text()
        made = self.grade(reference)
        self.assertEqual(made.get("score"), 100, made)
        self.assertTrue(all(test["status"] == "passed" for test in made["tests"]))
        self.assertIn("visibility", made["tests"][0])
        wrong = self.grade((ROOT / "labs/lab0" / GREETING).read_text())
        self.assertEqual(wrong["score"], 0)
        self.assertIn("failed", {test["status"] for test in wrong["tests"]})
        self.assertIn("does not compile", self.grade("int broken(\n")["output"])
        self.assertIn("empty", self.grade(None)["output"])
        # A grader that fails leaves no mark, and above all not the last one's.
        graded, lab = self.folder / "results/graded/results.json", self.folder / "source/forklore/labs/lab0/lab.yaml"
        self.assertTrue(graded.exists())
        kept = lab.read_bytes()
        lab.unlink()
        self.inside("/autograder/source/run_autograder")
        self.assertFalse((self.folder / "results/results.json").exists())
        lab.write_bytes(kept)
        # A container that may not make namespaces: no mark, rather than a wrong one.
        forbidden = self.folder / "forbidden" / "bwrap"
        forbidden.parent.mkdir()
        forbidden.write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n")
        forbidden.chmod(0o755)
        made = self.grade(reference, f"/autograder/forbidden:{os.environ['PATH']}")
        self.assertNotIn("score", made)
        self.assertRegex(made["output"], "No verdict: this machine has no sandbox: bwrap: No permissions")
