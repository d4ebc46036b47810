"""make trace: what its two files say of real runs, of one that panicked, and of rings that were too small."""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from support import BUILD, GUARD_SECONDS, ROOT, Case, settings

import trace_file


class Traced:
    """A run of `make trace`, whose files go to a folder of their own."""

    def __init__(self, **options: str) -> None:
        with tempfile.TemporaryDirectory(prefix="forklore-test-") as folder:
            done = subprocess.run([sys.executable, "tools/make_trace.py", f"OUT={folder}", *settings(options)], cwd=ROOT,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=GUARD_SECONDS)
            self.status, self.console, self.said = done.returncode, done.stdout, done.stderr
            self.json = json.loads((Path(folder) / "trace.json").read_text()) if (Path(folder) / "trace.json").is_file() else {}
            page = (Path(folder) / "trace.html").read_text() if self.json else ""
        found = re.search(r"^const data = (.*);$", page, re.M)
        self.data = json.loads(found[1]) if found else {}
        self.events = self.json.get("traceEvents", [])

    def spans(self, category: str) -> list[dict]:
        return [event for event in self.events if event.get("cat") == category]

    def titles(self) -> set[str]:
        return {event["args"]["name"] for event in self.events if event["name"] == "process_name"}


def vfork_program(folder: str) -> None:
    source = Path(folder) / "lender.c"
    source.write_text("#include <unistd.h>\n#include <sys/wait.h>\n"
                      "int main(void) { int status; if (vfork() == 0) { _exit(3); } wait(&status);\n"
                      "if (vfork() == 0) { execl(\"/bin/true\", \"true\", (char*)0); _exit(9); } wait(&status); return 0; }\n")
    subprocess.run([str(BUILD / "bin" / "forklore-cc"), str(source), "-o", f"{folder}/lender"], cwd=ROOT, check=True)


class Trace(Case):
    def test_a_forks_child_is_followed_from_gather_to_reaped(self) -> None:
        run = Traced(CMD="(exit 3); echo over")
        self.assertEqual((run.status, run.console), (0, "over\n"), run.said)
        child = next(event["pid"] for event in run.spans("life") if "0x300" in event["args"].get("fields", ""))
        life = [event["name"] for event in run.spans("life") + run.spans("state") if event["pid"] == child]
        for step in ("gather", "commit", "publish", "running", "exiting", "zombie", "reaped"):
            self.assertIn(step, life)
        self.assertTrue(any(event["name"] == "fork" for event in run.spans("flow")))
        sources = {event["args"]["source"] for event in run.spans("life")}
        self.assertTrue(any(re.search(r"family_enter_locked.* at src/kernel/proc/family\.cpp:\d+", source) for source in sources), sources)

    def test_a_lent_thread_passes_to_the_child_and_back(self) -> None:
        with tempfile.TemporaryDirectory(prefix="forklore-test-") as folder:
            vfork_program(folder)
            run = Traced(CMD="/add/lender", ADD=folder)
        self.assertEqual(run.status, 0, run.said)
        order = [event["name"] for event in sorted(run.spans("flow"), key=lambda event: event["ts"]) if event["ph"] == "s"]
        self.assertEqual([name for name in order if name in ("lend", "return")], ["lend", "return", "lend", "return"])
        for loan, lent in zip(run.spans("loan"), run.spans("lent")):
            self.assertEqual((loan["ts"], loan["dur"]), (lent["ts"], lent["dur"]))
            self.assertIn("on loan from lender", loan["name"])
        self.assertEqual(len(run.spans("loan")), 2)
        self.assertTrue({"true (5)", "lender (3)"} < run.titles(), run.titles())

    def test_both_files_hold_the_same_events(self) -> None:
        run = Traced(CMD="echo a | cat; forktest 1", ARGS="maxproc=40")
        self.assertEqual(run.status, 0, run.said)
        spans = [event for event in run.events if event["ph"] in "Xi"]
        self.assertEqual(len(spans), sum(len(lane["start"]) for lane in run.data["lanes"]))
        self.assertTrue(all(event["ts"] >= 0 and event.get("dur", 1) > 0 for event in spans))
        self.assertEqual(run.json["otherData"]["lost_by_core"], [0, 0, 0, 0])
        for category in ("call", "fault", "run", "cpu", "life", "state", "zone"):
            self.assertTrue(run.spans(category), category)
        self.assertIn("pipe2", {event["name"] for event in run.spans("call")})

    def test_a_ring_that_overflowed_says_how_many_it_lost(self) -> None:
        run = Traced(CMD="forktest 1", ARGS="maxproc=60", TRACE="128")
        self.assertEqual(run.status, 0, run.said)
        lost = sum(run.json["otherData"]["lost_by_core"])
        self.assertGreater(lost, 0)
        self.assertIn(f"{lost} older records were overwritten", run.said)
        self.assertEqual(run.data["lost"], run.json["otherData"]["lost_by_core"])
        self.assertLessEqual(run.data["records"], 4 * 128)

    def test_a_panic_leaves_the_trace_up_to_there(self) -> None:
        run = Traced(CMD="echo never", ARGS="fault=panic")
        self.assertEqual(run.status, 255, run.said)
        self.assertIn("the kernel panicked", run.said)
        self.assertTrue(run.spans("state"))
        self.assertTrue(any(process["pid"] == 1 for process in run.data["processes"]), run.data["processes"])

    def test_a_hang_leaves_one_too(self) -> None:
        run = Traced(CMD="sleep 1000", TIMEOUT="5")
        self.assertEqual(run.status, 124, run.said)
        sleeping = [event for event in run.spans("call") if event["name"] == "nanosleep"]
        self.assertEqual(len(sleeping), 1)

    def test_no_events_make_an_empty_trace(self) -> None:
        story = trace_file.Story(trace_file.Recording(lost=[0, 0, 0, 0]), {}, {}, {})
        self.assertEqual((story.spans(), len(story.lanes())), (0, 4))

    def test_the_kinds_are_the_kernels(self) -> None:
        header = (ROOT / "src/machine/trace.h").read_text()
        body = header[header.index("enum class TraceKind"):]
        names = re.findall(r"^    (\w+)(?: = 1)?,", body[:body.index("};")], re.M)
        self.assertEqual(names, trace_file.KINDS[1:])
