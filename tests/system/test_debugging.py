"""make debug's commands on a real guest, and make symbolize on real logs."""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from support import BUILD, GUARD_SECONDS, ROOT, Case, Machine, run, settings

import make_snapshot

LENDER = """#include <unistd.h>
#include <sys/wait.h>
static char many[65536] = {1};
int main(void) {
    int status;
    for (int i = 0; i < 65536; i += 4096) { many[i] = 1; }
    if (fork() == 0) { many[0] = 2; pause(); }
    if (vfork() == 0) { _exit(3); }
    wait(&status);
    return 0;
}
"""


def program(folder: str, name: str, source: str) -> None:
    (Path(folder) / f"{name}.c").write_text(source)
    subprocess.run([str(BUILD / "bin" / "forklore-cc"), f"{folder}/{name}.c", "-o", f"{folder}/{name}"], cwd=ROOT, check=True)


class Debug(Case):
    def debug(self, *commands: str, **options: str) -> str:
        """What gdb says to these commands."""
        with tempfile.NamedTemporaryFile("w", suffix=".gdb") as script:
            script.write("\n".join(commands) + "\nkill\n")
            script.flush()
            done = subprocess.run([sys.executable, "tools/debug.py", f"GDB_SCRIPT={script.name}", *settings(options)], cwd=ROOT,
                                  stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=GUARD_SECONDS)
        self.assertNotIn("Python Exception", done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_shows_processes_and_a_loan(self) -> None:
        with tempfile.TemporaryDirectory(prefix="forklore-test-") as folder:
            program(folder, "lender", LENDER)
            said = self.debug("hbreak vfork_exit", "continue", "ps", "proc 3", "proc 5", "proc 77", "user-symbols", CMD="/add/lender", ADD=folder)
        self.assertRegex(said, r"(?m)^ +3 +2 +1 +lender +Running, 1 thread lent$")
        self.assertRegex(said, r"(?m)^ +5 +3 +0 +lender +Running, on loan of thread (\d+)$")
        self.assertRegex(said, r"(?m)^  children: 4 5$")
        self.assertRegex(said, r"(?m)^    lent to process 5 \(lender\)$")
        self.assertRegex(said, r"rw- Stack +\d+ pages")
        self.assertIn("not sound: there is no process 77", said)
        self.assertIn("lender is not one of the RAM disk's programs", said)

    def test_follows_an_address_to_its_page(self) -> None:
        with tempfile.TemporaryDirectory(prefix="forklore-test-") as folder:
            program(folder, "lender", LENDER)
            said = self.debug("hbreak vfork_exit", "continue", "pagetable 3 0x400000", "pagetable 4 0x400000", "pagetable 3 0x3fffff00",
                              "pagetable 3 0x10000000", CMD="/add/lender", ADD=folder)
        pages = re.findall(r"level 3 \[ *\d+\] 0x[0-9a-f]+ frame (0x[0-9a-f]+) (\S+)( copy-on-write)?", said)
        self.assertEqual([rights for _, rights, _ in pages][:2], ["r-x", "r-x"], said)
        self.assertEqual(pages[0][0], pages[1][0], "parent and child share the program's text")
        self.assertEqual([int(number) >= 2 for number in re.findall(r"the page has (\d+) references", said)][:2], [True, True])
        self.assertRegex(said, r"level 2 \[128\] 0x0+ not valid")

    def test_shows_zones_and_who_has_their_elements(self) -> None:
        said = self.debug("hbreak sys_getppid", "continue", "zone", "zone proc", "zone nothing", CMD="bench row=null_syscall_getppid runs=1")
        self.assertRegex(said, r"(?m)^proc +\d+ bytes, 4 live")
        self.assertRegex(said, r"(?m)^  0xffffff80[0-9a-f]{8} [#.]+$")
        self.assertEqual(sum(line.count("#") for line in re.findall(r"(?m)^  0xffffff80[0-9a-f]{8} ([#.]+)$", said)), 4)
        self.assertRegex(said, r"3 taken by forkproc")
        self.assertIn('there is no zone "nothing"', said)

    def test_shows_locks_where_everybody_is_and_values_by_their_meaning(self) -> None:
        said = self.debug("hbreak proc_transition", "continue", "locks", "backtrace-all", "print families_lock", "print proc.pid",
                          "print proc.files", "print the_kernel_proc->parent_pid", "hbreak sys_wait4", "continue", "user-symbols",
                          "info symbol main", CMD="true")
        self.assertRegex(said, r'core 0: thread \d+ "[^"]*" holds "families"')
        self.assertIn('= SpinLock "families", taken', said)
        self.assertRegex(said, r"= \(?Pid::")
        self.assertIn("Owned -> ", said)
        self.assertRegex(said, r"(?m)^  #\d start_first_process\(\) .* at src/kernel/entry/first_process\.cpp:\d+$")
        self.assertRegex(said, r"symbols of \S+/user/debug/bin/init for process 1 \(init\)")
        self.assertIn("main in section .text", said)

    REPEATS = {"CMD": "echo on; pwd", "SEED": "5"}

    def counts(self, said: str) -> list[int]:
        return [int(count) for count in re.findall(r"^instruction (\d+)$", said, re.M)]

    def registers(self, said: str) -> list[str]:
        return re.findall(r"^x0 .*?^cpsr [^\n]*", said, re.M | re.S)

    def test_back_and_forward_lead_to_the_same_instruction(self) -> None:
        registers = "info registers"
        said = self.debug("forward fork1", registers, "back 1000", registers, "forward 1000", registers, "back", "forward", "stepi", "back 3", "at", **self.REPEATS)
        counts = self.counts(said)
        self.assertEqual(len(counts), 7, said)
        here = counts[0]
        self.assertEqual(counts, [here, here - 1000, here, here - 1, here, here - 3, here - 3])
        before, earlier, after = self.registers(said)
        self.assertEqual(before, after)
        self.assertNotEqual(before, earlier)
        # By number alone, in another debugger.
        self.assertEqual(self.registers(self.debug(registers, AT=str(here), **self.REPEATS)), [before])

    def test_back_and_forward_to_a_place(self) -> None:
        said = self.debug("forward fork1", "forward fork1", "back fork1", "back fork1", "forward panic", "continue", "back fork1", "back nowhere", **self.REPEATS)
        counts = self.counts(said)
        self.assertEqual(len(counts), 3, said)
        self.assertLess(counts[0], counts[1])
        self.assertEqual(counts[0], counts[2])
        self.assertEqual(said.count("fork1 was not executed before instruction"), 2, said)
        self.assertRegex(said, r"the run ends before, with instruction \d+")
        self.assertIn('Function "nowhere" not defined', said)

    def test_a_run_that_does_not_repeat_says_so(self) -> None:
        self.assertIn("this run does not repeat: start with", self.debug("back", CMD="true"))

    def test_ctrl_c_stops_the_machine_and_not_the_debugger(self) -> None:
        with Machine([sys.executable, "tools/debug.py", f"BUILD={BUILD}", "CMD=sleep 100"]) as gdb:
            for typed, said in (("", r"\(gdb\) "), ("continue\r", "Continuing"), ("\x03", r"\(gdb\) "), ("print 6 * 7\r", "= 42")):
                gdb.type(typed)
                gdb.expect(said)
            gdb.type("set confirm off\rquit\r")
            self.assertEqual(gdb.ended(), 0)

    def test_a_broken_list_is_named_and_not_followed(self) -> None:
        said = self.debug("hbreak vfork_return", "continue", "set var 'src/kernel/proc/family.cpp'::table.head_.next->next = (ListNode*)0x123450", "ps", "echo still here\\n",
                          CMD="bench row=vfork_exit_wait runs=1")
        self.assertIn("not sound: a ", said)
        self.assertIn("still here", said)


class Snapshot(Case):
    def snapshot(self, folder: str, **options: str) -> tuple[str, str]:
        """The page, and what was said."""
        done = subprocess.run([sys.executable, "tools/make_snapshot.py", f"OUT={folder}", *settings(options)], cwd=ROOT,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=GUARD_SECONDS)
        self.assertEqual(done.returncode, 0, done.stderr)
        return (Path(folder) / "snapshot.html").read_text(), done.stderr

    def test_draws_a_loan_and_what_parent_and_child_share(self) -> None:
        with tempfile.TemporaryDirectory(prefix="forklore-test-") as folder:
            program(folder, "lender", LENDER)
            page, said = self.snapshot(folder, CMD="/add/lender", ADD=folder, AT="vfork_exit")
        self.assertIn("0 problems", said)
        for box in ("Proc 1", "Proc 3", "Proc 4", "Proc 5", "Task", "Thread", "UThread"):
            self.assertIn(f">{box}", page)
        self.assertEqual((page.count(">lent_thread<"), page.count(">loan<")), (1, 1))
        self.assertIn("lender, Running, lends 1", page)
        pair = page[page.index("lender (3) and its child lender (4)"):]
        found = re.search(r"(\d+) the same page, copied on the next write", pair)
        self.assertTrue(found and int(found[1]) > 8, pair[:600])
        self.assertRegex(page, r"<td>proc</td><td>\d+</td><td>6</td>")

    def test_stops_at_a_panic_before_what_was_asked_for(self) -> None:
        with tempfile.TemporaryDirectory(prefix="forklore-test-") as folder:
            page, said = self.snapshot(folder, CMD="true", ARGS="fault=panic", AT="sys_kill")
        self.assertIn("sys_kill was not reached", said)
        self.assertIn("stopped in panic", page)

    def test_draws_what_is_sound_of_a_broken_kernel(self) -> None:
        with tempfile.TemporaryDirectory(prefix="forklore-test-") as folder:
            taken = Path(folder) / "taken.json"
            Debug.debug(self, "hbreak begin_exit", "continue",
                        # Process 2's list of threads leads nowhere, and process 1 has a task where no memory is.
                        "python import objects",
                        "python p = int(objects.process(2).address)",
                        "python gdb.execute('set var ((Proc*)%d)->task.object_->threads.head_.next = (ListNode*)0x123450' % p)",
                        "python p = int(objects.process(1).address)",
                        "python gdb.execute('set var ((Proc*)%d)->task.object_ = (Task*)0x10' % p)",
                        f"snapshot {taken}", CMD="forktest 1", ARGS="maxproc=20")
            data = json.loads(taken.read_text())
            page = make_snapshot.page(data, "broken")
        self.assertGreater(len(data["processes"]), 3)
        for what in ("process 2&#x27;s threads: a ListNode is said to be at 0x123450", "process 1&#x27;s task: a Task is said to be at 0x10"):
            self.assertIn(what, page)
        for box in (">Proc 1", ">Proc 2", ">Proc 3"):
            self.assertIn(box, page)


class Symbolize(Case):
    def symbolize(self, log: str) -> str:
        return subprocess.run([sys.executable, "tools/symbolize.py"], cwd=ROOT, input=log, capture_output=True, text=True, check=True).stdout

    def test_names_code_of_the_kernel_and_of_a_program(self) -> None:
        log = run(CMD="crash null; dmesg").console
        said = self.symbolize(log)
        self.assertRegex(said, r"crash \(\d+\): data abort .* pc 0x[0-9a-f]+ <.*write_to.* at src/user/programs/crash\.cpp:\d+")
        panic = run(CMD="true", ARGS="fault=read").console
        said = self.symbolize(panic)
        self.assertRegex(said, r"x30 is .*|panic")
        self.assertEqual([line for line in panic.splitlines() if line.startswith("forklore:")],
                         [line for line in said.splitlines() if line.startswith("forklore:")])

    def test_shows_what_was_inlined(self) -> None:
        hang = run(CMD="sleep 100", TIMEOUT="2").console
        said = self.symbolize(hang)
        self.assertGreater(said.count("inlined in"), 0, said)
        for line in hang.splitlines():
            self.assertIn(line.rstrip("\r"), said)

    def test_leaves_other_text_as_it_is(self) -> None:
        text = "nothing here 0x1234\n  #0 no_such_function+0x10  a.cpp:1\n\n"
        self.assertEqual(self.symbolize(text), text)
