"""Names of columns as words, and as patterns with a band in them: ``g_cModelFlux`` is ``{band}_cModelFlux`` of g."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mixz.data.looking.vocabulary import ERRORS, INVERSE_VARIANCES
from mixz.data.looking.wavelengths import wavelength_nm

if TYPE_CHECKING:
    from collections.abc import Iterable

WORDS = r"[A-Z]+(?=[A-Z][a-z])|[A-Z][A-Z0-9]+(?![a-z])|[A-Z]?[a-z0-9]+|[A-Z0-9]+"
WORD = re.compile(WORDS)
WORD_OR_BAND = re.compile(rf"\{{band\}}|{WORDS}")
GLUED = re.compile(r"(?P<band>.+?)(?=(?:mag|Mag|MAG|flux|Flux|FLUX)$)")
"""A band with ``mag`` or ``flux`` right behind it, as VizieR's tables have it."""


def words(name: str) -> list[str]:
    """The words of a column's name.

    Examples
    --------
    >>> words("g_gaap1p0FluxErr"), words("HSC_i_MAG_AUTO"), words("lp_zPDF_l68"), words("F444W")
    (['g', 'gaap1p0', 'Flux', 'Err'], ['HSC', 'i', 'MAG', 'AUTO'], ['lp', 'z', 'PDF', 'l68'], ['F444W'])
    """
    return WORD.findall(name)


def lower_words(name: str) -> list[str]:
    """The words of a column's name in small letters."""
    return [word.lower() for word in words(name)]


def with_band(name: str) -> list[tuple[str, str]]:
    """Every way to read a name as a pattern and a band.

    Examples
    --------
    >>> with_band("mag_g_lsst"), with_band("e_rmag"), with_band("object_id"), with_band("zspec")
    ([('mag_{band}_lsst', 'g')], [('e_{band}mag', 'r')], [], [])
    """
    found = []
    for match in WORD.finditer(name):
        word, start = match.group(), match.start()
        glued = GLUED.match(word)
        band = word if wavelength_nm(word) else glued.group("band") if glued else ""
        if wavelength_nm(band):
            found.append((f"{name[:start]}{{band}}{name[start + len(band) :]}", band))
    return [] if "{" in name or "}" in name else found


def groups(names: Iterable[str]) -> dict[str, dict[str, str]]:
    """Columns that differ in the name of a band only: per pattern the column of each band, two bands at least.

    Examples
    --------
    >>> groups(["id", "mag_g", "mag_r", "mag_err_g", "mag_err_r", "z_spec"])
    {'mag_{band}': {'g': 'mag_g', 'r': 'mag_r'}, 'mag_err_{band}': {'g': 'mag_err_g', 'r': 'mag_err_r'}}
    """
    found: dict[str, dict[str, str]] = {}
    for name in names:
        for pattern, band in with_band(name):
            found.setdefault(pattern, {})[band] = name
    return {pattern: columns for pattern, columns in found.items() if len(columns) > 1}


def is_error(pattern: str) -> bool:
    """Whether a name is one of errors, by its words.

    Examples
    --------
    >>> [is_error(p) for p in ("mag_err_{band}", "{band}_cmodel_magsigma", "e_{band}mag", "{band}_cmodel_mag")]
    [True, True, True, False]
    """
    return any(word in ERRORS or word.endswith(("err", "sigma")) for word in _words_beside_band(pattern))


def is_inverse_variance(pattern: str) -> bool:
    """Whether a name is one of inverse variances, which are no errors yet."""
    return not INVERSE_VARIANCES.isdisjoint(_words_beside_band(pattern))


def of_what(pattern: str, *, plain: bool = False) -> str:
    """What a pattern of errors speaks of, and a pattern of values is: equal where they belong together.

    Parameters
    ----------
    pattern
        A pattern with a band.
    plain
        Whether to leave the words for magnitude and flux out too: ``err_{band}`` beside ``mag_{band}``.

    Examples
    --------
    >>> of_what("HSC_{band}_MAGERR_AUTO") == of_what("HSC_{band}_MAG_AUTO"), of_what("{band}_cModelFluxErr")
    (True, '{}cmodelflux')
    """
    kept = []
    for word in WORD_OR_BAND.findall(pattern):
        low = "{}" if word == "{band}" else word.lower()
        if low in ERRORS - {"magerr", "magerror", "magsigma", "fluxerr", "fluxerror"}:
            continue
        low = re.sub(r"(err|error|sigma)$", "", low)
        if not (plain and low in ("mag", "mags", "flux", "f", "m")):
            kept.append(low)
    return "".join(kept)


def _words_beside_band(pattern: str) -> list[str]:
    return lower_words(pattern.replace("{band}", "_"))


def words_of_pattern(pattern: str) -> list[str]:
    """The words of a pattern but for the band, in small letters."""
    return _words_beside_band(pattern)
