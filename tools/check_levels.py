"""Checks who includes whom: a file may include its own folder or a lower level, never up, never sideways.

Prints one line for each offending include and a last line with counts; exits 1 if there is any.
"""
import re
import sys
from pathlib import Path

# folder -> level. A file belongs to the longest folder that matches.
LEVELS: dict[str, int] = {
    "base": 0, "abi": 0,
    "machine": 1, "machine_inline": 1,
    "mm": 2, "drivers": 2,
    "kernel": 3,
    "kernel/fs": 4,
    "kernel/proc": 5,
    "kernel/entry": 6,
    "boot": 7,
}
# base and abi are one vocabulary; machine_inline is the machine's own half of its headers.
SAME_FOLDER = [{"base", "abi"}, {"machine", "machine_inline"}]
# Headers with no library behind them: the compiler's own, templates, and <cstring>, whose few functions the
# compiler calls anyway and src/machine defines.
FREESTANDING = {
    "algorithm", "array", "atomic", "bit", "climits", "compare", "concepts", "cstdarg", "cstddef", "cstdint", "cstring",
    "initializer_list", "iterator", "limits", "new", "optional", "span", "stdarg.h", "stddef.h", "stdint.h", "string_view",
    "tuple", "type_traits", "utility",
}
# The one file of programs that looks at the kernel's side: it asserts that both mean the same numbers.
ALLOWED = {("user/newlib/check_values.cpp", "base/errors.h")}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]')
SOURCES = {".h", ".cpp", ".S"}


def folder_of(path: str) -> str | None:
    parts = path.split("/")[:-1]
    while parts:
        name = "/".join(parts)
        if name in LEVELS:
            return name
        parts.pop()
    return None


def same(one: str, other: str) -> bool:
    return one == other or any(one in group and other in group for group in SAME_FOLDER)


def complaint(source: str, kind: str, target: str) -> str | None:
    own = folder_of(source)
    if source.startswith("user/"):
        other = folder_of(target)
        if kind == '"' and other is not None and other != "abi" and (source, target) not in ALLOWED:
            return f"src/user shares only src/abi with the kernel, not {target}"
        return None
    if own is None:
        return "this folder has no level in tools/check_levels.py"
    if kind == "<":
        return None if target in FREESTANDING else f"<{target}> is not a freestanding header"
    other = folder_of(target)
    if other is None:
        return f"{target}: includes are paths from src/ that have a level"
    if same(own, other) or LEVELS[other] < LEVELS[own]:
        return None
    direction = "sideways" if LEVELS[other] == LEVELS[own] else "up"
    return f"{target}: {own} is level {LEVELS[own]}, {other} is level {LEVELS[other]}: an include {direction}"


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else "src")
    if not root.is_dir():
        print(f"check_levels: there is no folder {root}", file=sys.stderr)
        return 2
    includes = offending = 0
    for path in sorted(p for p in root.rglob("*") if p.suffix in SOURCES and p.is_file()):
        source = path.relative_to(root).as_posix()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            includes += 1
            reason = complaint(source, match[1], match[2])
            if reason:
                offending += 1
                print(f"{path}:{number}: {reason}")
    print(f"levels: {includes} includes, {offending} offending")
    return 1 if offending else 0


if __name__ == "__main__":
    sys.exit(main())
