"""Links that lead out of docs/ lead somewhere on the site too: to the page that holds the file, or to a copy of it.

`[LOG](../LOG.md)` works where the repository is read as it is.  On the site it leads to the file's own page if it has
one (`PAGES`), else to a page made here that shows the file, so that the site needs no repository beside it.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from posixpath import dirname, normpath, relpath
from typing import TYPE_CHECKING, Any

from sphinx.highlighting import PygmentsBridge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sphinx.application import Sphinx

ROOT = Path(__file__).parents[1]
PAGES = {
    "CHANGELOG.md": "reference/changelog",
    "CONTRIBUTING.md": "reference/contributing",
    "LOG.md": "reference/log",
    "README.md": "index",
    "VISION.md": "reference/vision",
}
"""Files of the repository that are pages of the site; README's part is the site's own first page."""
KEPT = "repository"
"""Where copies of files are on the site."""
SHOWN = (".md", ".png", ".svg")
"""Endings of the files of docs/ that Sphinx takes by itself."""
LINK = re.compile(r"\]\((?P<target>[^)#:\s]+)(?P<anchor>#[^)\s]*)?\)")
LANGUAGES = {".py": "python", ".md": "markdown", ".yaml": "yaml", ".toml": "toml", ".sql": "sql", ".js": "javascript"}


def inside_the_site(app: Sphinx, docname: str, source: list[str]) -> None:
    """Turn a page's links out of docs/ into links to pages of the site."""
    folder = dirname(docname)
    included = {page: path for path, page in PAGES.items() if page != "index"}
    stands = f"docs/{folder}"
    if docname in included:
        stands = ""
        source[0] = (ROOT / included[docname]).read_text()
        app.env.note_dependency(str(ROOT / included[docname]), docname=docname)

    def link(found: re.Match[str]) -> str:
        path = normpath(f"{stands}/{found['target']}".lstrip("/"))
        if path.startswith("docs/") and path.endswith(SHOWN):
            return f"]({relpath(path.removeprefix('docs/'), folder or '.')}{found['anchor'] or ''})"
        if not (ROOT / path).exists():
            return found[0]
        if path in PAGES:
            return f"]({relpath(PAGES[path], folder or '.')}.md{found['anchor'] or ''})"
        app.env.repository_files.setdefault(docname, set()).add(path)  # type: ignore[attr-defined]
        return f"](repository:{relpath(f'{KEPT}/{path}.html', folder or '.')})"

    source[0] = LINK.sub(link, source[0])


def copies(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """A page for every file that pages link to."""
    bridge = PygmentsBridge("html", "a11y-high-contrast-light")
    for path in sorted(set().union(*app.env.repository_files.values())):  # type: ignore[attr-defined]
        file = ROOT / path
        if file.is_dir():
            text, language = "\n".join(sorted(p.name for p in file.iterdir() if not p.name.startswith("__"))), "text"
        else:
            text, language = file.read_text(errors="replace"), LANGUAGES.get(file.suffix, "text")
        body = f"<h1><code>{escape(path)}</code></h1>{bridge.highlight_block(text, language)}"
        yield f"{KEPT}/{path}", {"title": path, "body": body}, "page.html"


def begin(app: Sphinx) -> None:
    """Remember which page links to which file, over builds that read only what has changed."""
    if not hasattr(app.env, "repository_files"):
        app.env.repository_files = {}  # type: ignore[attr-defined]


def forget(app: Sphinx, env: Any, docname: str) -> None:  # noqa: ARG001 (Sphinx gives them)
    """Forget what a page that is read again has linked to."""
    env.repository_files.pop(docname, None)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx."""
    app.connect("builder-inited", begin)
    app.connect("env-purge-doc", forget)
    app.connect("source-read", inside_the_site)
    app.connect("html-collect-pages", copies)
    app.config.myst_url_schemes = {"http": None, "https": None, "mailto": None, "repository": "{{path}}"}
    return {"parallel_read_safe": False}
