"""A class is graded (make grade-class): bad hand-ins, a run that is killed, machines that fail, GNU parallel over ssh, Slurm."""
import csv
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pexpect

from support import BUILD, GUARD_SECONDS, ROOT, Case, without_make

sys.path.insert(0, str(ROOT / "labs"))
from grader.lab import load     # noqa: E402
from grader.variant import seed_of  # noqa: E402

# What the reference has: hidden and bonus checks too.
EVERYTHING = f"{sum(check.points for check in load(2).checks):g}"

PID = "src/kernel/proc/pid.cpp"


def wait_for(what: str, condition) -> None:
    guard = time.monotonic() + GUARD_SECONDS
    while not condition():
        if time.monotonic() > guard:
            raise AssertionError(f"{what}: never")
        time.sleep(0.2)


class Class(Case):
    def setUp(self) -> None:
        super().setUp()
        self.folder.chmod(0o755)
        self.submissions, self.out = self.folder / "hand ins", self.folder / "out"
        self.submissions.mkdir()

    def hand_in(self, name: str, text: bytes | Path, place: str = PID) -> None:
        file = self.submissions / name / place
        file.parent.mkdir(parents=True)
        file.write_bytes(text.read_bytes() if isinstance(text, Path) else text)

    def broken(self, count: int) -> None:
        """Hand-ins that take little time: they do not compile."""
        for number in range(count):
            self.hand_in(f"s{number}", b"int broken(\n")

    def program(self, name: str, script: str) -> Path:
        """One that takes another's place."""
        file = self.folder / "programs" / name
        file.parent.mkdir()
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return file

    def command(self, **options: str) -> list[str]:
        given = {"LAB": "2", "SUBMISSIONS": str(self.submissions), "OUT": str(self.out), "SEED": "7"} | options
        return [sys.executable, "-m", "grader", "grade-class", *(f"{name}={value}" for name, value in given.items())]

    def environment(self, **more: str) -> dict[str, str]:
        return without_make() | {"PYTHONPATH": "labs", "FORKLORE_BUILD": str(BUILD)} | more

    def grade(self, environment: dict[str, str] | None = None, **options: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.command(**options), cwd=ROOT, env=environment or self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True)

    def scores(self) -> dict[str, list[str]]:
        rows = list(csv.reader((self.out / "scores.csv").read_text().splitlines()))
        self.assertEqual(rows[0], ["submission", "score", "of", "verdict", "reason"])
        return {row[0]: row[1:] for row in rows[1:]}

    def test_every_hand_in_gets_a_report_and_a_mark(self) -> None:
        reference = (ROOT / PID).read_bytes()
        self.hand_in("ada", reference)
        self.hand_in("copy of ada", reference.replace(b"maximum", b"biggest"))
        self.hand_in('odd $(name) "<b>"', ROOT / "labs/lab2" / PID)
        self.hand_in("=1+1", b"")
        self.hand_in("binary", Path("/bin/true"), "pid.cpp")
        self.hand_in("other lab", ROOT / "src/mm/zone.cpp", "zone.cpp")
        self.hand_in("deep", reference, "my/work/pid.cpp")
        self.hand_in("broken", b"int main( {\n")
        (self.submissions / "empty").mkdir()
        os.makedirs(os.fsencode(self.submissions) + b"/caf\xe9")
        (self.submissions / ".hidden").mkdir()
        (self.submissions / "pid.cpp").write_bytes(reference)
        done = self.grade()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        scores = self.scores()
        self.assertEqual({name: row[0] for name, row in scores.items()},
                         {"ada": EVERYTHING, "copy of ada": "0", 'odd $(name) "<b>"': "0", "'=1+1": "0", "binary": "0", "other lab": "0", "deep": "0", "broken": "0",
                          "empty": "0", "pid.cpp": "0", r"caf\xe9": "0"})
        self.assertIn("Not graded, for the names begin with a dot: .hidden\n", done.stdout)
        for name, said in (("'=1+1", "is empty"), ("binary", "compiled program"), ("other lab", "lab 1"), ("deep", "my/work/pid.cpp"),
                           ("broken", "does not compile"), ("empty", "no file"), ("pid.cpp", "not a folder")):
            self.assertIn(said, scores[name][3])
        page = (self.out / "class.html").read_text()
        self.assertIn("<svg", page)
        self.assertNotIn("<b>", page)
        self.assertNotRegex(page, r'(src|href)="(https?:)?//')
        links = re.findall(r'href="([^"]*)"', page)
        self.assertEqual(len(links), 11)
        for link in links:
            self.assertTrue((self.out / link).is_file(), link)
            self.assertIn("score", json.loads((self.out / link).with_name("results.json").read_text()))
        pairs = json.loads((self.out / "similarity.json").read_text())
        alike = {frozenset((pair["one"], pair["other"])) for pair in pairs}
        self.assertIn({"ada", "copy of ada"}, alike)
        self.assertIn({"ada", "the reference"}, alike)
        self.assertFalse([pair for pair in alike if 'odd $(name) "<b>"' in pair], "the skeleton's text is nobody's")

    def test_a_killed_run_goes_on_where_it_was(self) -> None:
        self.broken(5)
        first = subprocess.Popen(self.command(JOBS="1"), cwd=ROOT, env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert first.stdout
        line = next(line for line in first.stdout if re.match(r" +1/5 ", line))
        first.send_signal(signal.SIGKILL)
        first.wait()
        rest = first.stdout.read()
        first.stdout.close()
        kept = 1 + len(re.findall(r"/5 ", rest))
        self.assertLess(kept, 5)
        graded = re.search(r"  (s\d): ", line)
        assert graded
        report = self.out / "reports" / graded[1] / "results.json"
        before = report.stat().st_mtime_ns
        base = sqlite3.connect(self.out / "results.sqlite")
        self.assertGreaterEqual(base.execute("SELECT COUNT(*) FROM result").fetchone()[0], kept)
        self.assertEqual(base.execute("PRAGMA journal_mode").fetchone()[0], "wal")
        base.close()
        second = self.grade(JOBS="1")
        self.assertEqual(second.returncode, 0, second.stderr)
        known = re.search(r"(\d) of 5 are graded already", second.stdout)
        assert known, second.stdout
        self.assertGreaterEqual(int(known[1]), kept)
        self.assertEqual(len(re.findall(r"^ +\d/\d  s\d: 0$", second.stdout, re.M)), 5 - int(known[1]))
        self.assertEqual(report.stat().st_mtime_ns, before)
        self.assertEqual(len(self.scores()), 5)
        # A new hand-in is graded anew, and it alone.
        (self.submissions / "s3" / PID).write_text("int other(\n")
        third = self.grade(JOBS="1")
        self.assertIn("4 of 5 are graded already", third.stdout)
        self.assertRegex(third.stdout, r"1/1  s3: 0")

    def test_each_has_a_variant_of_its_own(self) -> None:
        self.broken(2)
        seeds = lambda: {name: json.loads((self.out / "reports" / name / "results.json").read_text())["extra_data"]["seed"] for name in ("s0", "s1")}  # noqa: E731
        self.assertEqual(self.grade(VARIANTS="1").returncode, 0)
        self.assertEqual(seeds(), {name: seed_of(2, name) for name in ("s0", "s1")})
        self.assertNotEqual(seed_of(2, "s0"), seed_of(2, "s1"))
        self.assertNotEqual(seed_of(2, "s0"), seed_of(3, "s0"))
        self.assertIn("2 of 2 are graded already", self.grade(VARIANTS="1").stdout)
        # Without variants it is another grading.
        self.assertEqual(self.grade().returncode, 0)
        self.assertEqual(seeds(), {"s0": 7, "s1": 7})

    def test_a_machine_that_fails_gives_no_mark(self) -> None:
        self.hand_in("ada", b"int broken(\n")
        tools = self.program("bwrap", "kill -9 $$").parent
        done = self.grade(self.environment(PATH=f"{tools}:{os.environ['PATH']}"))
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertRegex(done.stdout, "1 without a verdict: .*(did not come to an end|no sandbox)")
        self.assert_clean(done.stderr)
        self.assertFalse((self.out / "scores.csv").exists() and self.scores()["ada"][0])
        done = self.grade()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.scores()["ada"][0], "0")

    def test_other_machines_by_ssh(self) -> None:
        """GNU parallel's own ssh: here a program that notes the machine and runs the command on this one, with a SHELL as sshd sets it: the caller
        may have none."""
        self.broken(2)
        ssh = self.program("ssh", f'echo "$1" >> {self.folder}/machines; shift; [ "$1" != -- ] || shift; SHELL=/bin/sh exec sh -c "$*"')
        bare = self.environment()
        bare.pop("SHELL", None)
        done = self.grade(bare, SSHLOGIN=f"1/{ssh} one,1/{ssh} two")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(set((self.folder / "machines").read_text().split()), {"one", "two"})
        self.assertEqual([row[0] for row in self.scores().values()], ["0", "0"])

    def test_a_machine_that_can_not_be_reached(self) -> None:
        self.broken(1)
        ssh = self.program("ssh", "echo 'no route to host' >&2; exit 255")
        done = self.grade(SSHLOGIN=f"1/{ssh} one")
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertRegex(done.stdout, "1 without a verdict: .*no route to host")

    def test_a_bar_on_a_terminal(self) -> None:
        self.broken(1)
        program, *arguments = self.command()
        terminal = pexpect.spawn(program, arguments, cwd=str(ROOT), env=self.environment(TERM="xterm"), timeout=GUARD_SECONDS, dimensions=(24, 100))
        terminal.expect(rb"grading")
        terminal.expect(rb"1/1")
        terminal.expect(rb"1 submissions, 0 without a verdict")
        terminal.expect(pexpect.EOF)
        terminal.close()
        self.assertEqual(terminal.exitstatus, 0)

    def test_says_what_is_wrong(self) -> None:
        for options, said in (({"SUBMISSIONS": "/nowhere"}, "No such file"), ({}, "nothing in it"), ({"SCHEDULER": "cron", "SUBMISSIONS": str(ROOT / "labs")}, "SCHEDULER=cron"),
                              ({"SCHEDULER": "slurm", "SSHLOGIN": "one", "SUBMISSIONS": str(ROOT / "labs")}, "SSHLOGIN")):
            with self.subTest(said=said):
                done = self.grade(**options)
                self.assertEqual(done.returncode, 2)
                self.assertIn(said, done.stderr)
                self.assert_clean(done.stderr)


