"""What the parts of a config must agree on: bands and tables, truths and their labels, steps and networks.

Each raises ValueError, which pydantic tells with its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.errors import nearest
from mixz.surveys import SURVEYS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from mixz.settings.network import Network
    from mixz.settings.recipe import Step
    from mixz.settings.tables import Table
    from mixz.settings.truths import TruthSettings
    from mixz.surveys.columns import Cut


def shared_bands(bands: Sequence[str], tables: Sequence[Table]) -> tuple[str, ...]:
    """The bands that every table has."""
    return tuple(band for band in bands if all(table.has([band]) for table in tables))


def check_bands(bands: Sequence[str], ref_band: str, tables: Sequence[Table]) -> None:
    """Refuse tables with bands that are not the config's, or that share none, and bands of no table."""
    told = ", ".join(bands)
    for table in tables:
        named = {"bands": table.bands or (), "columns: zero_points": table.columns.zero_points}
        for key, its in named.items():
            for band in (band for band in its if band not in bands):
                hint = nearest(band, bands)
                raise ValueError(f"table {table.title!r}: {key}: {band!r} is none of the bands {told}{hint}")
        if len(set(table.bands or ())) < len(table.bands or ()):
            raise ValueError(f"table {table.title!r}: bands {list(table.bands or ())}: name each band once")
        for band in table.columns.zero_points:
            if not table.has([band]):
                raise ValueError(f"table {table.title!r}: columns: zero_points: it has no band {band!r}")
    for band in bands:
        if not any(table.has([band]) for table in tables):
            raise ValueError(f"no table has band {band!r}: leave it out of bands, or name it under a table's bands")
    having = "; ".join(f"{table.title} has {', '.join(table.has(bands))}" for table in tables)
    shared = shared_bands(bands, tables)
    if not shared:
        raise ValueError(f"no band is in every table ({having}): networks need one that all galaxies have")
    if ref_band not in shared:
        raise ValueError(f"ref_band {ref_band!r} is not in every table ({having}); shared are {', '.join(shared)}")


def check_own_bands(name: str, network: Network, bands: Sequence[str], ref_band: str) -> None:
    """Refuse own bands that are none of the bands, or the reference band."""
    for band in network.own:
        if band not in bands:
            raise ValueError(f"own_bands of {name!r}: {band!r} is none of {', '.join(bands)}")
        if band == ref_band:
            raise ValueError(f"own_bands of {name!r}: {band!r} is the ref_band, which every galaxy has")


def check_pairs(pairs: Mapping[str, Table], settings: Mapping[str, TruthSettings], offered: Collection[str]) -> None:
    """Refuse tables to learn kernels from that do not have both labels, or whose kernel no table's labels have."""
    for truth, table in pairs.items():
        if truth not in offered:
            raise ValueError(f"truths.{truth}: learn_from: no table has labels of {truth!r}")
        names = table.all_truths()
        exact = [t for t in names if t in settings and settings[t].kernel == "exact" and not settings[t].simulated]
        if truth not in names or not exact:
            raise ValueError(
                f"truths.{truth}: learn_from has {', '.join(names) or 'no truths'}; it needs labels of {truth!r} "
                "and of a truth whose kernel is exact, e.g. spec"
            )
        if table.parts:
            raise ValueError(f"truths.{truth}: learn_from takes one file by `path`, not parts")


def check_errors_are_used(tables: Sequence[Table], cuts: Sequence[Cut], settings: Mapping[str, TruthSettings]) -> None:
    """Refuse errors of labels that nothing looks at, but for those that a survey's constants bring along."""
    for table in tables:
        spoken_of = {name for cut in (*table.cuts, *cuts) for name in cut.words()}
        for source in (table, *table.match):
            of_survey = SURVEYS[source.survey].truth_errors if source.survey else {}
            spoken_of |= {name for cut in source.cuts for name in cut.words()}
            for truth, errors in source.truth_errors.items():
                used = {f"z_err_low_{truth}", f"z_err_high_{truth}"} & spoken_of
                if settings[truth].kernel != "reported" and not used and of_survey.get(truth) != errors:
                    raise ValueError(
                        f"truth_errors of {truth!r} do nothing without truths: {{{truth}: {{kernel: reported}}}}, "
                        f"or a cut on z_err_low_{truth} or z_err_high_{truth}"
                    )


def check_colour_terms(network: Network, bands: Sequence[str], tables: Sequence[Table]) -> None:
    """Refuse colour terms of bands or systems that are not there, or of every system."""
    terms, systems = network.colour_terms, sorted({table.system for table in tables})
    for term in terms:
        for band in (term.band, *term.colour):
            if band not in shared_bands(bands, tables) or band in network.own:
                shared = [one for one in shared_bands(bands, tables) if one not in network.own]
                raise ValueError(
                    f"colour_terms.{term.system}: band {band!r} is none of those that every table has, "
                    f"{', '.join(shared)}"
                )
        if term.system not in systems:
            raise ValueError(f"colour_terms: system {term.system!r} is none of the tables': {', '.join(systems)}")
    if terms and len({term.system for term in terms}) != len(systems) - 1:
        raise ValueError(f"colour_terms: give them for all systems but one, the common one; systems: {systems}")


def check_step(name: str, number: int, step: Step, network: Network) -> None:
    """Refuse a step that cannot train this network."""
    if step.loss == "imitate":
        raise ValueError(f"recipe {name!r} step {number}: loss: imitate is for distillation (`mixz distill`)")
    if step.loss == "label_likelihood" and not network.has_density:
        raise ValueError(
            f"recipe {name!r} step {number} has loss: label_likelihood, but its networks end in a {network.head_name}; "
            f"set networks: {{{name}: {{head: binned}}}}"
        )
    layers = len(network.hidden)
    if step.freeze > layers:
        raise ValueError(
            f"recipe {name!r} step {number} freezes {step.freeze} layers; the network has {layers} hidden layers"
        )
