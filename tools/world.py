"""Programs written by others, for Forklore: `make world`, and their tests: `make test ONLY=world`.

    world.py build BUILD    fetch the sources from Debian, build with forklore-cc into BUILD/world/bin
    world.py test BUILD     run what each ships of tests, and a script of ours, in one boot; PASS and FAIL lines

The sources are Debian's `orig` archives, compiled as they are: a program that needs a change here has found something
that Forklore lacks.
"""
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fetch import Failure, debian_source, explained, fresh, run

TREE = Path(__file__).resolve().parent.parent
JOBS = f"-j{os.cpu_count() or 1}"
TEST_GUEST_SECONDS = 600


@dataclass
class Program:
    name: str
    package: str                # Debian's source package
    made: str                   # the ELF, in the source's folder
    build: Callable[[Path, Path, Path], None]       # (source, BUILD, log)


def tool(build: Path, name: str) -> str:
    return str((build / "bin" / name).resolve())


def cross(name: str) -> str:
    return (os.environ.get("CROSS") or "aarch64-linux-gnu-") + name


def make(title: str, log: Path, source: Path, *arguments: str) -> None:
    # make's own variables would reach into the other's makefile.
    clean = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "BUILD")}
    run(title, ["make", JOBS, *arguments], log, source, clean)


def build_dash(source: Path, build: Path, log: Path) -> None:
    # --host with another system than --build: configure does not try to run what it compiled.
    run("dash: configure", ["./configure", "--host=aarch64-none-elf", "--build=x86_64-linux-gnu", "--without-libedit",
                            f"CC={tool(build, 'forklore-cc')}", f"AR={cross('ar')}", "CC_FOR_BUILD=gcc"], log, source)
    make("dash: compile", log, source)


def build_lua(source: Path, build: Path, log: Path) -> None:
    make("lua: compile", log, source / "src", f"CC={tool(build, 'forklore-cc')}", f"AR={cross('ar')} rc", f"RANLIB={cross('ranlib')}",
         "MYCFLAGS=-DLUA_USE_POSIX", "lua")


