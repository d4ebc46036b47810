"""Looks at a student's file before it is linked: at its text behind the preprocessor, and at its object.

The rules are few, and each message says which was broken. Together they keep the file to what its lab is about: it defines the
functions of its contract, refers to what the contract names, runs only when it is called, and is plain C++.
"""
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .lab import HandIn, Lab
from .tokens import Token, Unclear, tokens

STANDARD_HEADERS = frozenset("""algorithm array atomic bit bitset compare concepts cstddef cstdint cstring initializer_list iterator
    limits memory new numeric optional ranges span string_view tuple type_traits utility variant version functional stddef.h stdint.h
    climits limits.h""".split())
# What else there is places code, runs it, exempts it from sanitizers or changes how it is compiled.
ATTRIBUTES = frozenset("""nodiscard maybe_unused noreturn likely unlikely fallthrough deprecated no_unique_address carries_dependency unused
    always_inline noinline noclone flatten hot cold const pure malloc packed aligned may_alias nonnull returns_nonnull warn_unused_result
    format""".split())
LONGEST_ATTRIBUTE = 64      # tokens
# The compiler's own names that a file may use. What __builtin_return_address tells is no more than the address of any function.
RESERVED = re.compile(r"__builtin_(mem(set|cpy|move|cmp)|strlen|unreachable|trap|expect|constant_p|is_constant_evaluated|bit_cast|offsetof|addressof"
                      r"|assume_aligned|(popcount|parity|clz|ctz|ffs|clrsb)(l|ll)?|bswap(16|32|64)|(add|sub|mul)_overflow|return_address)"
                      r"|__func__|__FUNCTION__|__PRETTY_FUNCTION__|__FILE__|__LINE__|__VA_ARGS__|__VA_OPT__|__null|__int128|__restrict")
