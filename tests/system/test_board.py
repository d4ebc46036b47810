"""`make board` against a board that QEMU plays: U-Boot and Forklore on one serial line that garbles, loses and falls silent."""
import os
import re
import subprocess
import sys
import zlib
from pathlib import Path

from support import BUILD, GUARD_SECONDS, ROOT, Case, Finished, Machine, settings

sys.path.insert(0, str(ROOT / "tools"))
import stand_in  # noqa: E402
from card import UBOOT_KERNEL  # noqa: E402
from console import end_with_parent  # noqa: E402

BOARD = [sys.executable, str(ROOT / "tools" / "board.py")]
STAND_IN = [sys.executable, str(ROOT / "tools" / "stand_in.py")]
RAMDISK = 0x2700000


class OnBoard(Case):
    """A board of its own; what it is to run is in its memory already, but for a piece of the kernel."""

    def setUp(self) -> None:
        super().setUp()
        self.image = BUILD / "kernel" / "kernel8.img"
        older = bytearray(self.image.read_bytes())
        older[100_000:100_200] = bytes(byte ^ 0x55 for byte in older[100_000:100_200])
        (self.folder / "older").write_bytes(older)

    def switch_on(self, kernel: str = "older", initrd: str = str(BUILD / "initrd.cpio")) -> None:
        held = f"HELD={self.folder / kernel}@{UBOOT_KERNEL:#x},{initrd}@{RAMDISK:#x}"
        self.job = subprocess.Popen([*STAND_IN, str(self.folder / "board"), held], cwd=ROOT, stdout=subprocess.PIPE, preexec_fn=end_with_parent)
        self.addCleanup(self.switch_off)
        assert self.job.stdout
        self.assertIn(b"is the port of a board", self.job.stdout.readline())

    def switch_off(self) -> None:
        self.job.kill()
        self.job.wait()
        self.job.stdout.close()

    def tell(self, words: str) -> None:
        stand_in.tell(self.folder / "board", words)

    def board(self, **options: str) -> Finished:
        options = {"PORT": str(self.folder / "board" / "line"), "WAIT": "600", "LOG": str(self.folder / "log")} | options
        done = subprocess.run([*BOARD, *settings(options)], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=GUARD_SECONDS,
                              env=os.environ | {"FORKLORE_GUARD_MARGIN": "300"})
        self.assert_clean(done.stderr.decode())
        return Finished(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def sent_sizes(self) -> list[int]:
        log = (self.folder / "log").read_bytes()
        return [int(size) for size in re.findall(rb"Uncompressed size: (\d+)", log)]


class Runs(OnBoard):
    def test_a_command_behaves_as_with_make_run_and_only_what_is_new_is_sent(self) -> None:
        self.switch_on()
        done = self.board(CMD="echo over the line; exit 7")
        self.assertEqual((done.status, done.console), (7, "over the line\n"), done.said)
        self.assertEqual(self.sent_sizes(), [16384])
        log = (self.folder / "log").read_text(errors="replace")
        self.assertIn(f"==> {zlib.crc32(self.image.read_bytes()):08x}", log)

    def test_a_transfer_that_breaks_off_on_a_bad_line_comes_to_its_end(self) -> None:
        self.switch_on()
        self.tell("noise 700 9000")
        self.tell("lose 1500 9000")
        self.tell("break 3500")
        done = self.board(CMD="echo whole; exit 3", RESET=f"{' '.join(STAND_IN)} {self.folder / 'board'} reset")
        self.assertEqual((done.status, done.console), (3, "whole\n"), done.said)
        # Once by the command, once in the middle. (U-Boot's own first line may have suffered on the way.)
        self.job.kill()
        assert self.job.stdout
        self.assertGreaterEqual(self.job.stdout.read().count(b"reset"), 2)

    def test_a_board_that_stops_in_the_middle_of_the_transfer_is_told(self) -> None:
        self.switch_on()
        self.tell("hang 4500")
        done = self.board(CMD="echo never", WAIT="20")
        self.assertEqual((done.status, done.console), (125, ""))
        self.assertIn("The board stopped answering in the middle of the transfer", done.said)
        self.assertIn("No prompt of U-Boot came", done.said)

    def test_the_console_is_the_terminals_until_ctrl_bracket(self) -> None:
        self.switch_on(str(self.image.resolve()))
        with Machine([*BOARD, f"PORT={self.folder / 'board' / 'line'}", "WAIT=600"]) as machine:
            machine.prompt()
            self.assertEqual(machine.command("echo typed"), "typed")
            machine.type("\x1d")
            machine.expect("The board goes on")
            self.assertEqual(machine.ended(), 0)


class Refusals(OnBoard):
    def test_a_port_that_is_none_is_told(self) -> None:
        for port, words in ((str(self.folder / "absent"), "there is no such port"), ("/dev/null", "is no serial port"), ("", "PORT= is wanted")):
            done = self.board(PORT=port, CMD="true")
            self.assertEqual(done.status, 125)
            self.assertIn(words, done.said)

    def test_a_file_that_is_no_kernel_is_told_before_anything_is_sent(self) -> None:
        done = self.board(KERNEL=str(self.image.with_suffix(".elf")), CMD="true")
        self.assertEqual(done.status, 125)
        self.assertIn("is no kernel image", done.said)

    def test_a_silent_board_and_a_busy_port_are_told(self) -> None:
        self.switch_on()
        self.tell("hang")
        waiting = subprocess.Popen([*BOARD, f"PORT={self.folder / 'board' / 'line'}", "CMD=true", "WAIT=5"], cwd=ROOT, stdin=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        assert waiting.stderr
        self.assertIn("waiting for U-Boot", waiting.stderr.readline())
        done = self.board(CMD="true")
        self.assertEqual(done.status, 125)
        self.assertIn("is busy: another program has it", done.said)
        self.assertIn("No prompt of U-Boot came", waiting.communicate()[1])
        self.assertEqual(waiting.returncode, 125)

    def test_a_reset_command_that_fails_is_told(self) -> None:
        self.switch_on()
        done = self.board(CMD="true", RESET="echo no such relay >&2; exit 4")
        self.assertEqual(done.status, 125)
        self.assertIn("failed with status 4: no such relay", done.said)
