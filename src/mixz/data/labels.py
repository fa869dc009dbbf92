"""A table of magnitudes the labels of catalogues that are matched to it on the sky."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mixz.data.catalogue import Catalogue, apply_cuts, our_names, positions_of, read_catalogue
from mixz.data.match import false_matches, mutual_nearest
from mixz.data.sky import Box, footprint, guess_units
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from mixz.data.catalogue import TellRows
    from mixz.data.cuts import Ledger
    from mixz.settings.tables import Match, Table


def read_labels(match: Match, ledger: Ledger, *, end: float, tell: TellRows | None = None) -> Catalogue:
    """Read a catalogue of labels, none of them beyond `end`, and make its cuts.

    Raises
    ------
    MixzError
        It cannot be read, or a cut leaves nothing.
    """
    catalogue = read_catalogue(match, cuts=match.cuts, end=end, tell=tell)
    frame, title = catalogue.frame, match.title
    ledger.take_over(title, catalogue.accounts)
    frame = frame[ledger.apply(title, "has_a_position", frame[["ra_deg", "dec_deg"]].notna().all(axis=1).to_numpy())]
    if match.truths:
        labels = frame[[f"z_{truth}" for truth in match.truths]]
        frame = frame[ledger.apply(title, "has_a_label", labels.notna().any(axis=1).to_numpy())]
    frame = apply_cuts(frame, match.cuts, ledger, title=title, where=catalogue.where)
    return Catalogue(match, frame[our_names(match)], catalogue.rows, catalogue.sample)


def box_around(labels: Catalogue, *, margin_arcsec: float) -> Box:
    """The box outside of which nothing can be matched to these labels."""
    return Box.around(*positions_of(labels.frame), margin_arcsec=margin_arcsec)


def matched_names(table: Table) -> list[str]:
    """List the names of the numbers that a table gets from the catalogues matched to it.

    Examples
    --------
    >>> from mixz.settings.tables import Table
    >>> table = {"path": "hsc.fits", "survey": "hsc_pdr2"}
    >>> matched_names(Table(**table, match=[{"survey": "cosmos2020_farmer", "path": "x"}]))
    ['z_many_band', 'z_err_low_many_band', 'z_err_high_many_band', 'match_arcsec']
    """
    names = [n for m in table.match for n in our_names(m) if n not in ("ra_deg", "dec_deg")]
    return [*names, *separation_names(table)]


def separation_names(table: Table) -> list[str]:
    """Name the columns of separations: `match_arcsec`, with the catalogue's name where there are several."""
    return ["match_arcsec"] if len(table.match) == 1 else [f"match_arcsec_{m.title}" for m in table.match]


def with_labels(
    frame: pd.DataFrame, photometry: Catalogue, labels: Sequence[Catalogue], table: Table, ledger: Ledger
) -> pd.DataFrame:
    """Match each catalogue of labels in turn; rows without a counterpart go.

    Parameters
    ----------
    frame
        The rows of `photometry` that are left.
    photometry, labels
        What was read of the table and of the catalogues matched to it.
    table, ledger
        What the config says, and where each match is entered.

    Raises
    ------
    MixzError
        The catalogues have no object in common.
    """
    for match, catalogue, separation in zip(table.match, labels, separation_names(table), strict=True):
        here, there = positions_of(frame), positions_of(catalogue.frame)
        pairs = mutual_nearest(here, there, radius_arcsec=match.radius_arcsec)
        if not len(pairs):
            raise _disjoint(photometry, catalogue, match)
        chance = false_matches(here, there, pairs=len(pairs), radius_arcsec=match.radius_arcsec)
        ledger.enter(
            table.title,
            f"match_{match.title}",
            len(frame),
            len(pairs),
            labels=match.title,
            labels_in=len(catalogue.frame),
            radius_arcsec=match.radius_arcsec,
            median_arcsec=round(float(np.median(pairs.separation_arcsec)), 4),
            false_matches=round(chance, 1),
        )
        found = catalogue.frame.iloc[pairs.second].drop(columns=["ra_deg", "dec_deg"]).reset_index(drop=True)
        frame = frame.iloc[pairs.first].reset_index(drop=True)
        frame = frame.assign(**{str(name): found[name] for name in found}, **{separation: pairs.separation_arcsec})
    return frame


def require_neighbours(frame: pd.DataFrame, photometry: Catalogue, labels: Catalogue, match: Match) -> None:
    """Refuse a table none of whose rows is near the labels it shall get.

    Raises
    ------
    MixzError
        There is none; the message gives both footprints, and the unit that the coordinates may be in.
    """
    if frame.empty:
        raise _disjoint(photometry, labels, match)


def _disjoint(photometry: Catalogue, labels: Catalogue, match: Match) -> MixzError:
    there = positions_of(labels.frame)
    unit = guess_units(*photometry.sample, Box.around(*there, margin_arcsec=match.radius_arcsec))
    return MixzError(
        f"{photometry.where} and {labels.where} have no object in common within {match.radius_arcsec:g} arcsec:"
        f"\n  {photometry.source.title} covers {footprint(*photometry.sample)}"
        f"\n  {match.title} covers {footprint(*there)}",
        "two catalogues of the same sky, positions in degrees",
        f"convert {photometry.source.title} to degrees: it looks like {unit}" if unit else "name tables of one field",
    )