DIRECTIVES = ("include", "define", "undef", "pragma")
LARGEST_OWN = 1 << 20       # of the file's own text behind the preprocessor
MARKER = re.compile(r'# (\d+) "((?:[^"\\]|\\.)*)"((?: \d)*)\s*$')
# What the compiler itself makes a file refer to.
RUN_TIME = re.compile(r"(_Unwind_Resume|__gxx_personality_v0|__cxa_guard_\w+|__cxa_pure_virtual|__cxa_atexit|__dso_handle|_GLOBAL_OFFSET_TABLE_"
                      r"|__asan_(init|version_mismatch_check_v\d+|handle_no_return|option_detect_stack_use_after_return|(un)?register_globals"
                      r"|stack_(malloc|free)_\d+|(report_)?(load|store)(1|2|4|8|16|N|_n))|__ubsan_handle_\w+|__ubsan_vptr_type_cache|__stack_chk_fail|__tls_get_addr|std::terminate\(\)|DW\.ref\.\w+"
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

def refused_at(path: str, token: Token | Unclear, what: str) -> Refused:
    return Refused(f"{path}, line {token.line}: {what}")


def check_source(path: str, source: bytes) -> None:
    """What must be seen before the preprocessor: a file reads the same on both machines, and each of its lines stays its own."""
    line: list[Token] = []
    defined = False
    try:
        for token in tokens(source.decode()):
            if token.kind != "end":
                line.append(token)
                continue
            defined = check_line(path, line, defined)
            line = []
    except Unclear as unclear:
        raise refused_at(path, unclear, unclear.what) from None
    check_line(path, line, defined)


def check_line(path: str, line: list[Token], defined: bool) -> bool:
    """Whether there has been a #define."""
    if line and line[0].text == "#":
        defined = check_directive(path, line[0], line[1:], defined)
    elif stray := next((token for token in line if token.text == "#"), None):
        raise refused_at(path, stray, "a # amid a line.")
    for token in line:
        if token.kind == "name":
            check_name(path, token)
    return defined


def check_directive(path: str, sign: Token, words: list[Token], defined: bool) -> bool:
    name, rest = (words[0].text if words else ""), words[1:]
    if name not in DIRECTIVES or (name == "pragma" and [token.text for token in rest] != ["once"]):
        raise refused_at(path, sign, f"`#{name}`: a lab's file has no other directives than #include and #define.")
    if name == "include":
        if len(rest) != 1 or rest[0].kind != "header":
            raise refused_at(path, sign, "#include has the name of one header behind it.")
        if defined:
            # A macro could otherwise put code of this file's into lines that are the header's.
            raise refused_at(path, sign, "#include stands in front of the first #define.")
    return defined or name in ("define", "undef")


def check_name(path: str, token: Token) -> None:
    name = token.text
    if name in ("asm", "__asm", "__asm__"):
        raise refused_at(path, token, f"`{name}`: a lab's file has no inline assembly.")
    if name in ("_Pragma", "__pragma"):
        raise refused_at(path, token, f"`{name}`: a lab's file sets no options of the compiler.")
    if name in ("__attribute__", "__attribute"):
        raise refused_at(path, token, f"`{name}`: an attribute is written in [[ ]].")
    if re.match(r"__|_[A-Z]", name) and not RESERVED.fullmatch(name):
        raise refused_at(path, token, f"`{name}`: names like this are the compiler's and the library's own.")


def own_lines(preprocessed: str, path: str) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """(lines of the file itself with their numbers, files that it includes directly with the line)"""
    lines, included = [], []
    inside, number = False, 0
    for text in preprocessed.split("\n"):
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


def check_attribute(path: str, within: list[Token]) -> None:
    """`within`: what stands between [[ and ]]."""
    depth = 0
    for at, token in enumerate(within):
        depth += (token.text == "(") - (token.text == ")")
        prefix = token.text in ("gnu", "using") and at + 1 < len(within) and (token.text == "using" or within[at + 1].text in ("::", ":"))
        if depth == 0 and token.kind == "name" and not prefix and token.text not in ATTRIBUTES:
            raise refused_at(path, token, f"`{token.text}`: a lab's file has no attribute that places or runs code or changes how it is compiled.")


def check_code(path: str, lines: list[tuple[int, str]]) -> None:
    """What the file's own lines say when each macro has been replaced."""
    if sum(len(text) for _, text in lines) > LARGEST_OWN:
        raise Refused(f"{path}: its macros make more than {LARGEST_OWN // 1024} KiB of it. Hand in something smaller.")
    attribute: list[Token] | None = None
    before = ["", ""]
    try:
        for token in tokens("\n".join(text for _, text in lines), [number for number, _ in lines]):
            if token.kind == "end":
                continue
            if token.kind == "name":
                check_name(path, token)
            if token.text == "#":
                raise refused_at(path, token, "a # that is no directive.")
            pair = before[1] + token.text
            if (pair == "namespacestd" and before[0] != "using") or (before[0] == "namespace" and pair == "[["):
                raise refused_at(path, token, "namespace std is the library's own.")
            before = [before[1], token.text]
            if attribute is None:
                attribute = [] if pair == "[[" else None
            elif pair == "]]":
                check_attribute(path, attribute[:-1])
                attribute = None
            elif pair == "[[" or token.text == "[" or len(attribute) == LONGEST_ATTRIBUTE:
                raise refused_at(path, token, "an attribute without end, or in another one.")
            else:
                attribute.append(token)
    except Unclear as unclear:
        raise refused_at(path, unclear, unclear.what) from None
    if attribute is not None:
        raise Refused(f"{path}: an attribute without end.")


def check_text(lab: Lab, file: HandIn, preprocessed: str) -> None:
    lines, included = own_lines(preprocessed, file.path)
    check_includes(lab, file.path, included)
    check_code(file.path, lines)


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
    said = subprocess.run([tool, "--wide", "--section-headers", str(path)], capture_output=True, text=True, check=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout
    there = re.search(r"There are (\d+) section headers", said)
    parts = re.findall(r"^ +\[ *\d+\] (\S+) +\S+ +[0-9a-f]+ +[0-9a-f]+ +([0-9a-f]+) +[0-9a-f]+ ([A-Zxop]*) ", said, re.M)
    # The first has no name and nothing in it.
    if not there or len(parts) != int(there[1]) - 1:
        raise Refused(f"{whose} has a part whose name can not be read.")
    for name, size, flags in parts:
        base = name.removeprefix(".rela")
        if base in STARTS:
            raise Refused(f"{whose} has code that runs without being called (a global object with a constructor?).")
        if not SECTION.match(name) or ("W" in flags and "X" in flags):
            raise Refused(f"{whose} has a part named `{name}`: it does something when the program starts, or lies where it should not.")
        if base in SANITIZER_ARRAYS and (not sanitized or (base == name and int(size, 16) != 8)):
            raise Refused(f"{whose} has code that runs without being called (a global object with a constructor?).")
