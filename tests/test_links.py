"""Every relative link of every page of the repository leads to a file, and every anchor to a heading.

Links to other sites are not looked at: tests have no network.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UNREAD = {".venv", ".git", "out", "build", "dist", ".venv-oldest", ".venv-oldest-bridges", "node_modules"}
PAGES = sorted(page for page in ROOT.rglob("*.md") if not UNREAD & set(page.relative_to(ROOT).parts))
LINK = re.compile(r"\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
ADDRESS = re.compile(r"^[a-z][a-z+.-]*:")


def without_code(text: str) -> str:
    """A page without its blocks and spans of code, in which nothing is a link."""
    text = re.sub(r"^(`{3,}|~{3,}).*?^\1`*$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(`+)(?:(?!\1).)+\1", lambda found: "" if "](" in found[0] else found[0], text)


def anchors(text: str) -> set[str]:
    """The names by which headings of a page are linked to, as GitHub and MyST make them.

    >>> sorted(anchors("# The paper's effect\\n## `mixz serve` and 2\\n## `mixz serve` and 2\\n"))
    ['mixz-serve-and-2', 'mixz-serve-and-2-1', 'the-papers-effect']
    """
    found: dict[str, int] = {}
    names = set()
    for heading in re.findall(r"^#{1,6} +(.+?) *#*$", without_code(text), flags=re.MULTILINE):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        names.add(f"{slug}-{found[slug]}" if found.get(slug) else slug)
        found[slug] = found.get(slug, 0) + 1
    return names


def broken(page: Path) -> list[str]:
    """The links of a page that lead nowhere."""
    lost = []
    for link in LINK.findall(without_code(page.read_text())):
        if ADDRESS.match(link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target.read_text())):
            lost.append(link)
    return lost


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_pages_were_found() -> None:
    names = {page.relative_to(ROOT).as_posix() for page in PAGES}
    assert {"README.md", "CONTRIBUTING.md", "docs/index.md", "docs/config.md", "docs/tutorials/rail.md"} <= names


def test_what_leads_nowhere_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# A heading: `code`\n[a](#a-heading-code) [b](#b) [c](page.md#a-heading-code) [d](gone.md)\n"
        "[e](https://example.org/gone) `[f](gone.md)`\n```\n# none\n[g](gone.md)\n```\n[h](#none) [i](page.md#b)\n"
    )
    assert broken(page) == ["#b", "gone.md", "#none", "page.md#b"]
