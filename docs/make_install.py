"""Write how mixz is installed today into the pages: `python docs/make_install.py`, after `mixz.errors.PACKAGE` changed.

With `--check` nothing is written: it says which pages say something else, and fails if one does.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from mixz.errors import PACKAGE, pip_install

PAGES = [*sorted(Path(__file__).parent.glob("**/*.md")), Path(__file__).parents[1] / "README.md"]
QUOTED = re.compile(r"""(?P<before>pip install )?(?P<quote>['"])(?:mixz|\.)\[(?P<extras>[a-z,]+)\](?P=quote)""")
PLAIN = re.compile(r"pip install (?:mixz|\.)(?=`|$)", re.MULTILINE)


def as_today(text: str) -> str:
    """A page with the commands that install mixz as they work today.

    Examples
    --------
    >>> as_today('pip install "mixz[train]"') == pip_install("train")
    True
    """

    def command(found: re.Match[str]) -> str:
        whole = pip_install(*found["extras"].split(","))
        return whole if found["before"] else whole.removeprefix("pip install ")

    return PLAIN.sub(pip_install(), QUOTED.sub(command, text))


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` name those that are not as they should be."""
    stale = [page for page in PAGES if as_today(page.read_text()) != page.read_text()]
    if "--check" in arguments:
        print(*(f"{page}: says another package than {PACKAGE!r}" for page in stale), sep="\n")
        return bool(stale)
    for page in stale:
        page.write_text(as_today(page.read_text()))
        print(page)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
