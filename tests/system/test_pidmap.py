"""pidmap: what it says of the ring of numbers is what the kernel does next."""
import re
import tempfile
from pathlib import Path

from support import Case, run


class Pidmap(Case):
    def test_the_next_number_is_what_the_next_process_gets(self) -> None:
        done = run(CMD="pidmap; sh -c 'echo got $$'")
        self.assertEqual(done.status, 0, done.said)
        self.assertRegex(done.console, r"(?m)^     1  init +group of 1 session of 1$")
        self.assertEqual(re.findall(r"(?m)^next: (\d+)$", done.console), re.findall(r"(?m)^got (\d+)$", done.console))

    def test_after_the_wrap_numbers_in_use_are_passed_over(self) -> None:
        # init and the shell are 1 and 2; sleepers hold 100, 101 and 102; pidmap is 109, behind which the ring begins again.
        with tempfile.TemporaryDirectory(prefix="forklore-test-") as folder:
            (Path(folder) / "ring.sh").write_text(
                "i=0\nwhile [ $i -lt 97 ]; do /bin/true; i=$((i+1)); done\n/bin/sleep 99 &\n/bin/sleep 99 &\n/bin/sleep 99 &\n"
                "while [ $i -lt 103 ]; do /bin/true; i=$((i+1)); done\n/bin/pidmap\n/bin/sh -c 'echo got $$'\n")
            done = run(CMD=". /add/ring.sh", ADD=folder, ARGS="pid_max=110")
        self.assertEqual(done.status, 0, done.said)
        self.assertIn("numbers 1 to 109, then from 100 again", done.console)
        self.assertRegex(done.console, r"(?m)^   109  pidmap +$")
        self.assertRegex(done.console, r"(?m)^passed over: 100, 101, 102$")
        self.assertRegex(done.console, r"(?m)^next: 103\ngot 103$")
