"""The files for VS Code: they parse, and what they name is there."""
import json
import os
import re
import subprocess

from support import BUILD, GUARD_SECONDS, ROOT, Case

import run as run_tool


def read(name: str) -> dict:
    return json.loads((ROOT / name).read_text())


class Editor(Case):
    def setUp(self) -> None:
        super().setUp()
        self.help = (ROOT / "tools" / "make" / "help.txt").read_text()
        self.tasks, self.launch = read(".vscode/tasks.json"), read(".vscode/launch.json")

    def verbs(self) -> set[str]:
        return {verb for names in re.findall(r"(?m)^make (\S+)", self.help) for verb in names.split("|")}

    def test_each_task_is_a_verb_with_options_that_the_help_knows(self) -> None:
        for task in self.tasks["tasks"]:
            self.assertEqual(task["command"], "make", task)
            for word in task["args"]:
                name, equals, _ = word.partition("=")
                if equals:
                    self.assertRegex(self.help, rf"\b{name}=", task)
                else:
                    self.assertIn(name, self.verbs(), task)
        called = {task["args"][0] for task in self.tasks["tasks"]}
        self.assertLessEqual({"run", "test", "grade", "trace", "debug", "snapshot", "doctor"}, called)

    def test_every_input_is_asked_for_and_used(self) -> None:
        text = (ROOT / ".vscode" / "tasks.json").read_text()
        self.assertEqual(set(re.findall(r"\$\{input:(\w+)\}", text)), {one["id"] for one in self.tasks["inputs"]})

    def test_a_launch_waits_for_what_make_run_says_and_starts_the_kernel(self) -> None:
        tasks = {task["label"]: task for task in self.tasks["tasks"]}
        port = run_tool.Options().gdb_port
        for configuration in self.launch["configurations"]:
            self.assertEqual(configuration["miDebuggerServerAddress"], f"localhost:{port}")
            self.assertEqual(configuration["program"], "${workspaceFolder}/build/kernel/kernel8.elf")
            if wanted := configuration.get("preLaunchTask"):
                pattern = tasks[wanted]["problemMatcher"]["background"]["endsPattern"]
                self.assertIn(pattern, (ROOT / "tools" / "run.py").read_text())

    def test_gdb_takes_the_commands_that_a_launch_begins_with(self) -> None:
        gdb = os.environ.get("GDB_PROGRAM") or "gdb-multiarch"
        for configuration in self.launch["configurations"]:
            commands = [word for command in configuration["setupCommands"] for word in ("-ex", command["text"])]
            done = subprocess.run([gdb, "-nx", "--batch", str(BUILD / "kernel" / "kernel8.elf"), *commands, "-ex", "help pagetable"],
                                  cwd=ROOT, env=os.environ | {"HOME": str(self.folder)}, capture_output=True, text=True, timeout=GUARD_SECONDS)
            self.assertIn("pagetable PID ADDRESS", done.stdout)
            self.assertEqual(done.stderr, "")

    def test_the_container_installs_with_make_setup(self) -> None:
        self.assertIn("setup", self.verbs())
        self.assertTrue(read(".devcontainer/devcontainer.json")["onCreateCommand"].endswith("make setup"))
