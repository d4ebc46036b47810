"""The whole system: boot to the shell, programs, faults, job control, the options of `make run`."""
import os
import select
import signal
import subprocess
from pathlib import Path

from support import BUILD, GUARD_SECONDS, ROOT, Case, Machine, run, without_make


class Commands(Case):
    def says(self, command: str, wanted: str, status: int = 0, **options: str) -> None:
        result = run(CMD=command, **options)
        self.assertEqual(result.console.replace("\r\n", "\n"), wanted)
        self.assertEqual(result.status, status)

    def test_only_the_commands_output_is_printed(self) -> None:
        self.says("echo hello", "hello\n")

    def test_the_commands_status_comes_through(self) -> None:
        self.says("exit 7", "", status=7)

    def test_a_signal_is_128_and_its_number(self) -> None:
        self.assertEqual(run(CMD="kill -9 $$").status, 137)

    def test_a_pipeline_counts_lines(self) -> None:
        self.says("seq 1 50 | grep 5 | wc -l", "6\n")

    def test_redirections_and_variables(self) -> None:
        self.says('x=$(echo deep); echo "$x water" > /tmp/f; cat < /tmp/f; wc -c /tmp/f', "deep water\n11 /tmp/f\n")

    def test_a_script_runs_by_its_first_line(self) -> None:
        self.says("echo '#!/bin/sh' > /tmp/s; echo 'echo script $1' >> /tmp/s; chmod 755 /tmp/s; /tmp/s one", "script one\n")

    def test_background_and_wait(self) -> None:
        self.says("sleep 1 & wait; echo over", "over\n")

    def test_eager_copies_work_as_copies_on_write_do(self) -> None:
        result = run(CMD="forktest 1", ARGS="copy=eager maxproc=40")
        self.assertEqual(result.status, 0, result.console)
        self.assertIn("0 mistakes", result.console)

    def test_runs_under_icount_repeat(self) -> None:
        first, second = (run(CMD="ls /bin | sort | head -n 3; uptime; free", ICOUNT="1", SEED="5") for _ in range(2))
        self.assertEqual(first.console, second.console)
        self.assertEqual(first.status, 0)

    def test_a_seed_repeats_a_command_to_the_instruction(self) -> None:
        # bench prints the counter, of which a step is 16 instructions of all cores together.
        command = "forktest 1; head -n 1 /dev/urandom | hexdump | head -n 1; bench row=null_syscall_getppid runs=1"
        first, second, other = (run(CMD=command, SEED=seed, ARGS="maxproc=40").console for seed in ("5", "5", "6"))
        self.assertRegex(first, r"end now=\d+")
        self.assertEqual(first, second)
        self.assertNotEqual(first, other)


class Faults(Case):
    def test_each_kind_of_crash_ends_that_program_alone(self) -> None:
        for way, words in (("null", "Segmentation fault"), ("kernel", "Segmentation fault"), ("text", "Segmentation fault"),
                           ("jump", "Segmentation fault"), ("stack", "Segmentation fault"), ("undefined", "Illegal instruction")):
            with self.subTest(way):
                result = run(CMD=f"crash {way}; echo still here")
                self.assertIn(words, result.console)
                self.assertTrue(result.console.rstrip().endswith("still here"), result.console)

    def test_a_fork_bomb_is_survived_and_leaves_nothing(self) -> None:
        result = run(CMD="forktest 3; ps > /tmp/ps; wc -l < /tmp/ps", ARGS="maxproc=200 pid_max=400")
        self.assertEqual(result.status, 0, result.console)
        self.assertEqual(result.console.count("0 mistakes"), 3, result.console)
        self.assertEqual(result.console.split()[-1], "4")      # a heading, init, sh, ps

    def test_an_unknown_boot_argument_is_reported(self) -> None:
        with Machine(ARGS="colour=blue") as machine:
            machine.expect("colour.*ignored")
            machine.prompt()

    def test_a_corrupt_initrd_is_named(self) -> None:
        broken = self.folder / "broken.cpio"
        broken.write_bytes(b"this is no archive" * 300)
        result = run(CMD="true", INITRD=str(broken))
        self.assertNotEqual(result.status, 0)
        self.assertIn("initrd", result.console + result.said)

    def test_a_hang_ends_with_a_message(self) -> None:
        result = run(CMD="while true; do true; done", TIMEOUT="3", ICOUNT="1")
        self.assertEqual(result.status, 124)


