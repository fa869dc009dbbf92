"""`mixz fetch`: public data sets -> a folder of checked files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.data.fetching.registry import chosen, load_registry
from mixz.errors import MixzError
from mixz.progress import busy, progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from rich.console import Console

    from mixz.data.fetching.fetch import Fetched
    from mixz.data.fetching.registry import DataSet, Registry


def fetch(
    names: Sequence[str],
    folder: Path,
    console: Console,
    *,
    timeout_s: float = 60.0,
    registry: Registry | None = None,
) -> list[Fetched]:
    """Download the named data sets; of one that takes an account, write the query to run there.

    What to cite is printed at the end.

    Parameters
    ----------
    names
        Names of data sets or groups in the registry, or ``name/file`` for one file of several.
    folder
        Where the files go.
    console
        Where progress and notes are printed.
    timeout_s
        Seconds of silence after which a connection counts as broken and is tried again.
    registry
        Other data sets than those that come with mixz.

    Raises
    ------
    MixzError
        A name is unknown, or a file cannot be downloaded or is not what was published.
    """
    known = registry or load_registry()
    if not names:
        offered = ", ".join([*known.groups, *known.data_sets])
        raise MixzError("no data set named", offered, "name one or more; `mixz fetch --list` describes them")
    wanted = [one for name in names for one in chosen(known, name)]
    fetched = []
    for data_set, needed in wanted:
        try:
            fetched += _fetch_one(data_set, folder, console, timeout_s)
        except MixzError as error:
            if needed:
                raise
            console.print(f"{data_set.title}: not fetched, and not needed\n{error}", style="yellow", highlight=False)
    _tell_citations((data_set for data_set, _ in wanted), console)
    return fetched


def _fetch_one(data_set: DataSet, folder: Path, console: Console, timeout_s: float) -> list[Fetched]:
    from mixz.data.fetching.download import Patience
    from mixz.data.fetching.fetch import fetch_file, write_query
    from mixz.data.fetching.zenodo import with_published_checksums

    console.print(f"{data_set.title}: {data_set.page}", highlight=False, soft_wrap=True)
    if data_set.query_path is not None:
        console.print(data_set.note, highlight=False)
        return [write_query(data_set.query_path, folder)]
    patience = Patience(timeout_s=timeout_s)
    record = not all(file.url for file in data_set.files)
    with busy("asking for the published checksums", console):
        data_set, warning = with_published_checksums(data_set, patience=patience)
    if warning:
        console.print(warning, style="yellow", highlight=False)
    fetched = []
    for file in data_set.files:
        with progress_bar(file.name, console) as bar:
            fetched.append(fetch_file(file, folder, bar, patience=patience, record=record, why=warning))
    return fetched


def _tell_citations(data_sets: Iterable[DataSet], console: Console) -> None:
    """Print what to cite, each once."""
    for citation in dict.fromkeys(data_set.citation for data_set in data_sets):
        console.print(f"cite:\n{citation.rstrip()}", highlight=False, markup=False, soft_wrap=True)
