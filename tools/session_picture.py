"""Makes docs/session.svg, the picture in the README: a real session on the machine, drawn as the terminal shows it.

    make picture     (or tools/session_picture.py [OUTPUT.svg])

The lines below are typed into a machine; what comes back is drawn. Nothing in the picture is written by hand.
"""
import html
import os
import re
import sys
from pathlib import Path

import pexpect

TOOLS = Path(__file__).resolve().parent
COMMANDS = ["uname -a", "forktest 2", "crash null", "seq 1 50 | grep 5 | wc -l", "sleep 100 &", "ps", "kill %1; wait %1; echo $?"]
PROMPT = "forklore# "
COLUMNS = 120
FONT, LINE, LEFT, TOP = 13, 18, 16, 44
CHARACTER = 7.85        # the width of a character of the font at that size


def session() -> list[str]:
    """The console's lines."""
    line = pexpect.spawn(sys.executable, [str(TOOLS / "run.py"), "SEED=7", *sys.argv[2:]], encoding="utf-8", echo=False, timeout=300,
                         dimensions=(40, COLUMNS))
    seen = ""
    try:
        for command in ["", *COMMANDS]:
            if command:
                line.send(command + "\r")
            # A prompt is the last thing on the screen; the one that the command is typed at is passed already.
            line.expect_exact("\n" + PROMPT)
            seen += line.before + "\n" + PROMPT
        line.send("poweroff\r")
        line.expect(pexpect.EOF)
    except pexpect.ExceptionPexpect:
        raise SystemExit("the machine did not answer; its console:\n" + seen + str(line.before)) from None
    text = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", seen.replace("\r", ""))
    return [one[:COLUMNS] for one in text.split("\n") if not one.startswith("Ctrl-A x")]


def row(number: int, text: str) -> str:
    y = TOP + number * LINE
    if text.startswith(PROMPT):
        body = f'<tspan class="prompt">{PROMPT.strip()}</tspan> <tspan class="typed">{html.escape(text[len(PROMPT):])}</tspan>'
    else:
        body = html.escape(text)
    return f'<text x="{LEFT}" y="{y}" xml:space="preserve">{body}</text>'


def picture(lines: list[str]) -> str:
    width = int(2 * LEFT + CHARACTER * max(map(len, lines)))
    height = TOP + LINE * len(lines) + 8
    cursor_x = LEFT + CHARACTER * len(lines[-1])
    dots = "".join(f'<circle cx="{20 + 18 * i}" cy="16" r="5" fill="{colour}"/>' for i, colour in enumerate(("#e0605a", "#e5b454", "#6abf69")))
    style = (f"text{{font:{FONT}px 'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#d6d9de}}"
             ".prompt{fill:#7fb4f0}.typed{fill:#ffffff;font-weight:bold}")
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
            'aria-label="A session: boot, forktest, a crash, a pipeline, a job">\n'
            f'<style>{style}</style>\n<rect width="100%" height="100%" rx="8" fill="#1d2127"/>\n{dots}\n'
            + "\n".join(row(number, text) for number, text in enumerate(lines) if text)
            + f'\n<rect x="{cursor_x:.0f}" y="{TOP + LINE * (len(lines) - 1) - 11}" width="8" height="14" fill="#d6d9de"/>\n</svg>\n')


def main() -> int:
    output = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/session.svg")
    output.write_text(picture(session()))
    print(f"{output}: made")
    return 0


if __name__ == "__main__":
    os.environ.setdefault("FORKLORE_BUILD", "build")
    sys.exit(main())
