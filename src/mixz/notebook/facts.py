"""What is worth knowing of a value at a glance: a line at a prompt, a small table in a notebook."""

from __future__ import annotations

from html import escape
from typing import NamedTuple


class Facts(NamedTuple):
    """A value in a few words.

    Parameters
    ----------
    what
        What it is: ``"GalaxySet of 300 galaxies"``.
    rows
        What is to be known of it, by name; empty words are left out.

    Examples
    --------
    >>> facts = Facts("GalaxySet of 2 galaxies", {"bands": "g, r", "split": ""})
    >>> facts.line()
    '<GalaxySet of 2 galaxies; bands: g, r>'
    >>> facts.html()
    '<table><caption>GalaxySet of 2 galaxies</caption><tr><th>bands</th><td>g, r</td></tr></table>'
    """

    what: str
    rows: dict[str, str]

    def line(self) -> str:
        """What a prompt shows."""
        return f"<{'; '.join([self.what, *(f'{name}: {words}' for name, words in self._told())])}>"

    def html(self) -> str:
        """What a notebook shows."""
        rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(words)}</td></tr>" for name, words in self._told())
        return f"<table><caption>{escape(self.what)}</caption>{rows}</table>"

    def _told(self) -> list[tuple[str, str]]:
        return [(name, words) for name, words in self.rows.items() if words]


def counted(number: int, word: str) -> str:
    """A number of things.

    Examples
    --------
    >>> counted(1, "member"), counted(12_000, "member")
    ('1 member', '12,000 members')
    """
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def between(low: float, high: float) -> str:
    """A range in words.

    Examples
    --------
    >>> between(0.0123, 2.5)
    '0.012 to 2.5'
    """
    return f"{low:.2g} to {high:.2g}"
