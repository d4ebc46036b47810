"""What a class run leaves for people: scores.csv, and a page with the distribution, the most-missed checks and who is alike."""
import csv
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

from .class_store import Row, Store
from .lab import Lab
from .similarity import Pair
from .verdict import amount, printable

BARS = 11               # 0, 1 to 10 %, ..., 91 to 100 %: nothing at all is a group of its own
WIDTH, HEIGHT, FOOT, GAP = 660, 200, 34, 8
MOST_MISSED = 15


@dataclass
class Alike:
    """Who is alike, or why that is not known."""
    threshold: int
    pairs: list[Pair] = field(default_factory=list)
    without: str = ""


def harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def scores(rows: list[Row]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["submission", "score", "of", "verdict", "reason"])
    for row in rows:
        first = row.reason.strip().splitlines()[:1]
        writer.writerow([harmless(printable(row.submission)), "" if row.score is None else amount(row.score), amount(row.full), row.verdict,
                         harmless(printable(first[0] if first else ""))])
    return out.getvalue()


def group_of(row: Row) -> int:
    share = (row.score or 0) / row.full if row.full else 0
    return 0 if share <= 0 else min(BARS - 1, 1 + int((share * 100 - 1e-9) // 10))


def bars(rows: list[Row]) -> list[dict[str, Any]]:
    """The histogram as rectangles of the picture."""
    counts = [0] * BARS
    for row in rows:
        if row.score is not None:
            counts[group_of(row)] += 1
    step, most = WIDTH / BARS, max(counts) or 1
    labels = ["0", *(f"{10 * n + 1}-{10 * n + 10}" for n in range(BARS - 1))]
    found = []
    for n, count in enumerate(counts):
        high = (HEIGHT - FOOT - 20) * count / most
        found.append({"x": round(n * step + GAP / 2, 1), "y": round(HEIGHT - FOOT - high, 1), "width": round(step - GAP, 1), "height": round(high, 1),
                      "middle": round((n + 0.5) * step, 1), "count": count, "label": labels[n]})
    return found


def median(values: list[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def page(lab: Lab, store: Store, alike: Alike, out: Path) -> str:
    rows = store.rows()
    marks = [row.score for row in rows if row.score is not None]
    shown = {row.submission: printable(row.submission) for row in rows}
    environment = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=select_autoescape(["html", "jinja"]), trim_blocks=True, lstrip_blocks=True)
    table = [{"name": shown[row.submission], "score": "-" if row.score is None else amount(row.score), "verdict": row.verdict,
              "reason": printable(row.reason.strip().splitlines()[0] if row.reason.strip() else ""),
              "report": row.report if (out / "reports" / row.report / "report.html").is_file() else ""} for row in rows]
    missed = [{"name": name, "failed": failed, "asked": asked, "share": round(100 * failed / asked)} for name, failed, asked in store.missed() if failed]
    return environment.get_template("class.html.jinja").render(
        lab=lab, rows=table, full=amount(lab.full), bars=bars(rows), width=WIDTH, height=HEIGHT, foot=FOOT, missed=missed[:MOST_MISSED],
        mean=amount(round(sum(marks) / len(marks), 1)) if marks else "-", median=amount(median(marks)) if marks else "-",
        complete=sum(row.verdict == "pass" for row in rows), refused=sum(bool(row.reason) and row.verdict == "fail" for row in rows),
        unmarked=sum(row.score is None for row in rows), threshold=alike.threshold, not_compared=printable(alike.without),
        pairs=[{"one": printable(pair.one), "other": printable(pair.other), "percent": pair.percent, "back": pair.back} for pair in alike.pairs])


def write(lab: Lab, store: Store, alike: Alike, out: Path) -> None:
    pairs = json.dumps([pair.__dict__ for pair in alike.pairs], indent=1)
    for name, text in (("scores.csv", scores(store.rows())), ("class.html", page(lab, store, alike, out)), ("similarity.json", pairs)):
        part = out / f".{name}.part"
        part.write_text(text, errors="replace")
        part.replace(out / name)