class Make(Case):
    """The front door itself; the other tests call what stands behind it."""

    def test_make_run_boots_to_the_prompt(self) -> None:
        with Machine(["make", f"BUILD={BUILD}", "run"]) as machine:
            machine.prompt()
            self.assertIn(b"4 cores", machine.seen)
            machine.type("poweroff\r")
            self.assertEqual(machine.ended(), 0)

    def test_make_run_with_a_command_prints_its_output_alone(self) -> None:
        for command, wanted in (("echo $HOME | wc -l", "1\n"), ("", "")):
            done = subprocess.run(["make", "--no-print-directory", f"BUILD={BUILD}", f"CMD={command}", "run"], cwd=ROOT, env=without_make(),
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            self.assertEqual((done.returncode, done.stdout), (0, wanted))


class Console(Case):
    def test_a_person_types_and_edits(self) -> None:
        with Machine() as machine:
            machine.prompt()
            machine.type("echo onee\x7f two\r")
            machine.expect("\none two\r?\n")
            machine.prompt()

    def test_control_c_ends_the_program_in_the_foreground(self) -> None:
        with Machine() as machine:
            machine.prompt()
            machine.type("cat\r")
            machine.expect("cat\r?\n")
            machine.type("line\r")
            machine.expect("line\r?\nline\r?\n")
            machine.type("\x03")
            machine.prompt()
            machine.type("echo $?\r")
            machine.expect("\n130\r?\n")

    def test_what_is_typed_ahead_reaches_the_program_that_is_about_to_start(self) -> None:
        with Machine() as machine:
            machine.prompt()
            machine.type("cat\rl\x7fline\r\x04echo over\r")
            machine.expect("\nline\r?\n(.*\n)*over\r?\n")

    def test_control_c_typed_ahead_interrupts(self) -> None:
        with Machine() as machine:
            machine.prompt()
            # Whether the shell, half a job or a whole one is there to be interrupted is left to chance.
            for command in ("cat", "sleep 1000", "cat | cat", "while true; do true; done", "(sleep 1000)", "echo $(sleep 1000)"):
                machine.type(f"{command}\rdropped\r\x03echo $?.\r")
                machine.expect("\n130\\.\r?\n")
                machine.prompt()

    def test_a_killed_tool_leaves_no_machine_behind(self) -> None:
        with Machine() as machine:
            machine.prompt()
            tool = machine.line.pid
            children = Path(f"/proc/{tool}/task/{tool}/children").read_text().split()
            self.assertEqual(len(children), 1)
            qemu = os.pidfd_open(int(children[0]))
            os.kill(tool, signal.SIGKILL)
            # The descriptor is readable once the process has ended.
            self.assertTrue(select.select([qemu], [], [], GUARD_SECONDS)[0], "QEMU outlives the tool that started it")
            os.close(qemu)

    def test_poweroff_ends_the_machine(self) -> None:
        machine = Machine()
        machine.prompt()
        machine.type("poweroff\r")
        self.assertEqual(machine.ended(), 0)


class UBoot(Case):
    def test_the_sd_image_boots_through_u_boot(self) -> None:
        result = run(CMD="uname -s; exit 3", BOOT="uboot")
        self.assertIn("Forklore", result.console)
        self.assertEqual(result.status, 3)


class Bare(Case):
    def test_four_cores_that_start_at_el3_at_once_come_up(self) -> None:
        typed = self.folder / "typed"
        typed.write_text("uptime\npoweroff\n")
        result = run(BOOT="bare", INPUT=str(typed))
        self.assertIn("on 4 cores", result.console)
        self.assertEqual(result.status, 0, result.console)
