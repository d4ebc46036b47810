"""What make would do, without doing it: one touched file rebuilds what depends on it and nothing else."""
import os
import subprocess

from support import BUILD, ROOT, Case

GOALS = ("run-files",)


class Rebuild(Case):
    def would_do(self, *touched: str) -> str:
        arguments = [word for file in touched for word in ("-W", file)]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("FORKLORE_", "MAKE", "MFLAGS"))}
        done = subprocess.run(["make", "-n", f"BUILD={BUILD}", *arguments, *GOALS], cwd=ROOT, capture_output=True, text=True, env=kept)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def compiled(self, *touched: str) -> set[str]:
        lines = self.would_do(*touched).splitlines()
        return {line.split()[-1].strip("'") for line in lines if line.startswith("printf") and (" 'CXX' " in line or " 'AS' " in line)}

    def test_the_second_run_builds_nothing(self) -> None:
        self.assertEqual([line for line in self.would_do().splitlines() if line.strip() not in ("", ":")], [])

    def test_a_source_of_the_kernel_is_compiled_alone(self) -> None:
        self.assertEqual(self.compiled("src/kernel/proc/fork.cpp"), {"src/kernel/proc/fork.cpp"})
        self.assertNotIn("mkinitrd", self.would_do("src/kernel/proc/fork.cpp"))

    def test_a_program_is_compiled_alone_and_the_kernel_stays(self) -> None:
        self.assertEqual(self.compiled("src/user/programs/forktest.cpp"), {"src/user/programs/forktest.cpp"})
        self.assertNotIn("kernel8", self.would_do("src/user/programs/forktest.cpp"))

    def test_a_header_reaches_those_that_include_it(self) -> None:
        compiled = self.compiled("src/kernel/proc/fork.h")
        self.assertIn("src/kernel/proc/fork.cpp", compiled)
        self.assertNotIn("src/kernel/fs/pipe.cpp", compiled)

    def test_the_system_calls_header_reaches_the_programs_too(self) -> None:
        compiled = self.compiled("src/abi/forklore.h")
        self.assertIn("src/user/newlib/machine.cpp", compiled)
        self.assertIn("src/user/programs/tools/free.cpp", compiled)
        self.assertIn("src/kernel/fs/terminal.cpp", compiled)
