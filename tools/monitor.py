"""QEMU's machine protocol: a running or stopped machine seen from outside."""
import json
import os
import socket
import struct
from pathlib import Path

from machine import Failure


class Monitor:
    def __init__(self, where: str | socket.socket) -> None:
        """At a path, or at the other end of a socket."""
        if isinstance(where, str):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(where)
        else:
            self.socket = where
        self.file = self.socket.makefile("rw")
        self.file.readline()
        self.ask("qmp_capabilities")

    def ask(self, command: str, **arguments: object) -> object:
        request = {"execute": command, "arguments": {name.replace("_", "-"): value for name, value in arguments.items()}}
        print(json.dumps(request), file=self.file, flush=True)
        while line := self.file.readline():
            answer = json.loads(line)
            if "error" in answer:
                raise Failure(f"QEMU says: {answer['error'].get('desc', answer['error'])}")
            if "return" in answer:
                return answer["return"]
        raise Failure("QEMU ended while it was asked for something")

    def human(self, *commands: str) -> None:
        for command in commands:
            self.ask("human-monitor-command", command_line=command)

    def running(self) -> bool:
        status = self.ask("query-status")
        return isinstance(status, dict) and bool(status["running"])


class GuestMemory:
    """The kernel's memory by its own addresses, in a machine that stands still."""

    def __init__(self, monitor: Monitor, scratch: Path) -> None:
        self.monitor, self.file = monitor, scratch / "memory"

    def read(self, address: int, size: int) -> bytes:
        if size == 0:
            return b""
        self.monitor.ask("memsave", val=address - (address >> 63 << 64), size=size, filename=str(self.file))
        data = self.file.read_bytes()
        os.unlink(self.file)
        if len(data) != size:
            raise Failure(f"{size} bytes of the guest's memory at {address:#x} cannot be read")
        return data

    def word(self, address: int) -> int:
        return struct.unpack("<Q", self.read(address, 8))[0]

    def text(self, address: int, most: int = 64) -> str:
        """A C string of the image; what cannot be one is shown as its address."""
        try:
            data = self.read(address, most).split(b"\0")[0]
        except Failure:
            return f"{address:#x}"
        return data.decode("ascii", "replace") if data else f"{address:#x}"
