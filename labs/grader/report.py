"""The files that a grading leaves: results.json in Gradescope's format, JUnit XML, and a page for people."""
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from jinja2 import Environment, FileSystemLoader, select_autoescape

from .grade import Request, explanation, summary
from .verdict import Outcome, Report, Verdict, amount, printable


def results(report: Report, request: Request) -> dict[str, Any]:
    """https://gradescope-autograders.readthedocs.io/en/latest/specs: without a score the run counts as failed, not as 0 points."""
    value: dict[str, Any] = {"output": printable(summary(report)), "output_format": "text", "stdout_visibility": "hidden",
                   "extra_data": {"lab": report.lab.number, "seed": report.seed, "verdict": verdict_of(report), "full": report.full,
                                  "notes": report.notes, "refused": report.refused, "broken": report.broken}}
    if not report.infrastructure:
        value["score"] = report.score
    value["tests"] = [{
        "name": outcome.check.id + (" (bonus)" if outcome.check.bonus else ""),
        "score": outcome.points,
        "max_score": outcome.check.points,
        "status": "passed" if outcome.verdict is Verdict.PASS else "failed",
        "output": "" if outcome.verdict is Verdict.PASS else printable("\n".join(explanation(outcome, request))),
        # A student sees that hidden checks failed only when marks are published.
        "visibility": "after_published" if outcome.check.hidden else "visible",
        "extra_data": {"verdict": outcome.verdict.value, "cpu": round(outcome.cpu, 2), "tier": outcome.check.tier},
    } for outcome in report.outcomes]
    return value


def verdict_of(report: Report) -> str:
    return "infrastructure" if report.infrastructure else "pass" if report.all_passed else "fail"


def junit(report: Report, request: Request) -> bytes:
    failed = [o for o in report.outcomes if o.verdict is Verdict.FAIL]
    errors = [o for o in report.outcomes if o.verdict is Verdict.INFRASTRUCTURE]
    suite = ElementTree.Element("testsuite", name=f"lab{report.lab.number}", tests=str(len(report.outcomes)), failures=str(len(failed)), errors=str(len(errors)))
    for outcome in report.outcomes:
        group, _, name = outcome.check.id.partition(".")
        case = ElementTree.SubElement(suite, "testcase", classname=group, name=name, time=f"{outcome.cpu:.2f}")
        if outcome.verdict is not Verdict.PASS:
            kind = "failure" if outcome.verdict is Verdict.FAIL else "error"
            node = ElementTree.SubElement(case, kind, message=printable(outcome.what.splitlines()[0] if outcome.what else ""))
            node.text = printable("\n".join(explanation(outcome, request)))
    return ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)


def page(report: Report, request: Request) -> str:
    def row(outcome: Outcome) -> dict[str, object]:
        return {"check": outcome.check, "verdict": outcome.verdict.value, "points": amount(outcome.points), "of": amount(outcome.check.points),
                "lines": [] if outcome.verdict is Verdict.PASS else explanation(outcome, request)}
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape(["html", "jinja"]), trim_blocks=True, lstrip_blocks=True)
    share = 0 if report.infrastructure or not report.full else min(100, round(100 * report.score / report.full))
    return environment.get_template("report.html.jinja").render(
        lab=report.lab, report=report, summary=printable(summary(report)), share=share, verdict=verdict_of(report), score=amount(report.score),
        full=amount(report.full), rows=[row(o) for o in report.outcomes])


def remove(folder: Path) -> None:
    """What an earlier grading left is not taken for this one's if this one leaves nothing."""
    for name in ("results.json", "junit.xml", "report.html"):
        (folder / name).unlink(missing_ok=True)


def write(report: Report, request: Request, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in (("results.json", json.dumps(results(report, request), indent=1).encode()), ("junit.xml", junit(report, request)),
                       ("report.html", page(report, request).encode(errors="replace"))):
        # Whole or not at all: a killed run leaves no half file.
        part = folder / f".{name}.part"
        part.write_bytes(data)
        part.replace(folder / name)
