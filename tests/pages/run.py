"""The pages that make trace writes, opened from disk in a browser without a window.

    make test ONLY=pages    prints `PASS name` or `FAIL name: why` for each
"""
import html
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import make_trace
from symbols import Symbols
from trace_file import Record, Recording, Story

BUILD = Path(os.environ.get("FORKLORE_BUILD") or "build")
# Only so that a browser that hangs ends the test.
GUARD_SECONDS = 600
CHROMIUM = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--window-size=1200,800", "--enable-logging=stderr",
            "--virtual-time-budget=5000", "--dump-dom"]


class Page:
    """A page as the browser has it when its scripts have run."""

    def __init__(self, file: Path, wishes: str = "") -> None:
        with tempfile.TemporaryDirectory(prefix="forklore-browser-") as profile:
            done = subprocess.run([*CHROMIUM, f"--user-data-dir={profile}", f"file://{file}#{wishes}"], capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, timeout=GUARD_SECONDS)
        self.dom = done.stdout
        body = re.search(r"<body([^>]*)>", self.dom)
        self.data = dict(re.findall(r'data-([a-z]+)="([^"]*)"', body[1] if body else ""))
        # What a script said goes to the log with the page's address.
        self.errors = self.data.get("errors", "") + "\n".join(re.findall(r"CONSOLE.*", done.stderr))

    def text(self, name: str) -> str:
        found = re.search(rf'<\w+ id="{name}"[^>]*>([^<]*)<', self.dom)
        return html.unescape(found[1]) if found else ""


def expect(condition: bool, what: object) -> None:
    if not condition:
        raise AssertionError(str(what))


def written(folder: Path, recording: Recording, note: str = "") -> Path:
    story = Story(recording, {5: "getpid"}, {}, {})
    symbols = Symbols(BUILD / "kernel" / "kernel8.elf")
    page = folder / "trace.html"
    page.write_text(make_trace.page_of(make_trace.page_data(story, make_trace.Places(story, symbols, BUILD), "made up", note, folder)))
    return page


def crowd(events: int) -> Recording:
    """Processes on four cores, each making system calls: so many spans and instants."""
    records = []
    lives = 40
    for number in range(events // 6):
        core, pid, time = number % 4, 2 + number // 4 % lives, 1000 * number
        records += [Record(time, core, 100 + pid, pid, kind, 0, a, b) for kind, a, b in
                    (("CallEnter", 5, 0), ("Fault", 0x1000, 0), ("CallLeave", 5, pid), ("LockWait", 1, 2), ("LockTaken", 1, 2))]
        records.append(Record(time + 500, core, 100 + pid, pid, "Switch", 0, 100 + 2 + (number // 4 + 1) % lives, 2 + (number // 4 + 1) % lives))
    return Recording(records, [0, 0, 0, 0])


def test_a_real_run_loads_and_shows_what_the_trace_holds(folder: Path) -> None:
    done = subprocess.run([sys.executable, "tools/make_trace.py", f"OUT={folder}", "CMD=echo a | cat"], cwd=ROOT, capture_output=True,
                          stdin=subprocess.DEVNULL, text=True, timeout=GUARD_SECONDS)
    expect(done.returncode == 0, done.stderr)
    page = Page(folder / "trace.html", "find=cat")
    expect(not page.errors and page.data.get("ready") == "yes", page.errors or page.dom[:500])
    events = json.loads((folder / "trace.json").read_text())["traceEvents"]
    lanes = {(event["pid"], event["tid"]) for event in events if event["name"] == "thread_name"}
    expect(int(page.data["events"]) == sum(event["ph"] in "Xi" for event in events) > 100, page.data)
    expect(int(page.data["lanes"]) == len(lanes) > 8, page.data)
    expect(f"{len(lanes)} lanes, {page.data['events']} events" in page.text("summary"), page.text("summary"))
    expect(page.data["first"].startswith("cat (") and int(page.data["found"]) >= 1, page.data)
    expect(page.text("warnings") == "", page.text("warnings"))


def test_a_search_without_result_says_so(folder: Path) -> None:
    page = Page(written(folder, crowd(600)), "find=nobody")
    expect(not page.errors and page.data["found"] == "0" and page.text("found") == "0 found", page.data)


def test_a_crowd_is_drawn_no_finer_than_the_screen(folder: Path) -> None:
    """A frame's work is bounded by the screen: that is why 100,000 events scroll as smoothly as 1,000."""
    page = Page(written(folder, crowd(100_000)), "frames=60")
    expect(not page.errors, page.errors)
    expect(int(page.data["events"]) > 60_000, page.data)
    # Four kinds of height lie above each other in a row.
    bound = 4 * (int(page.data["rows"]) + 1) * int(page.data["width"])
    expect(0 < int(page.data["drawn"]) < bound / 4, f"{page.data}, bound {bound}")


def test_an_empty_trace_says_that_it_is(folder: Path) -> None:
    page = Page(written(folder, Recording(lost=[0, 0, 0, 0])))
    expect(not page.errors and page.data["events"] == "0", page.errors or page.data)
    expect("the trace is empty" in page.text("warnings"), page.text("warnings"))


def test_what_was_lost_is_said(folder: Path) -> None:
    recording = crowd(600)
    recording.lost, recording.whole_from = [7, 0, 0, 5], recording.records[50].time
    page = Page(written(folder, recording, "the kernel panicked: the trace ends there"))
    expect(page.data["lost"] == "12" and "12 older records were overwritten" in page.text("warnings"), page.data)
    expect("panicked" in page.text("warnings"), page.text("warnings"))


def test_names_from_the_guest_can_not_leave_their_place(folder: Path) -> None:
    name = b"</script><b>"
    records = [Record(1, 0, 9, 5, "Exec", 0, 5, 0),
               Record(2, 0, 9, 5, "Text", 0, int.from_bytes(name[:8], "little"), int.from_bytes(name[8:], "little"))]
    page = Page(written(folder, Recording(records, [0, 0, 0, 0])), "find=script")
    expect(not page.errors and page.data["found"] == "1", page.errors or page.data)


def main() -> int:
    tests: dict[str, Callable[[Path], None]] = {name[5:]: test for name, test in globals().items() if name.startswith("test_")}
    failed = 0
    for name, test in tests.items():
        if not name.startswith(sys.argv[1] if len(sys.argv) > 1 else ""):
            continue
        with tempfile.TemporaryDirectory(prefix="forklore-pages-") as folder:
            try:
                test(Path(folder))
                print(f"PASS {name}", flush=True)
            except (AssertionError, OSError, KeyError, ValueError, subprocess.SubprocessError) as problem:
                failed += 1
                print(f"FAIL {name}: {str(problem).splitlines()[0] if str(problem) else repr(problem)}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
