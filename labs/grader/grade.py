"""Grades one submission: from the hand-in to the report. The command line is in __main__.py."""
import os
import secrets
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from . import board_tier, handin, host_tier, look, reference, sandbox, target_tier
from .inspection import Refused
from .lab import TREE, Check, Failure, Lab
from .verdict import Outcome, Report, Verdict, amount, printable

STORY_LINES = 30        # of a schedule that fails, in a report: each switch in it; REPLAY= tells every step
Listener = Callable[[Outcome], None]


@dataclass
class Request:
    lab: Lab
    submission: Path
    seed: int = 0
    only: str = ""              # one check
    replay: str = ""            # and one schedule of it
    jobs: int = os.cpu_count() or 1
    board: board_tier.Options | None = None     # where the target tier runs, if not in QEMU

    def wanted(self, tier: str) -> list[Check]:
        return [check for check in self.lab.tier(tier) if not self.only or check.id == self.only]


def new_seed() -> int:
    return secrets.randbelow(2**31) + 1


def grade(request: Request, files: reference.Files, ended: Listener = lambda outcome: None) -> Report:
    """Every way to fail ends in a report: a bad hand-in in a refusal, a bad host in `broken`."""
    lab = request.lab
    report = Report(lab, request.seed, only=request.only)
    try:
        taken = handin.collect(lab, request.submission)
        if taken.ignored and request.submission.resolve() != TREE:
            report.notes.append("Not looked at: " + ", ".join(taken.ignored[:handin.NAMES_SHOWN]) + (", ..." if len(taken.ignored) > handin.NAMES_SHOWN else ""))
        with sandbox.scratch() as folder:
            # Everything is built before anything runs: a hand-in is refused as a whole.
            host, target = request.wanted("host"), request.wanted("target")
            if request.board:
                report.not_on_board = [check for check in target if check.look]
                target = [check for check in target if not check.look]
                report.notes += [f"Not on this board, and not counted: {check.id} ({amount(check.points)} points)" for check in report.not_on_board]
            wanted = {check.runner for check in host}
            programs = {build.runner: host_tier.build(lab, build, folder / build.runner, taken.text) for build in files.host if build.runner in wanted}
            kernel = target_tier.build(lab, files.target, folder / "target", taken.text) if target and files.target else None
            if target and files.left_out:
                report.left_out = files.left_out
                report.notes.append(f"The checks in the machine can not be built in this tree, so they were not run; when you hand in, they are. {files.left_out}")
            report.outcomes += host_tier.run_checks(host, programs, request.seed, request.jobs, ended, request.replay)
            if kernel and request.board:
                report.outcomes += board_tier.run_checks(target, kernel, request.seed, request.board, ended)
            elif kernel:
                report.outcomes += target_tier.run_checks(target, kernel, request.seed, request.jobs, look.look, ended)
    except (handin.Unusable, Refused) as refusal:
        report.refused = str(refusal)
        report.outcomes = [Outcome(check, Verdict.FAIL, "not run: the hand-in was refused") for check in report.asked]
    except (Failure, OSError) as failure:
        report.broken = str(failure)
    return report


def debug(request: Request, files: reference.Files) -> int:
    """The one check of the request, under gdb; no verdict."""
    check = next((check for check in request.wanted("target")), None)
    if not request.only or not check or not files.target:
        raise Failure("GDB=1: CHECK must name a check of the target tier, Group.name@target")
    try:
        with sandbox.scratch() as folder:
            kernel = target_tier.build(request.lab, files.target, folder, handin.collect(request.lab, request.submission).text)
            return target_tier.debug(check, kernel, request.seed, reference.grade_folder() / "debug")
    except (handin.Unusable, Refused) as refusal:
        raise Failure(str(refusal)) from None


# --- what is printed ---------------------------------------------------------------------------------------------------------

class Printer:
    """One line a check as it ends, and for a failure what helps to mend it."""

    def __init__(self, request: Request, quiet: bool = False) -> None:
        self.request, self.quiet = request, quiet
        self.colour = sys.stdout.isatty()

    def paint(self, text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.colour else text

    def __call__(self, outcome: Outcome) -> None:
        if self.quiet:
            return
        check = outcome.check
        mark, code = {Verdict.PASS: ("pass", "32"), Verdict.FAIL: ("FAIL", "31"), Verdict.INFRASTRUCTURE: ("????", "33")}[outcome.verdict]
        of = f"{amount(outcome.points)}/{amount(check.points)}"
        print(f"{self.paint(mark, code)}  {of:>6}  {check.id}{' (bonus)' if check.bonus else ''}", flush=True)
        if outcome.verdict is Verdict.PASS:
            return
        if self.request.replay:
            print(printable(outcome.story), end="", flush=True)
        for text in explanation(outcome, self.request):
            print(f"              {printable(text)}", flush=True)


def explanation(outcome: Outcome, request: Request) -> list[str]:
    lines = outcome.what.splitlines()
    if outcome.story and not request.replay:
        story = outcome.story.splitlines()
        lines += story[:STORY_LINES] + (["  ..."] if len(story) > STORY_LINES else [])
    lines += [f"in {frame}" if " at " in frame else f"at {frame}" for frame in outcome.trace[:6]] or ([f"at {outcome.place}"] if outcome.place else [])
    lines.append(f"hint: {' '.join(outcome.check.hint.split())}")
    if not outcome.check.hidden:
        lines.append(f"{'step by step' if outcome.schedule else 'again'}: {again(outcome, request)}")
        if outcome.check.tier == "target" and not request.board:
            lines.append("add GDB=1 to stand there in gdb and step back from it (docs/debugging.md)")
    return lines


def again(outcome: Outcome, request: Request) -> str:
    where = "" if request.submission.resolve() == TREE else f" SUBMISSION={shlex.quote(str(request.submission))}"
    schedule = f" REPLAY={outcome.schedule}" if outcome.schedule else ""
    return f"make grade LAB={request.lab.number}{where} CHECK={outcome.check.id} SEED={request.seed}{schedule}"


def summary(report: Report) -> str:
    if report.broken:
        return f"No verdict: {report.broken}"
    if report.infrastructure:
        return "No verdict: the machine that graded failed; grade again"
    text = f"{amount(report.score)} of {amount(report.full)} points"
    if report.left_out:
        text += f" that are checked here; {amount(report.elsewhere)} more are for checks in the machine"
    return f"{text}: {report.refused}" if report.refused else text
