"""Grading on a board: one check on the board that QEMU plays, and what is made of all that can come over a line."""
import struct
import sys
from types import SimpleNamespace

from support import ROOT, Case
from test_board import STAND_IN, OnBoard

sys.path.insert(0, str(ROOT / "labs"))
from grader import board_tier, handin, lab, reference, sandbox, target_tier  # noqa: E402
from grader.records import siphash  # noqa: E402
from grader.verdict import Outcome, Report, Verdict  # noqa: E402

LAB = 2
CHECK = "PidSystem.runs_the_shell_and_forktest@target"


class OnTheStandIn(OnBoard):
    def test_a_check_of_the_target_tier_passes_on_the_board(self) -> None:
        taken = lab.load(LAB)
        check = next(check for check in taken.checks if check.id == CHECK)
        files = reference.prepare(taken, CHECK).target
        with sandbox.scratch() as folder:
            kernel = target_tier.build(taken, files, folder, handin.collect(taken, ROOT).text)
            # In memory already, as behind an earlier check: an emulated line takes minutes for it.
            self.switch_on(str(kernel.image), str(files.initrd))
            options = board_tier.Options(str(self.folder / "board" / "line"), f"{' '.join(STAND_IN)} {self.folder / 'board'} reset", 600)
            outcomes = board_tier.run_checks([check], kernel, 7, options, lambda outcome: None)
        self.assertEqual([(outcome.verdict, outcome.what) for outcome in outcomes], [(Verdict.PASS, "")])


class Scripted:
    """A board that answers as told: each start takes the next script, a function of `sign` that gives pieces of bytes."""

    def __init__(self, *scripts) -> None:
        self.scripts = list(scripts)
        self.early = b"\r\n\r\n"
        self.line = self

    def reach_loader(self) -> None:
        pass

    def load(self, parts, tftp: str) -> None:
        orders = next(part for part in parts if part.what == "orders")
        assert orders.secret
        _, self.key, *_ = struct.unpack_from("<Q16s", orders.data)

    def start(self, parts, arguments: str) -> None:
        self.count = 0
        self.pieces = [piece for piece in self.scripts.pop(0)(self.sign) if piece]

    def sign(self, kind: str, check: str, text: str = "") -> bytes:
        body = f"{self.count} {kind} {check} {text}".encode()
        self.count += 1
        return b"\x02%s %x\x03\n" % (body, siphash(self.key, body))

    def read(self, wait: float) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""


FIRST, SECOND = "Group.first", "Group.second"
BOOT = b"Forklore on something\r\n"
OFF = b"forklore: power off, status 1\r\n"


class WhatComesOverTheLine(Case):
    def grade(self, *scripts) -> list[Outcome]:
        board = Scripted(*scripts)
        checks = [lab.Check(name, 1, "target", "hint") for name in (FIRST, SECOND)]
        file = self.folder / "file"
        file.write_bytes(b"kernel")
        kernel = SimpleNamespace(image=file, files=SimpleNamespace(initrd=file), boot_arguments="", trace=lambda addresses: [])
        outcomes = board_tier.run_group(checks, lambda left: board_tier.BoardMachine(kernel, left, 1, lambda *_: "", lambda _: None, board=board), lambda _: None)
        self.assertEqual([outcome.check.name for outcome in outcomes], [FIRST, SECOND])
        self.assertEqual(board.scripts, [])
        return outcomes

    def verdicts(self, *scripts) -> list[str]:
        return [outcome.verdict.value for outcome in self.grade(*scripts)]

    @staticmethod
    def both_pass(sign) -> list[bytes]:
        whole = b"".join([BOOT, sign("begin", FIRST), b"amid the console", sign("pass", FIRST), sign("begin", SECOND), sign("pass", SECOND), sign("end", "-")])
        return [whole[i:i + 7] for i in range(0, len(whole), 7)]

    @staticmethod
    def second_passes(sign) -> list[bytes]:
        return [BOOT, sign("begin", SECOND), sign("pass", SECOND), sign("end", "-")]

    def test_records_amid_the_console_in_pieces(self) -> None:
        self.assertEqual(self.verdicts(self.both_pass), ["pass", "pass"])

    def test_a_failure_ends_its_start_and_the_next_goes_on(self) -> None:
        fails = lambda sign: [BOOT, sign("begin", FIRST), sign("fail", FIRST, "checks/a.cpp:7\x1eexpected 1, came 2"), OFF]    # noqa: E731
        first, second = self.grade(fails, self.second_passes)
        self.assertEqual((first.verdict, first.what, second.verdict), (Verdict.FAIL, "expected 1, came 2", Verdict.PASS))

    def test_a_panic_is_a_failure_but_not_what_the_next_boot_tells_of_it(self) -> None:
        panics = lambda sign: [BOOT, sign("begin", FIRST), b"\r\npanic: core 1, thread 4 (x): no such pid\r\n", b"forklore: panic, status 255\r\n"]   # noqa: E731
        told = lambda sign: [BOOT, b"| panic: core 1, thread 4 (x): no such pid\r\n", *self.second_passes(sign)]    # noqa: E731
        first, second = self.grade(panics, told)
        self.assertEqual((first.verdict, first.what, second.verdict), (Verdict.FAIL, "panic: no such pid", Verdict.PASS))

    def test_a_record_that_got_lost_or_garbled_is_no_verdict_and_tried_again(self) -> None:
        lost = lambda sign: (BOOT, sign("begin", FIRST), sign("pass", FIRST)[:0], sign("begin", SECOND))    # noqa: E731
        garbled = lambda sign: [BOOT, sign("begin", FIRST), sign("fail", FIRST, "x:1\x1ewrong").replace(b"wrong", b"wrung"), OFF]     # noqa: E731
        self.assertEqual(self.verdicts(lost, garbled, self.both_pass), ["pass", "pass"])
        for outcome in self.grade(lost, garbled, garbled):
            self.assertEqual(outcome.verdict, Verdict.INFRASTRUCTURE)

    def test_a_last_record_that_never_came_is_no_failure(self) -> None:
        ends = lambda sign: [BOOT, sign("begin", FIRST), OFF]       # noqa: E731
        self.assertEqual(self.verdicts(ends, ends, ends), ["infrastructure", "infrastructure"])

    def test_silence_counts_when_it_comes_twice_at_the_same_check(self) -> None:
        silent = lambda sign: [BOOT, sign("begin", FIRST)]          # noqa: E731
        self.assertEqual(self.verdicts(silent, self.both_pass), ["pass", "pass"])
        first, second = self.grade(silent, silent, self.second_passes)
        self.assertEqual((first.verdict, second.verdict), (Verdict.FAIL, Verdict.PASS))
        self.assertIn("nothing came from the board", first.what)

    def test_a_kernel_of_which_nothing_at_all_is_heard_is_no_failure(self) -> None:
        nothing = lambda sign: []       # noqa: E731
        self.assertEqual(self.verdicts(nothing, nothing, nothing), ["infrastructure", "infrastructure"])

    def test_what_the_grader_looks_at_is_not_on_a_board_and_not_counted(self) -> None:
        taken = lab.load(3)
        looked_at = [check for check in taken.checks if check.look]
        report = Report(taken, 1, not_on_board=looked_at)
        self.assertTrue(looked_at)
        self.assertEqual(report.full + sum(check.points for check in looked_at if not check.bonus), Report(taken, 1).full)
        self.assertFalse({check.id for check in looked_at} & {check.id for check in report.asked})
