"""Grades a class: `make grade-class`. GNU parallel or Slurm spreads the work; one process here keeps the results.

A worker grades one submission and leaves its report, results.json last. The conductor takes each into the SQLite file as it comes. What
is known there is not graded again, so the same command goes on where a killed run ended. A worker that leaves no verdict (the machine
failed, not the submission) is started again, and in the end its submission has no mark rather than a wrong one.
"""
import ctypes
import fcntl
import hashlib
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import building, reference, report
from .class_plan import Member, Plan, digest_of_checks, load_plan, members, passed_over
from .class_store import Store
from .grade import Request, grade, new_seed
from .lab import TREE, Failure, Lab
from .verdict import amount

ROUNDS = 3              # for what ended without a verdict
POLL_SECONDS = 1.0
LARGEST_ARRAY = 1000    # Slurm's usual MaxArraySize is 1001
DIE_WITH_PARENT = 1     # prctl's PR_SET_PDEATHSIG


@dataclass
class Options:
    submissions: Path
    out: Path
    jobs: int
    scheduler: str = "parallel"
    machines: str = ""      # GNU parallel's --sshlogin
    seed: int = 0
    variants: bool = False  # each submission by its own seed


# --- one submission ------------------------------------------------------------------------------------------------------------

def grade_member(plan: Plan, member: Member) -> int:
    """The worker. The verdict stands when results.json of this very hand-in is there."""
    folder = plan.out / "reports" / member.report
    request = Request(plan.lab, member.path, plan.seed_of(member), jobs=1)
    made = grade(request, plan.files)
    (folder / "results.json").unlink(missing_ok=True)
    report.write(made, request, folder)
    (folder / "of.part").write_text(member.digest + plan.checks)
    (folder / "of.part").replace(folder / "of")
    return made.status


def worker(plan_file: Path, number: int) -> int:
    # Started by Slurm it has a life of its own; under parallel nothing must go on behind the back of a killed run.
    if "SLURM_JOB_ID" not in os.environ:
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    plan = load_plan(plan_file)
    status = grade_member(plan, plan.todo[number])
    print(f"done {number}", flush=True)
    return status


def command(plan_file: Path, number: str) -> str:
    """The worker's command line for a shell; `number` may be something that the shell replaces."""
    words = ["env", "PYTHONPATH=labs", "PYTHONDONTWRITEBYTECODE=1", f"FORKLORE_BUILD={building.BUILD}", sys.executable, "-m", "grader",
             "grade-member", f"PLAN={plan_file}"]
    return f"cd {shlex.quote(str(TREE))} && exec {shlex.join(words)} INDEX={number}"


# --- spreading the work ----------------------------------------------------------------------------------------------------

def by_parallel(plan: Plan, plan_file: Path, options: Options, store: Store) -> Iterator[None]:
    """Comes back whenever a worker may have ended."""
    # parallel itself ends with the conductor.
    line = ["setpriv", "--pdeathsig", "KILL", "parallel", "--will-cite", "--plain", "--line-buffer", f"--jobs={options.jobs}"]
    for machine in options.machines.split(",") if options.machines else []:
        line += ["--sshlogin", machine]
    numbers = plan_file.with_suffix(".numbers")
    numbers.write_text("".join(f"{number}\n" for number in range(len(plan.todo))))
    log = (options.out / "workers.log").open("ab")
    try:
        job = subprocess.Popen([*line, command(plan_file, "{}")], stdin=numbers.open(), stdout=subprocess.PIPE, stderr=log, text=True)
    except OSError as error:
        raise Failure(f"{error.filename}: {error.strerror}; install parallel (`make setup` does)") from None
    try:
        assert job.stdout
        for _ in job.stdout:
            yield
        job.wait()
    finally:
        job.terminate()
        job.wait()
        log.close()
        numbers.unlink()


