"""The documentation is built without a warning, its links lead somewhere, and it is all here."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

DOCS = Path(__file__).resolve().parents[1] / "docs"
# What makes a browser fetch something, with the attribute that holds the address.
FETCHES = {
    "script": "src", "img": "src", "iframe": "src", "source": "srcset", "video": "src",
    "audio": "src", "embed": "src", "object": "data", "link": "href", "form": "action",
}  # fmt: skip


class Page(HTMLParser):
    """The addresses of a built page.

    Attributes:
        ids: What a link can lead to in it.
        links: What it links to.
        fetched: What a browser fetches to show it.
        text: Its words.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.text = path.read_text("utf-8")
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.ids |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif values.get("rel") not in ("canonical", "license") and FETCHES.get(tag) in values:
            self.fetched.append(values[FETCHES[tag]])


def build(folder: Path, *options: str) -> dict[Path, Page]:
    """Builds it as ``make docs`` does and gives its pages."""
    command = ["-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", "-d", folder / "doctrees"]
    done = subprocess.run(
        [sys.executable, *command, *options, DOCS, folder / "html"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[-4000:]
    return {path: Page(path) for path in sorted((folder / "html").rglob("*.html"))}


def check(pages: dict[Path, Page]) -> None:
    sources = {path.stem for path in DOCS.glob("*.md")}
    assert sources <= {path.stem for path in pages}
    dead, remote = [], []
    for path, page in pages.items():
        assert page.fetched
        for address in page.fetched:
            parts = urlsplit(address)
            if parts.netloc or (parts.scheme and parts.scheme != "data"):
                remote.append(f"{path.name}: {address}")
            elif not parts.scheme and not (path.parent / unquote(parts.path)).exists():
                dead.append(f"{path.name}: {address}")
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = pages[target].ids if target in pages else set()
            if not target.is_file() or (parts.fragment and unquote(parts.fragment) not in known):
                dead.append(f"{path.name}: {link}")
    styles = next(iter(pages)).parent.glob("_static/**/*.css")
    for style in styles:
        text = style.read_text("utf-8")
        remote += re.findall(r"url\(\s*[\"']?(?:https?:)?//[^)]*|@import[^;]*//[^;]*", text)
    assert dead == []
    assert remote == []


@pytest.mark.docs
def test_its_links_lead_somewhere_and_no_other_host_is_asked(tmp_path: Path) -> None:
    pages = build(tmp_path, "-D", "nb_execution_mode=off")
    check(pages)
    texts = {path.stem: page.text for path, page in pages.items()}
    assert "alchemer_nb.Client.responses" in texts["python"]
    assert "usage: %alchemer responses SURVEY" in texts["commands"]
    assert "alchemer_nb.errors.DownloadIncomplete" in texts["errors"]


@pytest.mark.docs
@pytest.mark.long
def test_it_shows_what_the_cells_of_the_notebooks_give(tmp_path: Path) -> None:
    pages = build(tmp_path)
    check(pages)
    notebooks = {path: page for path, page in pages.items() if path.parent.name == "notebooks"}
    texts = {path.stem: page.text for path, page in notebooks.items()}
    shown = {
        "quickstart": "net promoter score",
        "sign_in": "Neither satisfied nor dissatisfied",
        "frames": "Very dissatisfied",
        "large_surveys": "net_promoter_score",
        "tables_and_charts": "Promoters (9–10)",
        "report": "2026 (B)",
    }
    for name, words in shown.items():
        last_table = texts[name].rpartition("<table")[2]
        assert words in last_table, name
        assert "Traceback" not in texts[name]
        assert "widget-view" not in texts[name]
