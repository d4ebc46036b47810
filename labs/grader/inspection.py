"""Looks at a student's file before it is linked: at its text behind the preprocessor, and at its object.

The rules are few, and each message says which was broken. Together they keep the file to what its lab is about: it defines the
functions of its contract, refers to what the contract names, runs only when it is called, and is plain C++.
"""
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .lab import HandIn, Lab

STANDARD_HEADERS = frozenset("""algorithm array atomic bit bitset compare concepts cstddef cstdint cstring initializer_list iterator
    limits memory new numeric optional ranges span string_view tuple type_traits utility variant version functional stddef.h stdint.h
    climits limits.h""".split())
FORBIDDEN_ATTRIBUTES = {
    **dict.fromkeys("constructor destructor init_priority cleanup".split(), "code that runs without being called"),
    **dict.fromkeys("section alias ifunc weakref weak visibility symver retain used externally_visible common".split(),
                    "attribute that changes how it is linked"),
    **dict.fromkeys("""no_sanitize no_sanitize_address no_sanitize_undefined no_address_safety_analysis no_instrument_function target
                    target_clones optimize naked no_stack_protector error warning""".split(), "attribute that changes how it is compiled"),
}
MARKER = re.compile(r'# (\d+) "((?:[^"\\]|\\.)*)"((?: \d)*)\s*$')
# What the compiler itself makes a file refer to.
RUN_TIME = re.compile(r"(_Unwind_Resume|__gxx_personality_v0|__cxa_guard_\w+|__cxa_pure_virtual|__cxa_atexit|__dso_handle|_GLOBAL_OFFSET_TABLE_"
                      r"|__asan_(?!.*poison|.*(set|get)_)\w+|__ubsan_handle_\w+|__ubsan_vptr_type_cache|__stack_chk_fail|__tls_get_addr|std::terminate\(\)|DW\.ref\.\w+"
                      r"|mem(set|cpy|move|cmp)|strlen|__(popcount|parity|clz|ctz|ffs)[dt]i2|__libc_single_threaded|std::__throw_\w+\(.*|std::__glibcxx_assert_fail.*)")
# What it refers to under the schedule explorer: each access to memory is a call, and the machine's inline half is another.
EXPLORED = re.compile(r"__tsan_(func_(entry|exit)|init|vptr_\w+|(unaligned_)?(read|write)(\d+|_range)|atomic\w+)|explorer::relax\(\)|host::(here|home)")
SECTION = re.compile(r"(\.rela)?\.(text|rodata|data|bss|tdata|tbss|eh_frame|gcc_except_table|debug_\w+|comment|group|note\.GNU-stack|note\.gnu\.property"
                     r"|symtab|strtab|shstrtab|init_array\.00099|fini_array\.00099)(\..*)?$")
STARTS = (".init_array", ".fini_array", ".preinit_array", ".ctors", ".dtors")
SANITIZER_ARRAYS = (".init_array.00099", ".fini_array.00099")


class Refused(Exception):
    """The rule that a file breaks, for the student."""


@dataclass
class Symbol:
    kind: str
    name: str
    mangled: str


# --- the text ------------------------------------------------------------------------------------------------------------

COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'', re.S)


def code_only(text: str) -> str:
    """Comments and texts become blanks; lines stay where they are."""
    return COMMENT_OR_TEXT.sub(lambda found: " " + "\n" * found[0].count("\n") + ("" if found[0][0] == "/" else '""'), text)


def check_directives(path: str, source: bytes) -> None:
    """What must be seen before the preprocessor: a file reads the same on both machines."""
    text = source.decode().replace("\r\n", "\n")
    # Lines are counted before those that a backslash continues are joined.
    spliced = re.sub(r"\\[ \t]*\n", "", text)
    if re.search(r'\b(u8|u|U|L)?R"', spliced):
        raise Refused(f'{path}: raw texts (R"...") are not taken: the grader could not tell text from code.')
    for line in code_only(spliced).splitlines():
        if found := re.match(r"\s*(?:#|%:|\?\?=)\s*(\w+)(.*)", line):
            if found[1] in ("include", "define", "undef") or (found[1] == "pragma" and found[2].strip() == "once"):
                continue
            number = next((n for n, whole in enumerate(text.splitlines(), 1) if re.search(r"(#|%:)\s*" + found[1], whole)), 0)
            raise Refused(f"{path}, line {number}: `#{found[1]}`: a lab's file has no other directives than #include and #define.")
    if re.search(r"\b(_Pragma|__pragma)\b", text):
        raise Refused(f"{path}: `_Pragma`: a lab's file sets no options of the compiler.")


def own_lines(preprocessed: str, path: str) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """(lines of the file itself with their numbers, files that it includes directly with the line)"""
    lines, included = [], []
    inside, number = False, 0
    for text in preprocessed.splitlines():
        if marker := MARKER.match(text):
            name = marker[2]
            if inside and " 1" in marker[3]:
                included.append((number, name))
            inside, number = name == path, int(marker[1])
            continue
        if inside:
            lines.append((number, text))
        number += 1
    return lines, included


