"""Several boards at one host: who gets which, who waits, and what is logged."""
import subprocess
import sys
from pathlib import Path

from support import ROOT, Case
from test_board import BOARD, STAND_IN

sys.path.insert(0, str(ROOT / "tools"))
import farm  # noqa: E402
import stand_in  # noqa: E402
from console import end_with_parent  # noqa: E402
from program import Failure  # noqa: E402

BOARDS = 4


class Shelf(Case):
    def setUp(self) -> None:
        super().setUp()
        self.list = self.folder / "shelf.txt"

    def write(self, *lines: str) -> None:
        self.list.write_text("# name port reset\n" + "\n".join(lines) + "\n")

    def switch_on(self, number: int) -> str:
        """A board that stands still: it costs the host nothing."""
        folder = self.folder / f"board{number}"
        job = subprocess.Popen([*STAND_IN, str(folder)], cwd=ROOT, stdout=subprocess.PIPE, preexec_fn=end_with_parent)
        self.addCleanup(lambda: (job.kill(), job.wait(), job.stdout.close()))
        job.stdout.readline()
        stand_in.tell(folder, "hang")
        return f"board{number} {folder}/line {' '.join(STAND_IN)} {folder} hang"

    def test_four_boards_go_to_four_at_once_and_the_fifth_waits(self) -> None:
        self.write(*(self.switch_on(number) for number in range(BOARDS)))
        claims = [farm.claim(self.list, self.folder / "logs", 0) for _ in range(BOARDS)]
        for _, line in claims:
            self.addCleanup(line.close)
        self.assertEqual([entry.name for entry, _ in claims], [f"board{number}" for number in range(BOARDS)])
        with self.assertRaises(Failure) as caught:
            farm.claim(self.list, self.folder / "logs", 0)
        self.assertIn("all 4 boards are busy", str(caught.exception))
        claims[2][1].close()
        self.assertEqual(farm.claim(self.list, self.folder / "logs", 0)[0].name, "board2")

    def test_programs_that_run_at_once_take_different_boards_and_say_which(self) -> None:
        self.write(*(self.switch_on(number) for number in range(BOARDS)))
        jobs = [subprocess.Popen([*BOARD, f"BOARDS={self.list}", "CMD=true", "WAIT=20", f"BUILD={Path('build').resolve()}"], cwd=ROOT, stdin=subprocess.DEVNULL,
                                 stderr=subprocess.PIPE, text=True) for _ in range(BOARDS)]
        said = [job.communicate()[1] for job in jobs]
        taken = sorted(text.split()[1] for text in said)
        self.assertEqual(taken, [f"board{number}" for number in range(BOARDS)], said)
        for job, text in zip(jobs, said):
            self.assertEqual(job.returncode, 125)       # these boards stand still
            self.assertIn("No prompt of U-Boot came", text)

    def test_a_list_that_is_wrong_is_told(self) -> None:
        for lines, words in (([], "each line is a name, a port"), (["lonely"], "each line is a name, a port"),
                             (["a /dev/x r", "a /dev/y r"], "the name a is there twice"), (["a /dev/x r", "b /dev/x r"], "the port /dev/x is there twice")):
            self.write(*lines)
            with self.assertRaises(Failure) as caught:
                farm.read(self.list)
            self.assertIn(words, str(caught.exception))
        with self.assertRaises(Failure) as caught:
            farm.read(self.folder / "absent")
        self.assertIn("No such file", str(caught.exception))