CONFIGURATION = """
ClusterName=forklore
SlurmctldHost={host}(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={controller_port}
SlurmdPort={node_port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


class Slurm(Class):
    """A cluster of one machine, with keys and ports of its own."""

    def setUp(self) -> None:
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("slurmd starts jobs for others: it wants to be root")
        self.cluster = self.folder / "cluster"
        for name in ("state", "spool"):
            (self.cluster / name).mkdir(parents=True)
        self.configuration = self.cluster / "slurm.conf"
        self.configuration.write_text(CONFIGURATION.format(host=socket.gethostname().partition(".")[0], folder=self.cluster,
                                                           controller_port=free_port(), node_port=free_port()))
        key = self.cluster / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        files = [f"--{name}-file={self.cluster}/munge.{name}" for name in ("key", "pid", "log", "seed")]
        self.start("/usr/sbin/munged", "--foreground", "--force", f"--socket={self.cluster}/munge.socket", *files)
        wait_for("munged", (self.cluster / "munge.socket").exists)
        self.start("/usr/sbin/slurmctld", "-D", "-f", str(self.configuration))
        self.start("/usr/sbin/slurmd", "-D", "-f", str(self.configuration))
        wait_for("a node", lambda: "idle" in self.slurm("sinfo", "--noheader", "--format=%t").stdout)

    def start(self, *command: str) -> None:
        log = (self.cluster / "daemons.log").open("ab")
        job = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment(SLURM_CONF=str(self.configuration)))
        log.close()

        def stop() -> None:
            job.terminate()
            try:
                job.wait(60)
            except subprocess.TimeoutExpired:
                job.kill()
                job.wait()
        self.addCleanup(stop)

    def slurm(self, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(command, env=self.environment(SLURM_CONF=str(self.configuration)), capture_output=True, text=True)

    # What the base class tests is tested there.
    test_every_hand_in_gets_a_report_and_a_mark = test_a_killed_run_goes_on_where_it_was = test_a_machine_that_fails_gives_no_mark = None
    test_other_machines_by_ssh = test_a_bar_on_a_terminal = test_says_what_is_wrong = None

    def test_a_job_array_grades_the_class(self) -> None:
        self.broken(2)
        self.hand_in("ada", ROOT / PID)
        done = self.grade(self.environment(SLURM_CONF=str(self.configuration)), SCHEDULER="slurm", JOBS="2")
        logs = "".join(path.read_text() for path in self.out.glob("slurm-*.log"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr + logs)
        self.assertEqual({name: row[0] for name, row in self.scores().items()}, {"ada": EVERYTHING, "s0": "0", "s1": "0"})
        jobs = self.slurm("scontrol", "show", "jobs", "--oneliner").stdout
        self.assertEqual(len(re.findall(r"JobName=forklore-grade .*JobState=COMPLETED|JobName=forklore-grade .*JobState=FAILED", jobs)), 3, jobs)
