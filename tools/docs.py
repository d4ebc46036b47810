"""Makes one site of the documents and handouts, with mkdocs: build/site. `make docs` calls it.

    tools/docs.py [folder for the site]

The files stay where they are and are read where they are on the web, too; a page that names another in its text (`docs/tour.md`) gets a
link to it here. mkdocs is strict: a link that leads nowhere ends the build.
"""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[1]
BUILD = Path(os.environ.get("FORKLORE_BUILD") or "build")
PICTURES = (".svg", ".png")
# In reading order; what is not named here comes last.
STUDENTS = ("README.md", "docs/tour.md", "docs/students.md", "docs/debugging.md")
REFERENCE = ("docs/architecture.md", "docs/locking.md", "docs/memory-map.md", "docs/xnu-map.md", "docs/testing.md", "docs/boards.md",
             "docs/hardware-review.md", "docs/dependencies.md")
INSTRUCTORS = ("docs/instructors.md", "docs/grading.md", "labs/README.md")
NAMED = re.compile(r"(?<![\[`])`((?:docs|labs)/[\w/-]+\.md|README\.md)`(?![`\]])")


def pages() -> list[str]:
    found = [TREE / "README.md", *(TREE / "docs").glob("*.md"), *(TREE / "labs").glob("README.md"), *(TREE / "labs").glob("lab*/README.md")]
    return sorted(str(path.relative_to(TREE)) for path in found if path.is_file())


def title(page: str) -> str:
    return next(line.removeprefix("# ") for line in (TREE / page).read_text().splitlines() if line.startswith("# "))


def navigation(there: list[str]) -> list[tuple[str, list[str]]]:
    labs = [page for page in there if re.fullmatch(r"labs/lab\d+/README\.md", page)]
    groups = [("Start", list(STUDENTS)), ("Labs", labs), ("Reference", list(REFERENCE)), ("For instructors", list(INSTRUCTORS))]
    named = {page for _, group in groups for page in group}
    groups.append(("More", [page for page in there if page not in named]))
    return [(name, [page for page in group if page in there]) for name, group in groups]


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def configuration(source: Path, site: Path, there: list[str]) -> str:
    lines = ["site_name: Forklore", f"docs_dir: {quoted(str(source))}", f"site_dir: {quoted(str(site))}", "use_directory_urls: false",
             # Everything comes from the site itself: it is readable without a network.
             "theme:", "  name: readthedocs", "  highlightjs: false", "  locale: en", "plugins: [search]", "nav:"]
    for name, group in navigation(there):
        if group:
            lines += [f"  - {quoted(name)}:", *(f"    - {quoted(title(page))}: {page}" for page in group)]
    return "\n".join(lines) + "\n"


def linked(page: str, text: str, there: list[str]) -> str:
    """With a link for each page that is named."""
    def link(found: re.Match[str]) -> str:
        if found[1] not in there or found[1] == page:
            return found[0]
        return f"[`{found[1]}`]({os.path.relpath(found[1], Path(page).parent)})"
    parts = re.split(r"(^```.*?^```)", text, flags=re.M | re.S)
    return "".join(part if number % 2 else NAMED.sub(link, part) for number, part in enumerate(parts))


def lay_out(source: Path, there: list[str]) -> None:
    shutil.rmtree(source, ignore_errors=True)
    for page in there:
        target = source / page
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(linked(page, (TREE / page).read_text(), there))
        for picture in (TREE / page).parent.iterdir():
            if picture.suffix in PICTURES:
                shutil.copyfile(picture, target.parent / picture.name)


def mend_scripts(site: Path) -> None:
    """Debian's theme asks for a jquery of another version than the one it brings along, without which the menu of a phone stays shut,
    and for a script that it does not have."""
    scripts = re.compile(r'<script src="((?:\.{1,2}/)*)(js/[\w.-]+)"[^>]*></script>')
    there = next((site / "js").glob("jquery-*.min.js"), None)
    wanted = re.search(r"js/jquery-[\d.]+\.min\.js", (site / "index.html").read_text())
    if there and wanted and not (site / wanted[0]).exists():
        there.rename(site / wanted[0])
    for page in site.rglob("*.html"):
        page.write_text(scripts.sub(lambda found: found[0] if (site / found[2]).exists() else "", page.read_text()))


def main() -> int:
    build = BUILD if BUILD.is_absolute() else TREE / BUILD
    site = Path(sys.argv[1]).absolute() if len(sys.argv) > 1 else build / "site"
    work = site.with_name(f"{site.name}-source")
    there = pages()
    lay_out(work / "pages", there)
    (work / "mkdocs.yml").write_text(configuration(work / "pages", site, there))
    try:
        done = subprocess.run(["mkdocs", "build", "--strict", "--clean", "--config-file", str(work / "mkdocs.yml")], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True)
    except OSError as error:
        print(f"mkdocs: {error.strerror}; install mkdocs (`make setup` does)", file=sys.stderr)
        return 1
    if done.returncode:
        print("\n".join(line for line in done.stderr.splitlines() if not line.startswith("INFO")), file=sys.stderr)
        return 1
    mend_scripts(site)
    print(f"{site}/index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
