"""C++ text as the compiler takes it apart: what is comment, text, number, name, sign. What might be read in two ways is refused.

Each character is looked at once, whatever the text is.
"""
import re
from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple


class Unclear(Exception):
    """What is wrong with the text, for the student."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line, self.what = line, what


class Token(NamedTuple):
    kind: str       # name, number, literal, sign, header, end (of a line)
    text: str
    line: int


# In this order. A literal's pattern never goes back over what it has read; a number's separator stands between two of its characters.
PATTERN = re.compile(r"""
    (?P<space>[ \t]+|//[^\n]*)
  | (?P<end>\n)
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<number>\.?[0-9](?:[eEpP][+-]|'[A-Za-z0-9_]|[A-Za-z0-9_.])*)
  | (?P<literal>"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"|'[^'\\\n]*(?:\\[^\n][^'\\\n]*)*')
  | (?P<digraph>(?!<<|::)(?:<:(?!:[^:>])|<%|:>|%>|%:))
  | (?P<sign>::|<<|[][!\#%&()*+,./:;<=>?^{|}~-])
""", re.X | re.A)
HEADER = re.compile(r'<[\w./+-]+>|"[\w./+-]+"', re.A)
RAW = ("R", "LR", "uR", "UR", "u8R")


def joined(text: str) -> tuple[str, list[int]]:
    """Lines that a backslash continues as one, as the compiler joins them (it takes blanks behind the backslash too), and where each
    line of the file begins in that."""
    parts: list[str] = []
    starts, length = [0], 0
    *whole, last = text.replace("\r\n", "\n").split("\n")
    for line in whole:
        bare = line.rstrip(" \t")
        parts.append(bare[:-1] if bare.endswith("\\") else line + "\n")
        length += len(parts[-1])
        starts.append(length)
    return "".join([*parts, last]), starts


def tokens(source: str, numbers: list[int] | None = None) -> Iterator[Token]:
    """`numbers`: of each line, if the text is not a whole file."""
    text, starts = joined(source)
    at, line_start, including = 0, True, 0

    def line() -> int:
        index = bisect_right(starts, at) - 1
        return numbers[min(index, len(numbers) - 1)] if numbers else index + 1

    while at < len(text):
        if text.startswith("/*", at):
            close = text.find("*/", at + 2)
            if close < 0:
                raise Unclear(line(), "a comment that does not end.")
            at = close + 2
            continue
        # The name of a header is no text and no comment, whatever it is made of.
        header = including == 2 and text[at] in "<\""
        found = (HEADER if header else PATTERN).match(text, at)
        if not found:
            raise Unclear(line(), "this is no name of a header." if header else wrong_character(text[at]))
        kind, said = "header" if header else str(found.lastgroup), found[0]
        if kind != "space":
            where, following = line(), text[found.end():found.end() + 1]
            if kind == "name" and said in RAW and following == '"':
                raise Unclear(where, 'raw texts (R"...") are not taken: the grader could not tell text from code.')
            if kind == "number" and following == "'":
                raise Unclear(where, "a ' behind a number.")
            if kind == "digraph":
                raise Unclear(where, f"`{said}`: write the sign that it stands for.")
            including = 1 if line_start and said == "#" else 2 if including == 1 and said == "include" else 0
            line_start = kind == "end"
            yield Token(kind, said, where)
        at = found.end()


def wrong_character(character: str) -> str:
    if character in "\"'":
        return f"a {character} without its other half on the line."
    if character == "\\":
        return "a backslash outside of a text."
    return f"`{character}`: no sign of C++ (outside of comments and texts there is only ASCII)."
