"""Storms: processes that fork, vfork, exec, signal and end at random, and a ledger that must agree at the end."""
import re

from support import Case, Machine, run

# Ten pids for all that comes and goes: the numbers begin anew with every tenth process.
FEW_PIDS = "pid_max=110"


class Storm(Case):
    def weather(self, processes: int, seed: int, arguments: str, least_wraps: int = 0, workers: int = 8, **options: str) -> None:
        result = run(CMD=f"storm {processes} {seed} {workers}", ARGS=arguments, TIMEOUT="3000", **options)
        self.assertEqual(result.status, 0, result.console)
        last = re.search(r"storm: (\d+) processes, \d+ times refused, pids began anew (\d+) times or more, .* 0 mistakes",
                         result.console)
        self.assertIsNotNone(last, result.console)
        self.assertGreaterEqual(int(last[1]), processes)
        self.assertGreaterEqual(int(last[2]), least_wraps)

    # `make storm` makes a hundred thousand, both ways of copying.
    def test_thirty_thousand_processes_leave_nothing(self) -> None:
        self.weather(30_000, 1, FEW_PIDS, least_wraps=500)

    def test_eager_copies_and_few_slots(self) -> None:
        self.weather(3_000, 2, FEW_PIDS + " maxproc=16 copy=eager")

    def test_a_host_thread_for_each_core(self) -> None:
        self.weather(3_000, 3, FEW_PIDS, ACCEL="multi")


class Bomb(Case):
    """A program that forks for ever, and root at the shell."""

    def processes(self, machine: Machine) -> int:
        return int(re.search(r"(\d+) processes", machine.command("uptime"))[1])

    def test_root_kills_it_and_nothing_is_left(self) -> None:
        with Machine(ARGS="maxproc=60") as machine:
            machine.prompt()
            room = machine.command("forktest 1")
            before = self.processes(machine)
            group = machine.command("crash bomb & echo its group is $!").split()[-1]
            while self.processes(machine) < 60:     # uptime runs in the last place, which is root's
                pass
            machine.command(f"kill -9 -{group}")
            while self.processes(machine) > before:
                pass
            self.assertEqual(machine.command(f"kill -9 -{group} 2> /tmp/none; echo $?").split()[-1], "1")
            self.assertEqual(machine.command("forktest 1").splitlines()[-1], room.splitlines()[-1])
