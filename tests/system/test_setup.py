"""tools/setup.sh on systems that are not as we wish them: its commands are played by little scripts."""
import shutil
import subprocess

from support import ROOT, Case

# What setup.sh uses of a usual system.
ORDINARY = ("sh", "bash", "env", "cat", "grep", "tail", "tr", "dirname", "mkdir", "printf", "rm")
LOCKED = "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4242 (unattended-upgr)"


class Setup(Case):
    def setUp(self) -> None:
        super().setUp()
        self.commands = self.folder / "commands"
        self.commands.mkdir()
        for name in ORDINARY:
            (self.commands / name).symlink_to(shutil.which(name) or "")
        shutil.copy(ROOT / "tools" / "setup.sh", self.folder / "setup.sh")
        (self.folder / "packages.txt").write_text("# a comment\nlamp|lamp|run|1|LAMP|gives light\nrug|sh|run|1||lies there\n")
        self.command("sleep", "exit 0")
        self.command("id", "echo 0")

    def command(self, name: str, script: str) -> None:
        file = self.commands / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def apt(self, script: str) -> None:
        """apt-get: `$verb` is install or update, `$count` how often it was called."""
        self.command("apt-get", f'''
            echo "$*" >> {self.folder}/calls
            case "$*" in *" update") verb=update ;; *) verb=install ;; esac
            count=$(grep -c . {self.folder}/calls)
            {script}''')

    def setup(self, **environment: str) -> tuple[int, str]:
        done = subprocess.run([str(self.commands / "sh"), str(self.folder / "setup.sh"), "run"], capture_output=True, text=True,
                              env={"PATH": str(self.commands), "FORKLORE_BUILD": str(self.folder)} | environment)
        return done.returncode, done.stdout + done.stderr

    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()

    def test_only_what_is_missing_is_installed_and_it_says_why(self) -> None:
        self.apt("exit 0")
        status, said = self.setup()
        self.assertEqual(status, 0, said)
        self.assertRegex(said, r"lamp +gives light")
        self.assertEqual(len(self.calls()), 1)
        self.assertTrue(self.calls()[0].endswith("--no-install-recommends lamp"), self.calls())

    def test_it_waits_for_another_package_manager_and_names_it(self) -> None:
        self.apt(f'[ $count -gt 2 ] || {{ echo "{LOCKED}"; exit 100; }}')
        status, said = self.setup()
        self.assertEqual(status, 0, said)
        self.assertIn("waiting for another package manager: Could not get lock", said)
        self.assertIn("4242 (unattended-upgr)", said)
        self.assertEqual(len(self.calls()), 3)

    def test_it_does_not_wait_for_ever(self) -> None:
        self.apt(f'echo "{LOCKED}"; exit 100')
        status, said = self.setup(FORKLORE_LOCK_SECONDS="4")
        self.assertEqual(status, 1)
        self.assertIn("has held apt's lock for 4 s", said)

    def test_old_lists_are_fetched_once(self) -> None:
        self.apt('[ $verb = install ] && [ $count = 1 ] && { echo "E: Unable to locate package lamp"; exit 100; }; exit 0')
        status, said = self.setup()
        self.assertEqual(status, 0, said)
        self.assertEqual([call.split()[2] for call in self.calls()], ["install", "update", "install"])

    def test_no_network_is_said(self) -> None:
        self.apt('echo "E: Failed to fetch http://mirror.example/x Temporary failure resolving"; [ $verb = update ]')
        status, said = self.setup()
        self.assertEqual(status, 1)
        self.assertIn("is there a network?", said)

    def test_a_user_with_sudo_installs_through_it(self) -> None:
        self.command("id", "echo 1000")
        self.command("sudo", f'echo "$*" >> {self.folder}/sudo; [ "$1" = -n ] || "$@"')
        self.apt("exit 0")
        status, said = self.setup()
        self.assertEqual(status, 0, said)
        self.assertIn("apt-get", (self.folder / "sudo").read_text())

    def test_a_user_without_sudo_is_told_what_root_types(self) -> None:
        self.command("id", "echo 1000")
        self.apt("exit 0")
        status, said = self.setup()
        self.assertEqual(status, 1)
        self.assertIn("As root, type: apt-get install lamp", said)
        self.assertFalse((self.folder / "calls").exists())

    def test_a_user_whom_sudo_refuses_is_told_too(self) -> None:
        self.command("id", "echo 1000")
        self.command("sudo", "exit 1")
        self.apt("exit 0")
        status, said = self.setup()
        self.assertEqual(status, 1)
        self.assertIn("sudo refuses", said)

    def test_without_apt_the_doctor_is_named(self) -> None:
        status, said = self.setup()
        self.assertEqual(status, 1)
        self.assertIn("make doctor", said)

    def test_a_tool_given_by_variable_is_not_installed(self) -> None:
        status, said = self.setup(FORKLORE_LAMP="/opt/lamp")
        self.assertEqual((status, said), (0, ""))
