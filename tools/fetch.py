"""Fetches and builds what Debian has no ready package for; each step prints its progress.

    fetch.py newlib   BUILD    build the C library for the guest from the package newlib-source
    fetch.py cpputest BUILD    get CppUTest's source (for tests inside the kernel)
    fetch.py uboot    BUILD    get U-Boot for the Raspberry Pi 3

Everything comes from the distribution's archive through apt, with lists and caches in BUILD/apt: the
system's own settings are read, never changed. NEWLIB_SRC, CPPUTEST_SRC and UBOOT (in the environment)
replace the three by files of your own.
"""
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

TARGET = "aarch64-none-elf"
NEWLIB_FLAGS = "-O2 -g -ffreestanding -fno-pic -mno-outline-atomics -ffunction-sections -fdata-sections"


class Failure(Exception):
    """A sentence for the user."""


def run(title: str, command: list[str], log: Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    """Runs a command into a log and shows every few seconds how far it is."""
    log.parent.mkdir(parents=True, exist_ok=True)
    start = shown = time.monotonic()
    with log.open("ab") as out:
        try:
            job = subprocess.Popen(command, cwd=cwd, env=env, stdout=out, stderr=subprocess.STDOUT,
                                   stdin=subprocess.DEVNULL)
        except OSError as error:
            raise Failure(f"cannot start {command[0]}: {error.strerror}; see `make doctor`") from None
        while True:
            try:
                status = job.wait(timeout=0.5)
                break
            except subprocess.TimeoutExpired:
                now = time.monotonic()
                if now - shown >= 3:
                    shown = now
                    print(f"  {title}: {now - start:3.0f} s, {steps(log)} lines of log", flush=True)
    if status != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-12:])
        raise Failure(f"{tail}\n{title} failed; the whole log is {log}")


def steps(log: Path) -> int:
    return log.read_bytes().count(b"\n")


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


# --- newlib -----------------------------------------------------------------------------------------

def newlib_source(build: Path) -> Path:
    given = os.environ.get("NEWLIB_SRC", "")
    place = Path(given) if given else Path("/usr/src/newlib")
    if (place / "newlib" / "configure").exists():
        return place.resolve()
    tars = [place] if place.is_file() else sorted(place.glob("newlib-*.tar.*"))
    if not tars:
        raise Failure(f"no newlib source in {place}: install newlib-source, or set NEWLIB_SRC to its folder or tar file")
    work = fresh(build / "newlib-source")
    print(f"  unpacking {tars[-1].name}", flush=True)
    with tarfile.open(tars[-1]) as archive:
        archive.extractall(work)
    found = sorted(work.glob("*/newlib/configure"))
    if not found:
        raise Failure(f"{tars[-1]} does not hold newlib's source")
    return found[0].parent.parent.resolve()


def build_newlib(build: Path) -> None:
    cross = os.environ.get("CROSS") or "aarch64-linux-gnu-"
    if not shutil.which(cross + "gcc"):
        raise Failure(f"there is no {cross}gcc: install g++-aarch64-linux-gnu, or set CROSS to your compiler's prefix")
    source = newlib_source(build)
    work = fresh(build / "newlib-build")
    log = work / "log"
    tools = {"CC": "gcc", "CXX": "g++", "AR": "ar", "AS": "as", "LD": "ld", "NM": "nm", "RANLIB": "ranlib",
             "STRIP": "strip", "READELF": "readelf", "OBJDUMP": "objdump"}
    command = [str(source / "configure"), f"--target={TARGET}", f"--prefix={work.resolve() / 'install'}",
               "--disable-newlib-supplied-syscalls", "--disable-multilib", "--disable-libgloss",
               "--enable-newlib-io-c99-formats", "--enable-newlib-io-long-long",
               *(f"{name}_FOR_TARGET={cross}{tool}" for name, tool in tools.items()),
               f"CFLAGS_FOR_TARGET={NEWLIB_FLAGS}", f"CXXFLAGS_FOR_TARGET={NEWLIB_FLAGS}", "MAKEINFO=true"]
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES")}
    print(f"Building newlib, about a minute (log: {log})", flush=True)
    run("newlib: configure", command, log, work, environment)
    jobs = min(os.cpu_count() or 1, 4)
    run("newlib: compile", ["make", f"-j{jobs}", "all-target-newlib", "MAKEINFO=true"], log, work, environment)
    run("newlib: install", ["make", "install-target-newlib", "MAKEINFO=true"], log, work, environment)
    made = work / "install" / TARGET
    for part in ("include", "lib"):
        target = build / "newlib" / part
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(made / part, target)
    for name in ("newlib-build", "newlib-source"):
        shutil.rmtree(build / name, ignore_errors=True)
    print("  newlib is in", build / "newlib", flush=True)


# --- apt with settings of our own -------------------------------------------------------------------

def apt_sources() -> list[str]:
    """The system's own mirrors and suites as `deb`/`deb-src` lines, whatever form they are written in."""
    form = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)|$(CREATED_BY)|$(SIGNED_BY)"
    for attempt in range(2):
        listing = subprocess.run(["apt-get", "indextargets", "--format", form, "Created-By: Packages"],
                                 capture_output=True, text=True)
        lines = sorted({line for line in listing.stdout.splitlines() if line.count("|") == 4})
        if lines or attempt:
            break
        root = [] if os.geteuid() == 0 else ["sudo"]
        subprocess.run([*root, "apt-get", "update"], capture_output=True)
    found = []
    for line in lines:
        uri, release, component, _, signed = line.split("|")
        option = "" if signed.startswith("$") or not signed else f" signed-by={signed}"
        for kind in (f"deb [arch=arm64{option}]", f"deb-src [{option.strip()}]" if option else "deb-src"):
            found.append(f"{kind} {uri} {release} {component}")
    if not found:
        raise Failure("apt has no package sources, so nothing can be fetched; set CPPUTEST_SRC and UBOOT instead")
    return found


