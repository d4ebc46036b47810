"""SAN=1: the kernel with sanitizers boots and works, and names each deliberate mistake.

    make test ONLY=sanitizer    prints `PASS name` or `FAIL name: why` for each
"""
import re
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "system"))

from support import BUILD, Finished, run  # noqa: E402

KERNEL = BUILD / "kernel-san" / "kernel8.img"
PANICKED = 255
FAULTS = ROOT / "src" / "boot" / "deliberate_fault.cpp"
# The fault, and what must be said of it; {line} is that of the code which holds the text behind it.
SAID = {
    "overflow": (r"undefined behaviour: src/boot/deliberate_fault\.cpp:{line}:\d+: a sum that does not fit in 'int': 2147483647 and 1", "largest + 1"),
    "index": (r"undefined behaviour: src/boot/deliberate_fault\.cpp:{line}:\d+: an index outside of '[a-z ]+\[4\]': 4", "four[index]"),
    "global": (r"bad address: write of 1 bytes at 0x\w+: 1 bytes behind the end of \S*four \(4 bytes, src/boot/deliberate_fault\.cpp\)", ""),
    "array": (r'bad address: write of 1 bytes at 0x\w+: 0 bytes behind the end of "seven[:\d]*" \(7 bytes, on the stack\)', ""),
    "frame": (r"bad address: read of 1 bytes at 0x\w+064: a freed page frame, byte 100 of the 4096 from 0x\w+000 on, freed by(\n  < .*)*"
              r"\n  < fault_frame\+0x\w+  src/mm/page\.h:\d+", ""),
    "freed": (r'bad address: write of 8 bytes at 0x\w+: a freed element of zone "abused", elements of 128 bytes, byte 72 of the 128 from 0x\w+ on, '
              r"freed by(\n  < .*)*\n  < fault_freed\+0x\w+  src/boot/deliberate_fault\.cpp:{line}", "zfree(zone, const_cast<uint64_t*>(element))"),
    "copy": (r'bad address: read of 24 bytes at 0x\w+: a freed element of zone "copied", elements of 32 bytes, byte 0 of the 32 from 0x\w+ on, '
             r"freed by(\n  < .*)*\n  < fault_copy\+0x\w+  src/boot/deliberate_fault\.cpp:{line}", "zfree(zone, element)"),
}


def booted(**options: str) -> Finished:
    return run(KERNEL=str(KERNEL), **options)


def expect(condition: object, what: str) -> None:
    if not condition:
        raise AssertionError(what)


def processes_come_and_go_and_nothing_is_found() -> None:
    done = booted(CMD="forktest 2; ls /bin | sort | wc -l; exit 3", ARGS="maxproc=100")
    expect(done.status == 3 and "0 mistakes" in done.console, f"status {done.status}\n{done.console}\n{done.said}")


def programs_that_try_the_system_calls_find_none_either() -> None:
    # Their ledgers count the pages of page tables, and the shadow of a kernel stack that is used for the first time is one more, for ever:
    # forktest first uses many. Not fork, which uses more of them yet.
    programs = "forktest 1; for p in vfork exec wait signals descriptors pipes memory spawn; do /add/$p || exit 9; done; exit 3"
    done = booted(CMD=programs, ADD=str(BUILD / "user" / "tests"), ARGS="maxproc=100", TIMEOUT="600")
    expect(done.status == 3, f"status {done.status}\n{done.console}\n{done.said}")


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(FAULTS.read_text().splitlines(), 1) if text in line)


def fault_is_named(fault: str) -> Callable[[], None]:
    said, text = SAID[fault]
    pattern = said.replace("{line}", str(line_of(text)))

    def test() -> None:
        done = booted(CMD="sleep 100", ARGS=f"fault={fault}", TIMEOUT="100")
        expect(done.status == PANICKED and re.search(pattern, done.console), f"{pattern} is not in (status {done.status}):\n{done.console}")

    return test


def main() -> int:
    tests: dict[str, Callable[[], None]] = {"processes": processes_come_and_go_and_nothing_is_found,
                                            "programs": programs_that_try_the_system_calls_find_none_either}
    tests |= {f"fault.{fault}": fault_is_named(fault) for fault in SAID}
    failed = 0
    for name, test in tests.items():
        if not name.startswith(sys.argv[1] if sys.argv[1:] else ""):
            continue
        try:
            test()
            print(f"PASS {name}", flush=True)
        except AssertionError as error:
            failed += 1
            print(f"FAIL {name}: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
