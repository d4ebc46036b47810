"""Checks each tool that Forklore uses and its version: one line each, with the fix. Exits 1 if one is missing.

The list is tools/packages.txt. A tool named by its variable (CROSS=..., QEMU=...) is checked there instead.
"""
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PACKAGES = Path(__file__).resolve().parent / "packages.txt"


@dataclass
class Need:
    package: str
    proof: str      # a command, a path, or python3:MODULE
    verbs: str
    least: str
    variable: str
    why: str


def needs() -> list[Need]:
    lines = [line for line in PACKAGES.read_text().splitlines() if line and not line.startswith("#")]
    return [Need(*line.split("|")) for line in lines]


def output(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, errors="replace")
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def version_in(text: str) -> str:
    # "(Debian 12.2.0-14)" and the like say the package's version; the tool's own comes last on gcc's line.
    first = next((line for line in text.splitlines() if re.search(r"\d+\.\d+", line)), "")
    found = re.findall(r"(?<![\w.-])v?(\d+(?:\.\d+)+)", re.sub(r"\([^)]*\)", " ", first)) or re.findall(r"\d+(?:\.\d+)+", first)
    return found[0] if found else ""


def chosen(need: Need) -> str:
    return os.environ.get("FORKLORE_" + need.variable, "") if need.variable else ""


def locate(need: Need) -> tuple[str, str]:
    """(where it is or "", version or "")."""
    value = chosen(need)
    if need.proof.startswith("python3:"):
        module = need.proof.partition(":")[2]
        return (module, output([sys.executable, "-c", f"import {module}, importlib.metadata as m; print(getattr({module}, '__version__', '') or m.version('{module}'))"]).strip()) \
            if not subprocess.run([sys.executable, "-c", f"import {module}"], capture_output=True).returncode else ("", "")
    if need.package == "python3":
        return sys.executable, ".".join(map(str, sys.version_info[:3]))
    if need.package == "newlib-source":
        place = Path(value or need.proof)
        names = sorted(place.glob("newlib-*.tar.*")) if place.is_dir() else [place]
        present = place.exists()
        return (str(place) if present else "", version_in(names[-1].name.replace("-", " ")) if present and names else "")
    if need.package == "libcpputest-dev":
        header = Path(need.proof)
        return (str(header), output(["dpkg-query", "-W", "-f", "version ${Version}\n", need.package]).removeprefix("version ").split("-")[0]) \
            if header.exists() else (value, "")
    command = {"CROSS": value + "g++", "MTOOLS": str(Path(value) / "mcopy")}.get(need.variable, value) if value else need.proof
    found = shutil.which(command) or shutil.which(command, path="/usr/sbin:/sbin") or ""
    if not found:
        return "", ""
    said = output([found, "-V"] if need.proof == "mkimage" else [found, "--version"])
    return found, version_in(said)


def report(need: Need) -> bool:
    where, version = locate(need)
    fix = f"apt-get install {need.package}" + (f", or set {need.variable}" if need.variable else "")
    if not where and need.verbs == "pages":
        print(f"not here {need.package:24} only make test ONLY=pages needs it, and installs it")
        return True
    if not where:
        print(f"missing  {need.package:24} {need.why}; {fix}")
        return False
    if version and numbers(version) < numbers(need.least):
        print(f"too old  {need.package:24} {where} is {version}, {need.least} is the least; {fix}")
        return False
    print(f"ok       {need.package:24} {version or 'version not told':12} {where}")
    return True


def report_built(build: Path) -> None:
    made = {"newlib for the guest": "newlib/stamp", "CppUTest's source": "cpputest-source/stamp", "U-Boot": "uboot/u-boot.bin"}
    for name, file in made.items():
        state = "ready" if (build / file).exists() else "not yet"
        print(f"{state:8} {name:24} {'' if state == 'ready' else 'make setup makes it'}".rstrip())


def main() -> int:
    try:
        good = [report(need) for need in needs()]
    except (OSError, TypeError) as error:
        print(f"doctor: {PACKAGES}: {error}", file=sys.stderr)
        return 1
    report_built(Path(os.environ.get("FORKLORE_BUILD") or "build"))
    if all(good):
        return 0
    print(f"{good.count(False)} missing or too old: `make setup` installs them where there is apt")
    return 1


if __name__ == "__main__":
    sys.exit(main())
