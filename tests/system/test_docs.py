"""The site that `make docs` makes: whole, without a link that leads nowhere, and without anything from elsewhere."""
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from support import ROOT, Case

LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src"}


class Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []      # element, address
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name == "id" and value:
                self.names.add(value)
            if value and (tag, name) in (("a", "href"), *LOADING.items()):
                self.links.append((tag, value))


class Site(Case):
    def make(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, "tools/docs.py", str(self.folder / "site")], cwd=ROOT, capture_output=True, text=True)

    def test_every_link_leads_somewhere(self) -> None:
        done = self.make()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        site = self.folder / "site"
        pages = {path.resolve(): Links(path.read_text()) for path in site.rglob("*.html") if path.name != "404.html"}
        for source in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "labs").glob("lab*/README.md")):
            name = source.relative_to(ROOT)
            page = name.with_name("index.html") if name.name == "README.md" else name.with_suffix(".html")
            self.assertIn((site / page).resolve(), pages)
        looked_at, dead = 0, []
        for path, page in pages.items():
            for tag, address in page.links:
                parts = urlsplit(address)
                if parts.scheme or parts.netloc:
                    self.assertTrue(tag == "a" or parts.scheme == "data", f"{path}: loads {address}")
                    continue
                target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
                if target.is_dir():
                    target /= "index.html"
                if not target.is_file() or (parts.fragment and target in pages and parts.fragment not in pages[target].names):
                    dead.append(f"{path.relative_to(site)}: {address}")
                looked_at += 1
        self.assertEqual(dead, [])
        self.assertGreater(looked_at, 100)
        for picture in (*(ROOT / "docs").glob("*.svg"), *(ROOT / "labs").glob("lab*/*.svg")):
            self.assertTrue((site / picture.relative_to(ROOT)).is_file(), picture)
        # A page named in the text is a link.
        self.assertIn(("a", "../../docs/students.html"), pages[(site / "labs/lab0/index.html").resolve()].links)

    def test_a_dead_link_ends_the_build(self) -> None:
        tree = self.folder / "tree"
        for name in ("tools/docs.py", "README.md"):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_text((ROOT / name).read_text() if name.startswith("tools") else "# Forklore\n\n[nowhere](docs/nowhere.md)\n")
        done = subprocess.run([sys.executable, str(tree / "tools/docs.py")], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nowhere.md", done.stderr)
