"""make grade GDB=1: a check that fails in the machine, in the debugger that goes back and forward."""
import re
import shutil
import subprocess
import sys

from support import BUILD, GUARD_SECONDS, ROOT, Case, settings, without_make

PID = "src/kernel/proc/pid.cpp"
WRONG = ROOT / "labs/lab2/wrong/group_does_not_keep.patch"
CHECK = "PidSystem.a_group_keeps_its_number_when_its_leader_is_gone@target"
FUNCTION = f"TEST_{CHECK.removesuffix('@target').replace('.', '_')}_Test::testBody"
MESSAGE = "new processes with the number of the group"


class FailedCheck(Case):
    def hand_in(self) -> None:
        (self.folder / PID).parent.mkdir(parents=True)
        shutil.copyfile(ROOT / PID, self.folder / PID)
        with WRONG.open() as patch:
            subprocess.run(["git", "apply"], stdin=patch, cwd=self.folder, check=True)

    def debug(self, *commands: str) -> str:
        """What gdb says to these commands at the place where the check fails."""
        script = self.folder / "script"
        script.write_text("\n".join(commands) + "\nkill\n")
        options = {"LAB": "2", "CHECK": CHECK, "SEED": "7", "SUBMISSION": str(self.folder), "GDB": "1", "GDB_SCRIPT": str(script)}
        done = subprocess.run([sys.executable, "-m", "grader", "grade", *settings(options)], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=GUARD_SECONDS, env=without_make() | {"PYTHONPATH": "labs", "FORKLORE_BUILD": str(BUILD)})
        self.assertNotIn("Python Exception", done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_gdb_stands_where_it_fails_and_goes_back_into_check_and_submission(self) -> None:
        self.hand_in()
        said = self.debug("user-symbols", f"back {FUNCTION}", "forward pid_release")
        self.assertIn(MESSAGE, said)
        failure, check, release = (int(count) for count in re.findall(r"^instruction (\d+)$", said, re.M))
        self.assertTrue(check < release < failure, said)
        self.assertRegex(said, r"#0  pid_release \(pid=\d+, use=.*PidUse::")
