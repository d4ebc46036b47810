"""The results of a class run, in an SQLite file as they come: a run that is killed loses nothing that was graded."""
import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .class_plan import Member

SCHEMA = """
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS result (
    submission TEXT PRIMARY KEY, digest TEXT NOT NULL, checks TEXT NOT NULL,    -- of what, with what
    verdict TEXT NOT NULL, score REAL, full REAL NOT NULL, reason TEXT NOT NULL, -- without a verdict there is no score
    seed INTEGER NOT NULL, report TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS outcome (
    submission TEXT NOT NULL REFERENCES result(submission) ON DELETE CASCADE,
    name TEXT NOT NULL, points REAL NOT NULL, of REAL NOT NULL, verdict TEXT NOT NULL, said TEXT NOT NULL, PRIMARY KEY (submission, name));
"""


@dataclass
class Row:
    submission: str
    verdict: str            # pass, fail, infrastructure
    score: float | None
    full: float
    reason: str             # why it was refused, or why there is no verdict
    report: str


class Store:
    """Belongs to the one process that conducts the run: SQLite's locks do not hold on network file systems, so workers leave files."""

    def __init__(self, path: Path) -> None:
        self.base = sqlite3.connect(path, isolation_level=None)
        self.base.execute("PRAGMA journal_mode=WAL")
        self.base.execute("PRAGMA foreign_keys=ON")
        self.base.executescript(SCHEMA)

    def setting(self, name: str) -> str:
        found = self.base.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return str(found[0]) if found else ""

    def set(self, name: str, value: str) -> None:
        self.base.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))

    def knows(self, member: Member, checks: str) -> bool:
        """Is there a verdict of just this hand-in by just these checks?"""
        found = self.base.execute("SELECT 1 FROM result WHERE submission = ? AND digest = ? AND checks = ? AND verdict != 'infrastructure'",
                                  (member.name, member.digest, checks)).fetchone()
        return found is not None

    def add(self, member: Member, checks: str, results: dict[str, Any]) -> None:
        extra = results["extra_data"]
        row = (member.name, member.digest, checks, extra["verdict"], results.get("score"), extra["full"], extra["refused"] or extra["broken"],
               extra["seed"], member.report)
        tests = [(member.name, test["name"], test["score"], test["max_score"], test["extra_data"]["verdict"], test["output"]) for test in results["tests"]]
        self.base.execute("BEGIN IMMEDIATE")
        self.base.execute("DELETE FROM result WHERE submission = ?", (member.name,))
        self.base.execute("INSERT INTO result VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        self.base.executemany("INSERT INTO outcome VALUES (?, ?, ?, ?, ?, ?)", tests)
        self.base.execute("COMMIT")

    def keep_only(self, names: list[str]) -> None:
        """Submissions that have been taken away are no part of the class."""
        self.base.execute("DELETE FROM result WHERE submission NOT IN (SELECT value FROM json_each(?))", (json.dumps(names),))

    def rows(self) -> list[Row]:
        return [Row(*row) for row in self.base.execute("SELECT submission, verdict, score, full, reason, report FROM result ORDER BY submission")]

    def missed(self) -> list[tuple[str, int, int]]:
        """(check, how many failed it, how many were asked): of those whose hand-in could be run, the most missed first."""
        return [(str(name), int(failed), int(asked)) for name, failed, asked in self.base.execute(
            "SELECT name, SUM(outcome.verdict = 'fail') AS failed, COUNT(*) FROM outcome JOIN result USING (submission)"
            " WHERE reason = '' GROUP BY name ORDER BY failed DESC, name")]