def build_awk(source: Path, build: Path, log: Path) -> None:
    """Twice: what the one on this machine says of awk's own tests is what the other must say."""
    ours = source / "here"
    shutil.copytree(source, ours)
    make("awk: compile for this machine", log, ours, "HOSTCC=gcc", "CC=gcc", "CFLAGS=-O2", "a.out")
    make("awk: compile", log, source, "HOSTCC=gcc", f"CC={tool(build, 'forklore-cc')}", "CFLAGS=-O2", "a.out")
    tests = fresh(build / "world" / "awk-tests")
    for file in (source / "testdir").iterdir():
        if file.name.startswith(("t.", "p.", "test.")):
            shutil.copy(file, tests)
    (tests / "expected").mkdir()
    for program in awk_programs(tests):
        said = subprocess.run([ours / "a.out", "-f", program, *awk_input(program)], cwd=tests, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        (tests / "expected" / program).write_bytes(said.stdout)


PROGRAMS = [
    Program("dash", "dash", "src/dash", build_dash),
    Program("lua", "lua5.4", "src/lua", build_lua),
    Program("awk", "original-awk", "a.out", build_awk),
]


# --- building ----------------------------------------------------------------------------------------------

def source_of(program: Program, build: Path, log: Path) -> Path:
    work = fresh(build / "world" / "source" / program.name)
    given = os.environ.get("WORLD_SRC", "")
    if given:
        archives = sorted(Path(given).glob(f"{program.package}_*.orig.tar.*"))
        if not archives:
            raise Failure(f"WORLD_SRC={given}: there is no {program.package}_*.orig.tar.* in it")
        with tarfile.open(archives[-1]) as archive:
            archive.extractall(work)
    else:
        debian_source(build, log, f"{program.name}: fetch", program.package, work, "put Debian's archives into a folder and set WORLD_SRC to it")
    return next(folder for folder in work.iterdir() if folder.is_dir()).resolve()


def build_all(build: Path) -> int:
    out = build / "world" / "bin"
    out.mkdir(parents=True, exist_ok=True)
    stamp = Path(tool(build, "forklore-cc")).stat().st_mtime_ns
    for program in PROGRAMS:
        made = out / program.name
        if made.exists() and made.stat().st_mtime_ns > stamp:
            continue
        print(f"Building {program.name}", flush=True)
        log = (build / "setup" / f"world-{program.name}.log").resolve()
        log.unlink(missing_ok=True)
        source = source_of(program, build, log)
        program.build(source, build, log)
        subprocess.run([cross("strip"), "-o", made, source / program.made], check=True)
        shutil.rmtree(source.parent)
    print(f"dash, lua and awk are in {out}: type `make run ADD={out}`, then dash", flush=True)
    return 0


# --- testing -----------------------------------------------------------------------------------------------

# What differs by right: random() is another one than this machine's, and sort has no -t here.
AWK_DIFFERS = {"p.48b", "p.50", "t.randk"}


def awk_programs(tests: Path) -> list[str]:
    return sorted(file.name for file in tests.iterdir() if file.name.startswith(("t.", "p.")) and file.name not in AWK_DIFFERS)


def awk_input(program: str) -> list[str]:
    return ["test.countries", "test.countries"] if program.startswith("p.") else ["test.data"]


def guest_script(tests: Path) -> str:
    """Writes between two marks what each program says; it is compared here, where there is a diff to show."""
    lines = ["PATH=/bin:/add; export PATH", "echo; echo '== dash'; dash /add/dash.sh 2>&1; echo; echo '== lua'; lua /add/lua.lua 2>&1", "cd /add/awk-tests"]
    lines += [f"echo; echo '== {program}'; awk -f {program} {' '.join(awk_input(program))} </dev/null 2>&1" for program in awk_programs(tests)]
    return "\n".join([*lines, "echo; echo '== end'"]) + "\n"


def test_all(build: Path) -> int:
    tests = build / "world" / "awk-tests"
    expected = {name: (TREE / "tests" / "world" / f"{name}.expected").read_bytes() for name in ("dash", "lua")}
    expected |= {program: (tests / "expected" / program).read_bytes() for program in awk_programs(tests)}
    with tempfile.TemporaryDirectory(prefix="forklore-world-") as folder:
        add = Path(folder)
        shutil.copytree(build / "world" / "bin", add, dirs_exist_ok=True)
        shutil.copytree(tests, add / "awk-tests")
        for name in ("dash.sh", "lua.lua"):
            shutil.copy(TREE / "tests" / "world" / name, add)
        (add / "all.sh").write_text(guest_script(tests))
        done = subprocess.run([sys.executable, TREE / "tools" / "run.py"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=os.environ | {
            "FORKLORE_BUILD": str(build), "FORKLORE_CMD": "/add/dash /add/all.sh", "FORKLORE_ADD": folder, "FORKLORE_TIMEOUT": str(TEST_GUEST_SECONDS)})
    said: dict[str, bytes] = {}
    for part in done.stdout.replace(b"\r\n", b"\n").split(b"\n== ")[1:]:
        name, _, text = part.partition(b"\n")
        said[name.decode(errors="replace")] = text
    for name, wanted in expected.items():
        # Each mark has got a line of its own, so the number of newlines at the end is not known.
        got = said.get(name, b"nothing")
        if got.rstrip(b"\n") == wanted.rstrip(b"\n"):
            print(f"PASS {name}")
        else:
            print(f"FAIL {name}: said {got[:300]!r}, not {wanted[:300]!r}")
    if "end" not in said:
        print(f"FAIL the boot ended early, with status {done.returncode}, after {list(said)[-1] if said else 'nothing'}")
    return 0


def main() -> int:
    if len(sys.argv) != 3 or sys.argv[1] not in ("build", "test"):
        print(__doc__, file=sys.stderr)
        return 2
    build = Path(sys.argv[2])
    return explained("world.py", lambda: test_all(build) if sys.argv[1] == "test" else build_all(build))


if __name__ == "__main__":
    sys.exit(main())
