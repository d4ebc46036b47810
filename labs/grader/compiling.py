"""From a submission's text to its objects, the same way for both machines: in a sandbox, and looked at before and after."""
import platform
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from . import inspection, sandbox
from .inspection import Refused
from .lab import Failure, Lab

COMPILE = sandbox.Limits(cpu_seconds=60, memory=3 << 30, address_space=3 << 30, wall_seconds=1200)
PREPROCESS = replace(COMPILE, file_size=8 << 20)       # the grader reads what comes of it
LINK = sandbox.Limits(cpu_seconds=60, memory=3 << 30, file_size=512 << 20, wall_seconds=1200)
ATTEMPTS = 3        # when the host failed, not the submission
FORMATS = {"x86_64": ["elf64-x86-64"], "aarch64": ["elf64-littleaarch64"]}       # binutils' names of object files
Known = dict[tuple[str, bytes], Path]       # objects that were compiled before, by path and text


# A tool ends with the same status for a bad text and for a bad host. What it says tells them apart: a diagnostic begins with a file's name and
# line and may be echoed from the text, so it never counts as the host's.
DIAGNOSTIC = re.compile(r"\S+:\d+:(?:\d+:)? (?:error|warning|note|sorry)\b|\s*\d* \|")
ERROR = re.compile(r"^\S+:\d+:(?:\d+:)? error\b|undefined reference to|multiple definition of|relocation truncated to fit", re.M)
CPU_LIMIT = "CPU time limit exceeded signal terminated"
HOSTS_WORDS = re.compile(rf"Killed signal terminated|Terminated signal terminated|{CPU_LIMIT}|terminated with signal (?:9|15|24)\b|cannot execute|No space left on device|"
                         "Disk quota exceeded|Resource temporarily unavailable|Input/output error|Read-only file system|Stale file handle|Too many open files")
# The sandbox's own /tmp and its limits are the same on every host.
TOO_MUCH = re.compile(r"/tmp/\S+: '?No space left on device|File size limit exceeded|virtual memory exhausted|out of memory allocating")


def said_by(ended: sandbox.Ended) -> str:
    return ended.errors.decode(errors="replace")


def hosts_words(ended: sandbox.Ended) -> str:
    """What a tool said of the host that keeps it from its work; empty if nothing."""
    lines = (line for line in said_by(ended).splitlines() if not DIAGNOSTIC.match(line) and not TOO_MUCH.search(line))
    return next((line.strip() for line in lines if HOSTS_WORDS.search(line)), "")


def used_up(ended: sandbox.Ended, limits: sandbox.Limits) -> bool:
    """The compiler's driver ends by itself when its child was ended for its processor time: the watch's measure says whether that is true."""
    return ended.why == "cpu" or (CPU_LIMIT in said_by(ended) and ended.cpu >= limits.cpu_seconds - 1)


def in_sandbox(command: list[str], place: sandbox.Place, limits: sandbox.Limits, what: str) -> sandbox.Ended:
    """Runs a tool; tries again if the host failed. No tool of ours waits: one that does waits for the host."""
    for _ in range(ATTEMPTS):
        ended = sandbox.run(command, place, limits)
        if ended.good or used_up(ended, limits) or not (ended.hosts_fault or ended.why in ("idle", "restless") or hosts_words(ended)):
            return ended
    said = said_by(ended).strip()
    if said.startswith("bwrap:"):
        raise Failure(f"this machine has no sandbox: {said[:300]} (docs/grading.md: Where namespaces are forbidden)")
    if words := hosts_words(ended):
        raise Failure(f"{what} could not do its work: {words[:300]}")
    raise Failure(f"{what} did not come to an end: the host is overloaded or out of memory ({ended.why})")


def compile_failure(path: str, ended: sandbox.Ended) -> Refused:
    if used_up(ended, COMPILE):
        return Refused(f"{path} took the compiler more than {COMPILE.cpu_seconds} s of processor time. Hand in something smaller.")
    if ended.why != "exit" or (TOO_MUCH.search(said_by(ended)) and not ERROR.search(said_by(ended))):
        return Refused(f"{path} took the compiler more memory or output than there is. Hand in something smaller.")
    return Refused(f"{path} does not compile:\n" + "\n".join(said_by(ended).splitlines()[:30]))


def demand_control(ended: sandbox.Ended, what: str, control: Callable[[], sandbox.Ended]) -> None:
    """Where a tool names no mistake in the text, its refusal counts only if it takes a text that has none."""
    if not ERROR.search(said_by(ended)) and not (tried := control()).good:
        raise Failure(f"{what} fails on this machine whatever it is given: {said_by(tried).strip()[:300]} ({tried.why} {tried.status})")


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

    def run(options: list[str], text: Path, what: str = "The compiler", limits: sandbox.Limits = COMPILE) -> sandbox.Ended:
        place = sandbox.Place(read=[(folder / "headers", "/tree"), (text, "/tree/" + file.path)], write=[(work, "/work")], directory="/tree")
        return in_sandbox([*front.command, *options], place, limits, what)

    def control() -> sandbox.Ended:
        text = folder / f"{machine}-control{number}"
        text.write_text("int control;\n")
        text.chmod(0o644)
        return run(["-c", file.path, "-o", "/work/control.o"], text)

    def demand_good(ended: sandbox.Ended) -> None:
        if not ended.good:
            demand_control(ended, "The compiler", control)
            raise compile_failure(file.path, ended)

    inspection.check_source(file.path, source)
    demand_good(run(["-E", file.path, "-o", "/work/text.ii"], source_at, "The preprocessor", PREPROCESS))
    preprocessed = (work / "text.ii").read_text(errors="replace")
    inspection.check_text(lab, file, preprocessed)
    # What was looked at is what is compiled.
    demand_good(run(["-fpreprocessed", "-x", "c++-cpp-output", "-c", "/work/text.ii", "-o", "/work/file.o"], source_at))
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


def link(command: list[str], read: list[tuple[Path, str]], objects: list[Path], libraries: list[str], work: Path, name: str) -> Path:
    """The submission's objects come last, before libraries: an inline function of its own making never takes the place of the reference's."""
    files = [(path, f"/in/file{i}.o") for i, path in enumerate(objects)]

    def run(words: list[str], more: list[tuple[Path, str]]) -> sandbox.Ended:
        return in_sandbox(words, sandbox.Place(read=read + more, write=[(work, "/work")], directory="/work"), LINK, "The linker")

    ended = run([*command, *(inside for _, inside in files), *libraries, "-o", name], files)
    if ended.good:
        return work / name
    said = said_by(ended)
    if "rest.o: in function" in said:       # no hand-in's fault
        raise Failure("The checks do not link with the kernel:\n" + said[:1000])
    demand_control(ended, "The linker", lambda: run([command[0], "-r", "-nostdlib", "/in/rest.o", "-o", "control"], []))
    raise Refused("The files do not link with the kernel:\n" + "\n".join(said.splitlines()[:12]))
