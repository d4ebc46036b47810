"""How the kernel ends when it is broken: the report of each kind of panic, and the verdict."""
import re

import sys

from support import BUILD, ROOT, Case, Machine, run

sys.path.insert(0, str(ROOT / "tools"))
from machine import Options, command_line  # noqa: E402

PANICKED = 255


class Panics(Case):
    def report(self, fault: str) -> str:
        result = run(CMD="sleep 100", ARGS=f"fault={fault}", TIMEOUT="100")
        self.assertEqual(result.status, PANICKED, result.console)
        self.assertIn("the kernel panicked", result.said.lower())
        return result.console

    def in_order(self, report: str, *patterns: str) -> None:
        at = 0
        for pattern in patterns:
            found = re.compile(pattern).search(report, at)
            self.assertIsNotNone(found, f"{pattern} is not in its place in:\n{report}")
            at = found.end()

    def all_cores_speak(self, report: str) -> None:
        self.assertEqual(len(re.findall(r"^panic: core ", report, re.M)) + len(re.findall(r"^stopped: core ", report, re.M)), 4, report)
        self.assertEqual(set(re.findall(r"^(?:panic|stopped): core (\d)", report, re.M)), set("0123"))

    def test_a_message_its_numbers_and_the_way_there(self) -> None:
        report = self.report("panic")
        self.in_order(report, r"panic: core \d, thread \d+ \(culprit\): on purpose \(0x11, 0x22\)",
                      r"#0 fault_panic\+0x\w+  src/boot/deliberate_fault.cpp:\d+", r"#1 commit_fault\+",
                      r"thread_start_trampoline\+0x\w+  src/boot/switch.S:\d+")
        self.all_cores_speak(report)

    def test_each_core_names_the_locks_that_it_holds(self) -> None:
        report = self.report("locks")
        self.in_order(report, r"culprit\): on purpose, while locks are held", r'held locks: "low"', r"stopped: core \d, thread \d+ \(keeper\)",
                      r"keep_lock\+", r'held locks: "high"')
        self.all_cores_speak(report)

    def test_of_two_cores_that_panic_at_once_one_speaks_first(self) -> None:
        report = self.report("twice")
        self.in_order(report, r"panic: core \d, thread \d+ \((culprit|other)\): on purpose, (one|the other) of two",
                      r"(stopped|panic): core \d, thread \d+ \((culprit|other)\)")
        self.all_cores_speak(report)

    def test_a_panic_within_the_report_ends_the_run(self) -> None:
        self.in_order(self.report("nested"), r"on purpose, with more to come", r"panic within the report of a panic")

    def test_a_wild_address_is_decoded(self) -> None:
        self.in_order(self.report("read"), r"data abort of the kernel: read at 0xffffffd000000008, translation fault at level 1",
                      r"x30 is commit_fault\+", r"#0 fault_read\+0x\w+  src/boot/deliberate_fault.cpp:\d+")

    def test_the_kernels_text_can_not_be_written(self) -> None:
        self.in_order(self.report("text"), r"data abort of the kernel: write at 0xffffffff80080000, permission fault", r"#0 fault_text\+")

    def test_the_kernels_data_can_not_be_executed(self) -> None:
        self.in_order(self.report("execute"), r"instruction abort of the kernel: execution at 0x\w+, permission fault", r"x30 is commit_fault\+")

    def test_an_undefined_instruction(self) -> None:
        self.in_order(self.report("undefined"), r"undefined instruction", r"#0 fault_undefined\+")

    def test_a_stack_that_overflows_meets_its_guard(self) -> None:
        report = self.report("stack")
        self.in_order(report, r"a kernel stack overflowed", r"data abort of the kernel: write at 0xffffffc0\w+, translation fault",
                      r"#0 descend\+0x\w+  src/boot/deliberate_fault.cpp:\d+", r"#1 descend\+")
        self.all_cores_speak(report)

    def test_locks_taken_out_of_order(self) -> None:
        self.in_order(self.report("order"), r'lock order: "low" \(rank \d+\) taken while holding "high" \(rank \d+\)', r'held locks: "high"')

    def test_a_deadlock_names_the_lock_and_who_holds_it(self) -> None:
        self.in_order(self.report("deadlock"), r'deadlock: "high" \(rank \d+\) is not given back', r"fault_deadlock\+", r"thread \d+ \(keeper\)",
                      r"keep_lock\+", r'held locks: "high"')

    def test_a_long_wait_for_a_lock_that_comes_back_is_no_deadlock(self) -> None:
        report = self.report("wait")
        self.in_order(report, r"panic: core \d, thread \d+ \(culprit\): the fault on purpose did no harm")
        self.assertNotIn("deadlock", report)

    def test_a_mutex_that_is_not_given_back_is_named_with_who_waits_and_who_holds_it(self) -> None:
        result = run(CMD="sleep 12; dmesg; exit 3", ARGS="fault=mutex", ICOUNT="1")
        self.assertEqual(result.status, 3, result.console)
        self.in_order(result.console, r'thread \d+ \(culprit\) has waited long for mutex "kept" \(rank 35\)', r"#\d fault_mutex\+",
                      r"thread \d+ \(keeper\) holds it, blocked", r"#\d keep_mutex\+")

    def test_a_write_to_freed_memory_is_found_when_it_is_taken_again(self) -> None:
        result = run(CMD="sleep 100", ARGS="fault=freed freed=check", TIMEOUT="100")
        self.assertEqual(result.status, PANICKED, result.console)
        self.in_order(result.console, r'zone "abused": written to at byte 72 while it was free: element 0x\w+, caller 0x\w+, earlier caller 0x\w+',
                      r"#\d Zone::check_untouched\+", r"#\d fault_freed\+")

    def test_nobody_writes_to_freed_memory_while_processes_come_and_go(self) -> None:
        self.assertEqual(run(CMD="forktest 3; exit 3", ARGS="freed=check maxproc=100").status, 3)

    def test_a_run_that_hangs_shows_where_each_thread_sleeps(self) -> None:
        result = run(CMD="sleep 100", TIMEOUT="2")
        self.assertEqual(result.status, 124)
        self.in_order(result.console, r"timeout: the 2 seconds are over", r"init \(1\) running", r"#\d sys_wait4\+", r"sleep \(\d+\) running", r"sleeping",
                      r"sys_nanosleep\+")

    def test_an_unknown_fault_is_reported(self) -> None:
        self.assertEqual(run(CMD="exit 3", ARGS="fault=earthquake").status, 3)


class AfterAPanic(Case):
    def test_the_next_boot_shows_what_was_said(self) -> None:
        # The emulator may start again, and memory outlives that as on a board.
        command = [word for word in command_line(Options(build=BUILD, args="fault=panic end=reset"), self.folder) if word != "-no-reboot"]
        with Machine(command) as machine:
            machine.expect("forklore: panic, status 255")
            machine.expect(r"the last run crashed:[\r\n]+\| panic: core \d, thread \d+ .culprit.: on purpose .0x11, 0x22.[\r\n]+\|   at fault_panic")
            machine.expect(r"\| stopped: core")
