"""The one error a user can cause, which always says what was given, what is allowed and what to do."""

from __future__ import annotations

from difflib import get_close_matches
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

PACKAGE = "."
"""What pip installs mixz from: ``.``, a clone, for no index has it yet; ``mixz`` once one does.  Change it here, then
run ``python docs/make_install.py``, which writes it into the pages."""
REPOSITORY = "https://HOST/GROUP/mixz.git"
"""Where the repository lies; who publishes it fills HOST and GROUP in."""

LONGEST = 1_500
"""Characters of a part of a message: a file may give a column any name."""
MOST_COMPARED = 1_000
"""Names among which a similar one is looked for: comparing many takes longer than finding the mistake by eye."""


class MixzError(Exception):
    """Something outside the program is wrong: a file, a column, a setting.

    Parameters
    ----------
    given
        What was found, with its place: ``"galaxies.csv has no column 'mag_y'"``.
    allowed
        What would have been right: ``"columns: mag_g, mag_r"``.  May be empty.
    do
        The next thing to try: ``"rename the column or list other bands"``.

    Examples
    --------
    >>> print(MixzError("members: 0", "1 or more", "set members to 10"))
    members: 0
      allowed: 1 or more
      do: set members to 10
    >>> str(MixzError(f"the column {'x' * 10**6} is empty"))[-13:]
    'xxxx is empty'
    >>> len(str(MixzError("x" * 10**6)))
    1505
    """

    def __init__(self, given: str, allowed: str = "", do: str = "") -> None:
        self.given, self.allowed, self.do = map(_shortened, (given, allowed, do))
        lines = [self.given]
        if allowed:
            lines.append(f"  allowed: {self.allowed}")
        if do:
            lines.append(f"  do: {self.do}")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[MixzError], tuple[str, str, str]]:
        """Rebuild from the three parts, so that the error survives the way back from a worker process."""
        return type(self), (self.given, self.allowed, self.do)


def _shortened(text: str) -> str:
    """Text that is not too long: of longer one its beginning, and its end, which may say what is wrong."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 300]} ... {text[-300:]}"


def pip_install(*extras: str) -> str:
    """The command that installs mixz with some extras, as it works today: where mixz was cloned.

    Examples
    --------
    >>> pip_install("train", "onnx") == f"pip install '{PACKAGE}[train,onnx]'"
    True
    """
    return f"pip install '{PACKAGE}[{','.join(extras)}]'" if extras else f"pip install {PACKAGE}"


def not_installed(what: str, *extras: str, allowed: str = "") -> MixzError:
    """The error of an optional package that is not there, with the command that brings it.

    Parameters
    ----------
    what
        What is missing, and what for: ``"torch is not installed"``.
    extras
        The extras of mixz that bring it.
    allowed
        What works without it.

    Examples
    --------
    >>> print(not_installed("Dask is not installed", "dask"))  # doctest: +ELLIPSIS
    Dask is not installed
      do: pip install '...[dask]'...
    """
    command = pip_install(*extras)
    if PACKAGE == ".":
        elsewhere = f"pip install 'mixz[{','.join(extras)}] @ git+{REPOSITORY}'"
        command = f"{command} where mixz was cloned (or {elsewhere})"
    return MixzError(what, allowed, command)


class TooLargeError(MixzError):
    """More bytes, packed or unpacked, than somebody was ready to take."""


def nearest(name: str, names: Iterable[str]) -> str:
    """Which of `names` look like `name`, as an ending for an error's advice.

    Examples
    --------
    >>> nearest("mag_gg", ["mag_g", "z_spec"])
    " (nearest name: 'mag_g')"
    >>> nearest("ra", ["mag_g"])
    ''
    >>> nearest("ra", (f"column {k}" for k in range(10**9)))
    ''
    """
    close = get_close_matches(name, [*islice(names, MOST_COMPARED)], n=3, cutoff=0.6)
    if not close:
        return ""
    word = "name" if len(close) == 1 else "names"
    return f" (nearest {word}: {', '.join(repr(c) for c in close)})"


def shortened(text: str, characters: int) -> str:
    """A text with its middle left out where it is too long for a message.

    Examples
    --------
    >>> shortened("abcdefghij", 8)
    'abc...ij'
    """
    if len(text) <= characters:
        return text
    ending = (characters - 3) // 2
    return f"{text[: characters - 3 - ending]}...{text[len(text) - ending :]}"
