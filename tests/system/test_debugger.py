"""make run GDB=1, from the waiting machine to a backtrace."""
import os
import signal
import socket
import subprocess
import sys

from support import BUILD, GUARD_SECONDS, ROOT, Case


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Debugger(Case):
    def test_it_attaches_breaks_at_a_function_and_shows_a_backtrace(self) -> None:
        port = free_port()
        machine = subprocess.Popen([sys.executable, "tools/run.py", "GDB=1", f"GDB_PORT={port}", "CMD=true"], cwd=ROOT,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            assert machine.stderr
            said = machine.stderr.readline()
            self.assertIn(f"target remote :{port}", said)
            elf = BUILD / "kernel" / "kernel8.elf"
            commands = ["set tcp auto-retry on", f"target remote :{port}", "hbreak start_first_process", "continue", "backtrace", "kill"]
            done = subprocess.run([os.environ.get("GDB_PROGRAM") or "gdb-multiarch", "--batch", str(elf),
                                   *(word for command in commands for word in ("-ex", command))],
                                  cwd=ROOT, capture_output=True, text=True, timeout=GUARD_SECONDS)
        finally:
            machine.send_signal(signal.SIGINT)      # it ends QEMU too
            machine.communicate()
        self.assertRegex(done.stdout, r"#0 +start_first_process", done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"first_process\.cpp:\d+")
