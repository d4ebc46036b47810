"""Makes the kernel's symbol table from a linked kernel; the format is in src/boot/symbols.h.

    mksymbols.py --cross PREFIX kernel.elf table.bin     make the table
    mksymbols.py --cross PREFIX --check first.elf second.elf
                                                         the code of both links lies at the same addresses
"""
import argparse
import bisect
import re
import struct
import subprocess
import sys
from pathlib import Path

MAGIC = 0x4D595346
HEADER = struct.Struct("<IIQIIIIIIII")
FUNCTION = struct.Struct("<III")
BASE_MASK = ~0xFFF

Row = tuple[int, int, int]  # address, file index, line


def run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if done.returncode != 0:
        sys.exit(f"mksymbols: {command[0]} failed: {done.stderr.strip()}")
    return done.stdout


def code_symbols(cross: str, elf: str) -> list[tuple[int, int, str]]:
    """(address, size, mangled name) of each function, sorted, one name an address."""
    found: dict[int, tuple[int, str]] = {}
    for line in run([cross + "nm", "-n", "-S", elf]).splitlines():
        parts = line.split()
        size = 0
        if len(parts) == 4:
            size = int(parts.pop(1), 16)
        if len(parts) != 3 or parts[1] not in "tTwW" or parts[2].startswith(("$", ".L")):
            continue
        address = int(parts[0], 16)
        # At one address the symbol with a size is the function; the others are labels of the linker script.
        if address not in found or size > found[address][0]:
            found[address] = (size, parts[2])
    return sorted((address, size, name) for address, (size, name) in found.items())


def readable(cross: str, names: list[str]) -> list[str]:
    """Demangled, without argument lists: `Zone::allocate`."""
    done = subprocess.run([cross + "c++filt", "-p"], input="\n".join(names) + "\n", capture_output=True, text=True)
    if done.returncode != 0:
        return names
    short = []
    for name in done.stdout.splitlines():
        name = re.sub(r" ?\[clone [^]]*\]", "", name).replace("(anonymous namespace)::", "")
        depth, kept = 0, []
        for character in name:  # Result<int>::foo<bar> loses what is between the brackets
            depth -= character == ">" and depth > 0
            if depth == 0:
                kept.append(character)
            depth += character == "<"
        short.append("".join(kept).replace("<>", "") if "operator" not in name else name)
    return short


def sections_of_code(cross: str, elf: str) -> list[tuple[int, int]]:
    ranges = []
    lines = run([cross + "objdump", "-h", elf]).splitlines()
    for heading, flags in zip(lines, lines[1:]):
        parts = heading.split()
        if len(parts) >= 7 and parts[0].isdigit() and "CODE" in flags and "ALLOC" in flags:
            ranges.append((int(parts[3], 16), int(parts[3], 16) + int(parts[2], 16)))
    return sorted(ranges)


def line_rows(cross: str, elf: str) -> tuple[list[str], list[Row]]:
    """Every (address, file, line) of the debug information, sorted by address."""
    files: dict[str, int] = {}
    rows: list[Row] = []
    current = ""
    paths: dict[str, str] = {}      # of the names that rows have
    # -WL prints "CU: path:" and "path:" headings with whole paths, then "name line address [view] [x]". After the end of a
    # sequence the unit's own file comes back without a heading: the row's name says so.
    for line in run([cross + "objdump", "-WL", "--wide", elf]).splitlines():
        if line.endswith((":", ":[++]")) and " 0x" not in line:
            current = re.sub(r"^CU: |:(\[\+\+\])?$", "", line.strip())
            paths[current.rpartition("/")[2]] = current
            continue
        match = re.match(r"^(\S.*?)\s+(\d+|-)\s+(0x[0-9a-f]+|0)\b", line)
        if not match:
            continue
        if current.rpartition("/")[2] != match[1]:
            current = paths.get(match[1], match[1])
        path = tidy(current)
        index = files.setdefault(path, len(files))
        rows.append((int(match[3], 16), index, 0 if match[2] == "-" else int(match[2])))
    order = sorted(range(len(rows)), key=lambda i: (rows[i][0], i))
    return list(files), [rows[i] for i in order]


def tidy(path: str) -> str:
    path = path.removeprefix("./")
    here = str(Path.cwd()) + "/"
    path = path.removeprefix(here)
    for folder in ("/src/", "/tests/"):
        if path.startswith("/") and folder in path and "gcc" not in path:
            return path[path.rindex(folder) + 1:]
    return path


def varint(value: int) -> bytes:
    out = bytearray()
    while True:
        low = value & 0x7F
        value >>= 7
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def zigzag(value: int) -> int:
    return value * 2 if value >= 0 else -value * 2 - 1


def encode_rows(start: int, end: int, rows: list[Row], addresses: list[int], use_file) -> bytes:
    out = bytearray()
    address, line, file = start, 0, -1
    # The last row at an address counts: the ones before it cover no instruction.
    last_at = {row[0]: row for row in rows[bisect.bisect_left(addresses, start):bisect.bisect_left(addresses, end)]}
    for row_address, row_file, row_line in last_at.values():
        if row_line == 0 or (row_file == file and row_line == line) or (row_address & 3):
            continue
        changes = row_file != file
        out += varint((row_address - address) // 4 * 2 + changes)
        if changes:
            out += varint(use_file(row_file))
        out += varint(zigzag(row_line - line))
        address, line, file = row_address, row_line, row_file
    return bytes(out)


def make(cross: str, elf: str, table: str) -> None:
    symbols = code_symbols(cross, elf)
    ranges = sections_of_code(cross, elf)
    if not symbols or not ranges:
        sys.exit(f"mksymbols: {elf} has no code")
    base, end_of_code = ranges[0][0] & BASE_MASK, ranges[-1][1]
    symbols = [s for s in symbols if base <= s[0] < end_of_code]
    files, rows = line_rows(cross, elf)
    addresses = [row[0] for row in rows]

    used: dict[int, int] = {}
    names, name_at = bytearray(), {}
    functions, stream = bytearray(), bytearray()

    def place(text: str) -> int:
        if text not in name_at:
            name_at[text] = len(names)
            names.extend(text.encode() + b"\0")
        return name_at[text]

    starts = [s[0] for s in symbols] + [end_of_code]
    for (address, _, _), name, end in zip(symbols, readable(cross, [s[2] for s in symbols]), starts[1:]):
        functions += FUNCTION.pack(address - base, place(name), len(stream))
        stream += encode_rows(address, end, rows, addresses, lambda f: used.setdefault(f, len(used)))
    functions += FUNCTION.pack(end_of_code - base, place("?"), len(stream))
    file_places = [place(files[f]) for f in used]

    functions_at = HEADER.size
    files_at = functions_at + len(functions)
    names_at = files_at + 4 * len(file_places)
    rows_at = names_at + len(names)
    size = rows_at + len(stream)
    header = HEADER.pack(MAGIC, size, base, len(symbols), functions_at, len(file_places), files_at,
                         names_at, rows_at, 0, 0)
    file_table = b"".join(struct.pack("<I", names_at + p) for p in file_places)
    Path(table).write_bytes(header + functions + file_table + names + stream)


def check(cross: str, first: str, second: str) -> None:
    if code_symbols(cross, first) != code_symbols(cross, second):
        sys.exit("mksymbols: the code moved between the two links; kernel.ld must place .symbols behind all code")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cross", required=True)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("elf")
    parser.add_argument("out")
    options = parser.parse_args()
    (check if options.check else make)(options.cross, options.elf, options.out)


if __name__ == "__main__":
    main()
