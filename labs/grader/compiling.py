"""From a submission's text to its objects, the same way for both machines: in a sandbox, and looked at before and after."""
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from . import inspection, sandbox
from .inspection import Refused
from .lab import Failure, Lab

COMPILE = sandbox.Limits(cpu_seconds=60, memory=3 << 30, address_space=3 << 30, wall_seconds=1200)
ATTEMPTS = 3        # when the host failed, not the submission
FORMATS = {"x86_64": ["elf64-x86-64"], "aarch64": ["elf64-littleaarch64"]}       # binutils' names of object files
Known = dict[tuple[str, bytes], Path]       # objects that were compiled before, by path and text


def in_sandbox(command: list[str], place: sandbox.Place, limits: sandbox.Limits, what: str) -> sandbox.Ended:
    """Runs a tool; tries again if the host failed."""
    for _ in range(ATTEMPTS):
        ended = sandbox.run(command, place, limits)
        if not ended.hosts_fault:
            return ended
    said = ended.errors.decode(errors="replace").strip()
    if said.startswith("bwrap:"):
        raise Failure(f"this machine has no sandbox: {said[:300]} (docs/grading.md: Where namespaces are forbidden)")
    raise Failure(f"{what} did not come to an end: the host is overloaded or out of memory ({ended.why})")


def compile_failure(path: str, ended: sandbox.Ended) -> Refused:
    if ended.why == "cpu":
        return Refused(f"{path} took the compiler more than {COMPILE.cpu_seconds} s of processor time. Hand in something smaller.")
    said = ended.errors.decode(errors="replace")
    if ended.why != "exit" or "virtual memory exhausted" in said or "cc1plus: out of memory" in said:
        return Refused(f"{path} took the compiler more memory or output than there is. Hand in something smaller.")
    return Refused(f"{path} does not compile:\n" + "\n".join(said.splitlines()[:30]))


@dataclass
class Front:
    """How a machine's compiler is called."""
    compiler: str
    flags: list[str]
    sanitized: bool = False
    explored: bool = False

    def tool(self, name: str) -> str:
        """The one of binutils that belongs to the compiler."""
        return Path(self.compiler).name.removesuffix("g++") + name if Path(self.compiler).name.endswith("-g++") else name

    def reader(self, name: str) -> list[str]:
        """nm or addr2line, told what it reads: to find that out it would load every plug-in of compilers there is, which takes longer than its work."""
        machine = Path(self.compiler).name.partition("-")[0] if self.tool(name) != name else platform.machine()
        return [self.tool(name), *(f"--target={form}" for form in FORMATS.get(machine, []))]

    @property
    def command(self) -> list[str]:
        # Colours off, few errors: the text goes into a report.
        command = [Path(self.compiler).name, *self.flags, "-fno-diagnostics-color", "-fmax-errors=5"]
        # Poisoning by inline code, however large a variable is: no file may call the functions that do it.
        return command + (["--param=use-after-scope-direct-emission-threshold=1048576"] if self.sanitized else [])


def compile_file(lab: Lab, front: Front, folder: Path, number: int, source: bytes) -> Path:
    """The submission's file laid over the tree of headers, preprocessed, looked at, compiled, looked at again."""
    file = lab.files[number]
    machine = "host" if front.sanitized else "target"
    work = sandbox.writable(folder / f"{machine}{number}")
    source_at = folder / f"{machine}-source{number}"
    source_at.write_bytes(source)
    source_at.chmod(0o644)
    overlay = [(folder / "headers", "/tree"), (source_at, "/tree/" + file.path)]
    place = sandbox.Place(read=overlay, write=[(work, "/work")], directory="/tree")
    inspection.check_directives(file.path, source)
    ended = in_sandbox([*front.command, "-E", file.path, "-o", "/work/text.ii"], place, COMPILE, "The preprocessor")
    if not ended.good:
        raise compile_failure(file.path, ended)
    preprocessed = (work / "text.ii").read_text(errors="replace")
    inspection.check_text(lab, file, source, preprocessed)
    # What was looked at is what is compiled.
    ended = in_sandbox([*front.command, "-fpreprocessed", "-x", "c++-cpp-output", "-c", "/work/text.ii", "-o", "/work/file.o"], place, COMPILE, "The compiler")
    if not ended.good:
        raise compile_failure(file.path, ended)
    inspection.check_sections(front.tool("readelf"), work / "file.o", file.path, front.sanitized)
    return work / "file.o"


def compile_all(lab: Lab, headers: Path, front: Front, folder: Path, texts: dict[str, bytes], known: Known) -> list[Path]:
    """The objects of a submission, which keep the lab's contract."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    shutil.copytree(headers, folder / "headers", dirs_exist_ok=True)
    for file in lab.files:      # mount points of what is laid over
        over = folder / "headers" / file.path
        over.parent.mkdir(parents=True, exist_ok=True)
        over.touch()
    objects = [known.get((file.path, texts[file.path])) or compile_file(lab, front, folder, i, texts[file.path]) for i, file in enumerate(lab.files)]
    inspection.check_symbols(lab, inspection.symbols(front.reader("nm"), objects), " and ".join(Path(f.path).name for f in lab.files), front.explored)
    return objects
