"""`mixz fetch`: public data sets -> a folder of checked files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mixz.data.fetching.registry import choose, load_registry
from mixz.errors import MixzError
from mixz.progress import busy, progress_bar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from mixz.data.fetching.fetch import Fetched
    from mixz.data.fetching.registry import DataSet


def fetch(
    names: Sequence[str],
    folder: Path,
    console: Console,
    *,
    timeout_s: float = 60.0,
    registry: Mapping[str, DataSet] | None = None,
) -> list[Fetched]:
    """Download the named data sets; of one that takes an account, write the query to run there.

    Parameters
    ----------
    names
        Names in the registry, or ``name/file`` for one file of several.
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
    known = dict(registry) if registry is not None else load_registry()
    if not names:
        raise MixzError("no data set named", ", ".join(known), "name one or more; `mixz fetch --list` describes them")
    chosen = [choose(known, name) for name in names]
    fetched = []
    for data_set in chosen:
        fetched += _fetch_one(data_set, folder, console, timeout_s)
    return fetched


def _fetch_one(data_set: DataSet, folder: Path, console: Console, timeout_s: float) -> list[Fetched]:
    from mixz.data.fetching.download import Patience
    from mixz.data.fetching.fetch import fetch_file, with_published_checksums, write_query

    console.print(f"{data_set.title}: {data_set.page}", highlight=False, soft_wrap=True)
    if data_set.query_path is not None:
        console.print(data_set.note, highlight=False)
        return [write_query(data_set.query_path, folder)]
    patience = Patience(timeout_s=timeout_s)
    with busy("asking for the published checksums", console):
        data_set, warning = with_published_checksums(data_set, patience=patience)
    if warning:
        console.print(warning, style="yellow", highlight=False)
    fetched = []
    for file in data_set.files:
        with progress_bar(file.name, console) as bar:
            fetched.append(fetch_file(file, folder, bar, patience=patience))
    return fetched
