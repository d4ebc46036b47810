"""What is said of one check, and of a whole submission."""
from dataclasses import dataclass, field
from enum import Enum

from .lab import Check, Lab


class Verdict(Enum):
    PASS = "pass"
    FAIL = "fail"
    INFRASTRUCTURE = "infrastructure"       # nothing was learnt about the submission


@dataclass
class Outcome:
    check: Check
    verdict: Verdict
    what: str = ""                  # expected and came, or how the program ended
    place: str = ""                 # file:line
    trace: list[str] = field(default_factory=list)
    cpu: float = 0.0
    schedule: str = ""              # of the explorer: the order of threads that failed
    story: str = ""                 # what they did in it

    @property
    def points(self) -> float:
        return self.check.points if self.verdict is Verdict.PASS else 0


@dataclass
class Report:
    lab: Lab
    seed: int
    outcomes: list[Outcome] = field(default_factory=list)
    refused: str = ""               # why nothing could be run, in a student's words
    notes: list[str] = field(default_factory=list)
    only: str = ""                  # one check was asked for, and the marks are of it alone
    broken: str = ""                # why the grader itself could not do its work
    left_out: str = ""              # why the target tier could not be run, in a student's tree
    not_on_board: list[Check] = field(default_factory=list)     # neither run nor counted

    @property
    def asked(self) -> list[Check]:
        return [check for check in self.lab.checks if self.only in ("", check.id) and check not in self.not_on_board
                and not (self.left_out and check.tier == "target")]

    @property
    def full(self) -> float:
        return sum(check.points for check in self.asked if self.only or not check.bonus)

    @property
    def elsewhere(self) -> float:
        """Points of checks that could not be run here."""
        return sum(check.points for check in self.lab.tier("target") if self.left_out and not check.bonus)

    @property
    def score(self) -> float:
        return sum(outcome.points for outcome in self.outcomes)

    @property
    def infrastructure(self) -> bool:
        return bool(self.broken) or any(outcome.verdict is Verdict.INFRASTRUCTURE for outcome in self.outcomes)

    @property
    def all_passed(self) -> bool:
        """Everything that is not bonus."""
        done = {outcome.check.id for outcome in self.outcomes if outcome.verdict is Verdict.PASS}
        return not self.refused and not self.left_out and all(check.id in done for check in self.asked if self.only or not check.bonus)

    @property
    def status(self) -> int:
        return 2 if self.infrastructure else 0 if self.all_passed else 1


def amount(points: float) -> str:
    return f"{points:g}"


def printable(text: str) -> str:
    """Without control characters: XML has no way to write them, and a terminal obeys them."""
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
