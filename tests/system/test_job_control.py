"""A person at the shell: jobs, completion, history; and the machine in distress, mended from its own prompt."""
from support import Case, Machine

ESCAPE_UP = "\x1b[A"


class JobControl(Case):
    def test_a_stopped_program_goes_on_in_the_foreground(self) -> None:
        with Machine() as machine:
            machine.prompt()
            machine.type("cat\r")
            machine.expect("cat\r?\n")
            machine.type("one\r")
            machine.expect("one\r?\none\r?\n")
            machine.type("\x1a")
            machine.expect("\\[1\\]\\+ stopped +cat\r?\n")
            machine.prompt()
            self.assertEqual(machine.command("echo $?"), "146")
            machine.type("fg\r")
            machine.expect("fg\r?\ncat\r?\n")
            machine.type("two\r\x04")
            machine.expect("two\r?\ntwo\r?\n")
            machine.prompt()
            self.assertEqual(machine.command("echo $?; jobs"), "0")

    def test_a_stopped_pipeline_goes_on_in_the_background_and_ends(self) -> None:
        with Machine() as machine:
            machine.prompt()
            machine.type("sleep 1000 | cat\r")
            machine.expect("cat\r?\n")
            machine.type("\x1a")
            machine.expect("stopped +sleep 1000 \\| cat\r?\n")
            machine.prompt()
            self.assertIn("[1]+ running", machine.command("bg"))
            self.assertIn("137\n[1]+ Killed", machine.command("kill -KILL %1; wait %1; echo $?"))
            self.assertEqual(machine.command("jobs"), "")

    def test_jobs_are_listed_by_number_and_state(self) -> None:
        with Machine() as machine:
            machine.prompt()
            self.assertRegex(machine.command("sleep 1000 & sleep 2000 &"), "\\[1\\] \\d+\n\\[2\\] \\d+")
            machine.command("kill -STOP %1")
            self.assertRegex(machine.command("sleep 1; jobs"), "\\[1\\]. stopped +sleep 1000\n\\[2\\]. running +sleep 2000")
            self.assertIn("there is no such job", machine.command("fg %7"))
            machine.command("kill -9 %1 %2")

    def test_a_job_in_the_background_stops_when_it_wants_the_terminal(self) -> None:
        with Machine() as machine:
            machine.prompt()
            machine.command("cat &")
            self.assertRegex(machine.command("sleep 1; jobs"), "stopped +cat")
            machine.type("fg\r")
            machine.expect("fg\r?\ncat\r?\n")
            machine.type("mine\r\x04")
            machine.expect("mine\r?\nmine\r?\n")
            machine.prompt()

    def test_control_z_typed_ahead_stops_the_job_that_starts(self) -> None:
        with Machine() as machine:
            machine.prompt()
            machine.type("sleep 1000 | cat\r\x1a")
            machine.expect("stopped +sleep 1000 \\| cat\r?\n")
            machine.prompt()
            self.assertIn("137", machine.command("kill -9 %1; wait %1; echo $?"))

    def test_control_z_ends_a_loop(self) -> None:
        with Machine() as machine:
            machine.prompt()
            machine.type("while true; do sleep 1000; done\r")
            machine.expect("done\r?\n")
            machine.type("\x1a")       # at the program or, before it is there, at the shell
            machine.prompt()
            self.assertEqual(machine.command("echo $?"), "146")


class Editing(Case):
    def test_tab_completes_commands_and_files(self) -> None:
        with Machine() as machine:
            machine.prompt()
            machine.command("mkdir /tmp/folder; echo found > '/tmp/folder/a file'")
            machine.type("ech\t one; cat /tmp/fol\ta\t\r")
            machine.expect("\none\r?\nfound\r?\n")
            machine.prompt()

    def test_the_second_tab_shows_what_there_is(self) -> None:
        with Machine() as machine:
            machine.prompt()
            machine.command("cd /tmp; touch alone alike other")
            machine.type("ls al\t\t")
            machine.expect("\nalike +alone\r?\n")
            machine.type("o\t\r")
            machine.expect("alone\r?\n")
            machine.prompt()

    def test_history_brings_a_line_back(self) -> None:
        with Machine() as machine:
            machine.prompt()
            machine.command("echo first")
            machine.command("echo second")
            machine.type(ESCAPE_UP + ESCAPE_UP + "\r")
            machine.expect("\nfirst\r?\n")
            machine.prompt()


class Distress(Case):
    def test_a_fork_bomb_is_ended_from_the_shell_and_leaves_nothing(self) -> None:
        with Machine(ARGS="maxproc=40") as machine:
            machine.prompt()
            before = machine.command("echo $(ps | wc -l)")
            machine.command(":(){ :|:& };: 2> /dev/null")
            # The bomb has every process there is: only what the shell does itself still works.
            machine.command("sleep 1")
            # A process that is being made escapes one kill: it is repeated until the group is gone.
            machine.command("while kill -9 -$! 2> /dev/null; do true; done")
            self.assertEqual(machine.command("sleep 1; echo $(ps | wc -l)"), before)
            self.assertIn("0 mistakes", machine.command("forktest 1"))

    def test_memory_runs_out_and_comes_back(self) -> None:
        with Machine() as machine:
            machine.prompt()
            machine.command("free")         # what the first run of a program leaves is there now
            used = self.used(machine)
            self.assertIn("No space left on device", machine.command("cp /dev/zero /tmp/big"))
            self.assertGreater(self.used(machine), used + 100000)
            self.assertEqual(machine.command("echo a | cat"), "a")
            machine.command("rm /tmp/big")
            self.assertAlmostEqual(self.used(machine), used, delta=256)

    def used(self, machine: Machine) -> int:
        return int(machine.command("free | tail -n 1").split()[2])