def slurm(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(words, input=text, capture_output=True, text=True)
    except OSError as error:
        raise Failure(f"{words[0]}: {error.strerror}; install slurm-client") from None


def by_slurm(plan: Plan, plan_file: Path, options: Options, store: Store) -> Iterator[None]:
    """Job arrays. Slurm's own variables (SBATCH_PARTITION, SBATCH_TIMELIMIT, ...) say the rest."""
    # An array of a killed run would grade the same once more.
    for old in store.setting("slurm_jobs").split():
        slurm("scancel", old)
    jobs = []
    for first in range(0, len(plan.todo), LARGEST_ARRAY):
        last = min(first + LARGEST_ARRAY, len(plan.todo)) - 1
        # Standard output must not lie in a folder that is not there on another machine.
        log = options.out / f"slurm-{first}.log"
        done = slurm("sbatch", "--parsable", f"--array=0-{last - first}%{options.jobs}", "--job-name=forklore-grade", "--cpus-per-task=1", "--open-mode=append",
                     f"--output={log}", f"--chdir={TREE}", text=f"#!/bin/sh\n{command(plan_file, f'$(({first} + SLURM_ARRAY_TASK_ID))')}\n")
        if done.returncode:
            raise Failure(f"sbatch: {done.stderr.strip()}")
        jobs.append(done.stdout.strip().partition(";")[0])
        store.set("slurm_jobs", " ".join(jobs))
    ended = False
    try:
        while True:
            # An array that is over may be forgotten already: then squeue fails, and so it does when the controller is away for a moment.
            there = slurm("squeue", "--noheader", f"--jobs={','.join(jobs)}")
            ended = not there.stdout.strip() and (there.returncode == 0 or "Invalid job id" in there.stderr)
            yield
            if ended:
                return
            time.sleep(POLL_SECONDS)
    finally:
        if not ended:
            slurm("scancel", *jobs)
        store.set("slurm_jobs", "")


SCHEDULERS: dict[str, Callable[[Plan, Path, Options, Store], Iterator[None]]] = {"parallel": by_parallel, "slurm": by_slurm}


# --- the conductor -------------------------------------------------------------------------------------------------------------

def left_by_worker(plan: Plan, member: Member) -> dict[str, Any] | None:
    """What a worker left of this hand-in; None if there is nothing or only that of another one."""
    folder = plan.out / "reports" / member.report
    try:
        if (folder / "of").read_text() != member.digest + plan.checks:
            return None
        results = json.loads((folder / "results.json").read_text())
    except (OSError, ValueError):
        return None
    return results if isinstance(results, dict) else None


class Progress:
    """A bar on a terminal, a line for each submission elsewhere."""

    def __init__(self, total: int) -> None:
        self.total, self.done = total, 0
        self.started = time.monotonic()
        self.bar = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar
            self.bar = Bar(TextColumn("grading"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.fields[last]}"),
                           console=Console(stderr=True))
            self.task = self.bar.add_task("", total=total, last="")
            self.bar.start()

    def ended(self, member: Member, results: dict[str, Any]) -> None:
        self.done += 1
        said = f"{amount(results['score'])}" if "score" in results else "no verdict"
        if self.bar:
            self.bar.update(self.task, completed=self.done, last=f"{ascii(member.name)[1:-1]}: {said}")
        else:
            print(f"{self.done:5}/{self.total}  {ascii(member.name)[1:-1]}: {said}", flush=True)

    def close(self) -> None:
        if self.bar:
            self.bar.stop()


@contextmanager
def progress(total: int) -> Iterator[Progress]:
    shown = Progress(total)
    try:
        yield shown
    finally:
        shown.close()


def collect(plan: Plan, open_members: dict[str, Member], store: Store, shown: Progress) -> None:
    for member in list(open_members.values()):
        results = left_by_worker(plan, member)
        if results is None:
            continue
        store.add(member, plan.checks, results)
        if "score" in results:
            shown.ended(member, results)
            del open_members[member.name]
        else:   # without a verdict: another round
            (plan.out / "reports" / member.report / "of").unlink(missing_ok=True)


def nothing_left(member: Member, plan: Plan) -> dict[str, Any]:
    return {"tests": [], "extra_data": {"verdict": "infrastructure", "full": plan.lab.full, "refused": "", "seed": plan.seed_of(member),
                                        "broken": f"the worker left no verdict in {ROUNDS} rounds; the last words: {last_words(plan.out)}"}}


def last_words(out: Path) -> str:
    """What the workers, ssh or the scheduler said last: there the operator begins to look."""
    for log in sorted(out.glob("*.log"), key=lambda log: log.stat().st_mtime, reverse=True):
        if said := log.read_text(errors="replace").strip():
            return f"{said.splitlines()[-1]} ({log.name})"
    return "none"


@contextmanager
def only_one(out: Path) -> Iterator[None]:
    """Conducts a run in this folder. The kernel drops the lock of one that is killed."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(f"OUT={out}: another grade-class is at work there; wait for it, or give this one a folder of its own") from None
        yield


def run(lab: Lab, options: Options) -> int:
    """Grades what is not graded yet. How many submissions have no verdict in the end."""
    if options.scheduler not in SCHEDULERS:
        raise Failure(f"SCHEDULER={options.scheduler}: there are {' and '.join(SCHEDULERS)}")
    if options.machines and options.scheduler != "parallel":
        raise Failure("SSHLOGIN= is GNU parallel's")
    everybody = members(lab, options.submissions)
    if hidden := passed_over(options.submissions):
        print(f"Not graded, for the names begin with a dot: {', '.join(hidden)}", flush=True)
    store = Store(options.out / "results.sqlite")
    if not options.seed:    # the same for all, and in each part of a run
        options.seed = int(store.setting(f"seed lab{lab.number}") or new_seed())
    store.set(f"seed lab{lab.number}", str(options.seed))
    out = options.out.absolute()
    with reference.prepared_apart(lab, hashlib.sha256(os.fsencode(out)).hexdigest()[:12]) as files:
        checks = f"{digest_of_checks(lab, files)} {'variants' if options.variants else options.seed}"
        return conduct(Plan(lab, files, options.seed, options.variants, out, checks, []), options, everybody, store)


def conduct(plan: Plan, options: Options, everybody: list[Member], store: Store) -> int:
    store.keep_only([member.name for member in everybody])
    todo = {member.name: member for member in everybody if not store.knows(member, plan.checks)}
    if len(todo) < len(everybody):
        print(f"{len(everybody) - len(todo)} of {len(everybody)} are graded already", flush=True)
    with progress(len(todo)) as shown:
        collect(plan, todo, store, shown)      # what workers left after the conductor had been killed
        for member in todo.values():        # a worker that dies leaves none: the last hand-in's is not this one's
            report.remove(plan.out / "reports" / member.report)
        for _ in range(ROUNDS):
            if not todo:
                break
            plan.todo = list(todo.values())
            for member in plan.todo:
                (plan.out / "reports" / member.report).mkdir(parents=True, exist_ok=True)
            plan_file = plan.out / f"plan-{time.time_ns()}.pickle"
            plan.save(plan_file)
            try:
                for _ in SCHEDULERS[options.scheduler](plan, plan_file, options, store):
                    collect(plan, todo, store, shown)
            finally:
                collect(plan, todo, store, shown)
                plan_file.unlink(missing_ok=True)
        for member in todo.values():
            if not any(row.submission == member.name and row.verdict == "infrastructure" for row in store.rows()):
                store.add(member, plan.checks, nothing_left(member, plan))
    return len(todo)