def apt(build: Path, log: Path, title: str, *arguments: str, cwd: Path | None = None) -> None:
    if not shutil.which("apt-get"):
        raise Failure("there is no apt-get here: set CPPUTEST_SRC to CppUTest's source folder and UBOOT to u-boot.bin")
    base = (build / "apt").resolve()
    for folder in ("lists/partial", "cache/archives/partial", "empty", "state"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    listing = base / "sources.list"
    if not listing.exists():
        listing.write_text("\n".join(apt_sources()) + "\n")
    (base / "state" / "status").touch()
    options = {"Dir::Etc::sourcelist": listing, "Dir::Etc::sourceparts": base / "empty", "Dir::State": base / "state",
               "Dir::State::lists": base / "lists", "Dir::State::status": base / "state" / "status",
               "Dir::Cache": base / "cache", "APT::Architecture": "arm64", "APT::Architectures": "arm64",
               "APT::Sandbox::User": "root", "Acquire::Languages": "none", "Debug::NoLocking": "true"}
    command = ["apt-get", "-q"]
    for name, value in options.items():
        command += ["-o", f"{name}={value}"]
    run(title, [*command, *arguments], log.resolve(), cwd)


def apt_update(build: Path, log: Path) -> None:
    stamp = build / "apt" / "updated"
    if not stamp.exists():
        print("Fetching package lists for sources and arm64, kept apart from the system's", flush=True)
        apt(build, log, "package lists", "update")
        stamp.touch()


def debian_source(build: Path, log: Path, title: str, package: str, work: Path, instead: str) -> None:
    """A source package's own archive, without Debian's changes, unpacked into `work`. `instead`: what to do where there is no apt source."""
    apt_update(build, log)
    apt(build, log, title, "source", "--download-only", package, cwd=work)
    archives = sorted(work.glob("*.orig.tar.*"))
    if not archives:
        raise Failure(f"apt-get source {package} brought no source; {instead}")
    with tarfile.open(archives[0]) as archive:
        archive.extractall(work)


def explained(tool: str, work: Callable[[], int]) -> int:
    """The status of a command whose errors are told as sentences."""
    try:
        return work()
    except Failure as failure:
        print(failure, file=sys.stderr)
    except (OSError, tarfile.TarError, subprocess.CalledProcessError) as error:
        print(f"{tool}: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
    return 1


# --- CppUTest and U-Boot ----------------------------------------------------------------------------

def fetch_cpputest(build: Path) -> None:
    target = build / "cpputest-source"
    given = os.environ.get("CPPUTEST_SRC", "")
    log = build / "setup" / "cpputest.log"
    if given:
        source = Path(given)
    else:
        work = fresh(build / "cpputest-fetch")
        print("Fetching CppUTest's source", flush=True)
        debian_source(build, log, "CppUTest", "cpputest", work, "set CPPUTEST_SRC to CppUTest's source folder")
        source = next((p.parent.parent.parent for p in work.glob("*/src/CppUTest/Utest.cpp")), work)
    if not (source / "src" / "CppUTest" / "Utest.cpp").exists():
        raise Failure(f"{source} does not hold CppUTest's source (src/CppUTest/Utest.cpp)")
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for part in ("src", "include"):
        shutil.copytree(source / part, target / part)
    shutil.rmtree(build / "cpputest-fetch", ignore_errors=True)


def fetch_uboot(build: Path) -> None:
    target = build / "uboot" / "u-boot.bin"
    given = os.environ.get("UBOOT", "")
    target.parent.mkdir(parents=True, exist_ok=True)
    if given:
        if not Path(given).is_file():
            raise Failure(f"UBOOT={given}: there is no such file")
        shutil.copy(given, target)
        return
    log = build / "setup" / "uboot.log"
    apt_update(build, log)
    work = fresh(build / "uboot-fetch")
    print("Fetching U-Boot for the Raspberry Pi", flush=True)
    apt(build, log, "U-Boot", "download", "u-boot-rpi:arm64", cwd=work)
    debs = sorted(work.glob("u-boot-rpi_*.deb"))
    if not debs:
        raise Failure("apt-get download u-boot-rpi:arm64 brought no package; set UBOOT to a u-boot.bin for the Pi 3")
    run("U-Boot", ["dpkg", "-x", str(debs[0]), str(work)], log)
    found = sorted(work.glob("usr/lib/u-boot/rpi_3/u-boot.bin"))
    if not found:
        raise Failure(f"{debs[0].name} has no rpi_3/u-boot.bin; set UBOOT to a u-boot.bin for the Pi 3")
    shutil.copy(found[0], target)
    shutil.rmtree(work, ignore_errors=True)


def main() -> int:
    parts = {"newlib": build_newlib, "cpputest": fetch_cpputest, "uboot": fetch_uboot}
    if len(sys.argv) != 3 or sys.argv[1] not in parts:
        print(__doc__, file=sys.stderr)
        return 2
    return explained(f"fetch.py {sys.argv[1]}", lambda: parts[sys.argv[1]](Path(sys.argv[2])) or 0)


if __name__ == "__main__":
    sys.exit(main())