def check_includes(lab: Lab, path: str, included: list[tuple[int, str]]) -> None:
    for line, name in included:
        if name.startswith("<"):
            continue
        if name.startswith("/"):
            if not name.startswith("/usr/") or Path(name).name not in STANDARD_HEADERS:
                raise Refused(f"{path}, line {line}: <{Path(name).name}> is no header that the kernel has.")
            continue
        inner = name.removeprefix("src/")
        allowed = any(inner == rule or (rule.endswith("/") and inner.startswith(rule)) for rule in lab.contract.headers)
        if not name.startswith("src/") or ".." in name or not inner.endswith(".h") or not allowed:
            raise Refused(f"{path}, line {line}: it includes {inner}, which this lab does not need; it may include "
                          f"{', '.join(lab.contract.headers)} and standard headers.")


def attributes(code: str) -> list[tuple[int, str]]:
    """(where, what is written between the brackets) for each attribute."""
    found = []
    for start in re.finditer(r"\b__attribute(?:__)?\b|\[\s*\[", code):
        depth, end = 0, start.end()
        opening, closing = ("(", ")") if start[0][0] == "_" else ("[", "]")
        depth = 0 if opening == "(" else 2
        while end < len(code):
            depth += (code[end] == opening) - (code[end] == closing)
            end += 1
            if depth == 0 and code[end - 1] == closing:
                break
        found.append((start.start(), code[start.end():end]))
    return found


def check_words(path: str, lines: list[tuple[int, str]]) -> None:
    code = code_only("\n".join(line for _, line in lines))
    numbers = [number for number, _ in lines]

    def line_at(offset: int) -> int:
        return numbers[min(code.count("\n", 0, offset), len(numbers) - 1)] if numbers else 0

    for found in re.finditer(r"\b(asm|__asm|__asm__|__builtin_apply\w*|__builtin_return)\b", code):
        raise Refused(f"{path}, line {line_at(found.start())}: `{found[1]}`: a lab's file has no inline assembly.")
    if found := re.search(r"^\s*#\s*pragma(?!\s+once)", code, re.M):
        raise Refused(f"{path}, line {line_at(found.start())}: a lab's file sets no options of the compiler.")
    for offset, text in attributes(code):
        for word in re.findall(r"[A-Za-z_]\w*", text):
            if what := FORBIDDEN_ATTRIBUTES.get(word.strip("_")):
                raise Refused(f"{path}, line {line_at(offset)}: `{word}`: a lab's file has no {what}.")


def check_text(lab: Lab, file: HandIn, source: bytes, preprocessed: str) -> None:
    lines, included = own_lines(preprocessed, file.path)
    check_includes(lab, file.path, included)
    check_words(file.path, lines)


# --- the object ------------------------------------------------------------------------------------------------------------

def symbols(tool: list[str], objects: list[Path]) -> list[Symbol]:
    """External symbols: their kind by nm's letter, readable and as the linker sees them."""
    def names(*options: str) -> list[str]:
        return subprocess.run([*tool, "--extern-only", "--no-sort", *options, *map(str, objects)], capture_output=True, text=True, check=True).stdout.splitlines()
    found = []
    for plain, readable in zip(names(), names("-C"), strict=True):
        if match := re.match(r"[0-9a-f ]{16} (\w) (.*)", plain):
            found.append(Symbol(match[1], readable[19:], match[2]))
    return found


def check_symbols(lab: Lab, found: list[Symbol], whose: str, explored: bool = False) -> None:
    defined = {s.name for s in found if s.kind not in "Uwv"}
    strong = [s for s in found if s.kind in "TDBRGSC"]
    for symbol in strong:
        if symbol.name not in lab.contract.defines and not symbol.name.startswith(tuple(lab.contract.members)):
            raise Refused(f"{whose} defines `{symbol.name}` for everyone to see, which is not part of this lab's contract. "
                          "Put helpers into an anonymous namespace.")
    for symbol in found:
        # Inline functions and templates come along from headers; they have C++ names, and are not those of the library.
        if symbol.kind in "WVui" and not symbol.mangled.startswith("DW.ref."):
            if not symbol.mangled.startswith("_Z") or re.match(r"operator (new|delete)", symbol.name) or symbol.kind == "i":
                raise Refused(f"{whose} defines `{symbol.name}`, which belongs to the system.")
        if symbol.kind in "Uwv" and symbol.name not in defined:
            allowed = RUN_TIME.fullmatch(symbol.name) or (explored and EXPLORED.fullmatch(symbol.name)) or any(symbol.name.startswith(use) for use in (*lab.contract.uses, *lab.contract.defines))
            if not allowed:
                raise Refused(f"{whose} refers to `{symbol.name}`, which is not part of this lab's contract.")
    for name in lab.contract.defines:
        if name not in defined:
            raise Refused(f"{whose} does not define `{name}`, which the contract asks for.")


def check_sections(tool: str, path: Path, whose: str, sanitized: bool) -> None:
    said = subprocess.run([tool, "--wide", "--section-headers", str(path)], capture_output=True, text=True, check=True).stdout
    for name, size, flags in re.findall(r"^ +\[ *\d+\] (\S+) +\S+ +[0-9a-f]+ +[0-9a-f]+ +([0-9a-f]+) +[0-9a-f]+ ([A-Zxop]*) ", said, re.M):
        base = name.removeprefix(".rela")
        if base in STARTS:
            raise Refused(f"{whose} has code that runs without being called (a global object with a constructor?).")
        if not SECTION.match(name) or ("W" in flags and "X" in flags):
            raise Refused(f"{whose} has a part named `{name}`: it does something when the program starts, or lies where it should not.")
        if base in SANITIZER_ARRAYS and (not sanitized or (base == name and int(size, 16) != 8)):
            raise Refused(f"{whose} has code that runs without being called (a global object with a constructor?).")
