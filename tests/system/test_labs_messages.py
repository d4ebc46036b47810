"""What the grader says: places from the tree's top, names of checks, and an honest total where the machine can not be built."""
import sys
import unittest
from pathlib import Path

from support import ROOT

sys.path.insert(0, str(ROOT / "labs"))
from grader.compiling import Front                                      # noqa: E402
from grader.grade import Request, explanation, summary                  # noqa: E402
from grader.host_tier import Program, function_name, in_the_tree, tidy, with_places  # noqa: E402
from grader.lab import load                                             # noqa: E402
from grader.verdict import Outcome, Report, Verdict                     # noqa: E402


class Messages(unittest.TestCase):
    def test_a_file_is_named_from_the_trees_top(self) -> None:
        self.assertEqual(in_the_tree("/home/ada/labs/labs/lab2/checks/pid.cpp"), "labs/lab2/checks/pid.cpp")
        self.assertEqual(in_the_tree("/usr/src/tree/src/kernel/proc/pid.cpp"), "src/kernel/proc/pid.cpp")
        self.assertEqual(in_the_tree("/usr/include/c++/12/bits/x.h"), "/usr/include/c++/12/bits/x.h")

    def test_a_checks_functions_are_called_the_check(self) -> None:
        for name in ("TEST_A_b_Test::testBody()", "std::_Function_handler<void (), TEST_A_b_Test::testBody()::{lambda()#1}>::_M_invoke(std::_Any_data const&)"):
            self.assertEqual(function_name(name), "the check")
        self.assertEqual(function_name("(anonymous namespace)::search(int)"), "search(int)")

    def test_of_two_texts_only_the_texts_are_shown(self) -> None:
        self.assertEqual(tidy("expected <a>\n\tbut was  <b>\n\tdifference starts at position 0 at: < b >\n\t   ^"), "expected <a>\ncame     <b>")

    def test_a_text_without_places_stays_as_it_is(self) -> None:
        program = Program(Path("/nowhere"), Path("/nowhere/check"), Front("g++", []), lambda: self.fail("nothing is to be named"))
        self.assertEqual(with_places(program, "if (x) { return {}; } {nothing}"), "if (x) { return {}; } {nothing}")

    def test_a_failure_in_the_machine_leads_into_gdb(self) -> None:
        lab = load(2)
        request = Request(lab, ROOT, 7)
        for tier, said in (("host", False), ("target", True)):
            check = next(check for check in lab.tier(tier) if not check.hidden)
            lines = explanation(Outcome(check, Verdict.FAIL, "what"), request)
            self.assertEqual(any("GDB=1" in line for line in lines), said, lines)
            self.assertTrue(any(f"make grade LAB=2 CHECK={check.id} SEED=7" in line for line in lines), lines)

    def test_the_total_says_what_was_not_checked_here(self) -> None:
        lab = load(2)
        here = [check for check in lab.checks if check.tier == "host"]
        report = Report(lab, 1, [Outcome(check, Verdict.PASS) for check in here], left_out="no compiler")
        points, elsewhere = sum(check.points for check in here), sum(check.points for check in lab.tier("target"))
        self.assertEqual(summary(report), f"{points:g} of {points:g} points that are checked here; {elsewhere:g} more are for checks in the machine")
        self.assertEqual(report.status, 1)
        report.left_out = ""
        self.assertEqual(summary(report), f"{points:g} of {points + elsewhere:g} points")


if __name__ == "__main__":
    unittest.main()
