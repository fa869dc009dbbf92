"""The public data sets that `mixz fetch` knows: what each is for, where its files lie, how it wants to be cited."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import yaml
from pydantic import Field, model_validator

from mixz.errors import MixzError, nearest
from mixz.strict import Strict

if TYPE_CHECKING:
    from collections.abc import Mapping

REGISTRY_PATH = Path(__file__).with_name("registry.yaml")

FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Bytes = Annotated[int, Field(gt=0)]


class RemoteFile(Strict):
    """One file to download.

    Parameters
    ----------
    name
        What it is called on disk.
    url
        Its address, http or https; none where the data set's record is asked for it.
    bytes
        Its exact size, where published.
    about_bytes
        Its rough size, for planning.
    checksum
        As published, with its kind before it: ``"md5:9e10..."`` or ``"sha256:..."``.
    """

    name: FileName
    url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    bytes: Bytes | None = None
    about_bytes: Bytes | None = None
    checksum: Annotated[str, Field(pattern=r"^(md5|sha1|sha256|sha512):[0-9a-f]+$")] | None = None


class DataSet(Strict):
    """One entry of the registry: files to download, or a query to run where an account is needed.

    Parameters
    ----------
    title, purpose
        What it is, and what mixz uses it for.
    page, doi
        Where to read about it.
    files
        What to download; none where it takes an account.
    record
        Address of a Zenodo record as JSON, which tells the address, published size and checksum of every file.
    query
        Name of the SQL file to run at the survey's database.
    licence, citation
        Terms of use, and the BibTeX entry to cite.
    note
        What to know before using it, and what could not be verified.
    """

    title: str
    purpose: str
    page: str
    doi: str | None = None
    files: tuple[RemoteFile, ...] = ()
    record: Annotated[str, Field(pattern=r"^https?://")] | None = None
    query: FileName | None = None
    licence: str
    citation: str
    note: str

    @model_validator(mode="after")
    def _files_or_query(self) -> DataSet:
        if bool(self.files) == bool(self.query):
            raise ValueError("a data set has either files to download or a query to run")
        if self.record is None and not all(file.url for file in self.files):
            raise ValueError("a file without url needs a record that tells its address")
        return self

    @property
    def query_path(self) -> Path | None:
        """Where the query lies in this package."""
        return REGISTRY_PATH.with_name(self.query) if self.query else None


class FetchGroup(Strict):
    """Data sets that are fetched together, by one name.

    Parameters
    ----------
    purpose
        What they are for.
    data_sets
        Names of those that are needed for it.
    also
        Names of further ones, whose lack is told but no error.
    """

    purpose: str
    data_sets: tuple[str, ...]
    also: tuple[str, ...] = ()


class Registry(Strict):
    """The data sets that can be fetched, and the groups of them that have a name.

    Parameters
    ----------
    data_sets, groups
        Each by its name.
    """

    data_sets: dict[str, DataSet]
    groups: dict[str, FetchGroup] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _groups_are_of_known_data_sets(self) -> Registry:
        for title, group in self.groups.items():
            for name in (*group.data_sets, *group.also):
                if name not in self.data_sets:
                    raise ValueError(f"group {title!r} names {name!r}, which is no data set")
            if title in self.data_sets:
                raise ValueError(f"{title!r} is both a group and a data set")
        return self


def load_registry(path: Path = REGISTRY_PATH) -> Registry:
    """Read a registry: the one that comes with mixz, or another, of a mirror say.

    Raises
    ------
    MixzError
        There is no such file, or it is no registry.

    Examples
    --------
    >>> list(load_registry().data_sets)[:2]
    ['cosmos2020_classic', 'cosmos2020_farmer']
    """
    try:
        return Registry.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        why = str(error).splitlines()
        raise MixzError(
            f"{path} is no registry: {' '.join(line.strip() for line in why[:3])}",
            "YAML with data_sets and groups, as src/mixz/data/fetching/registry.yaml has them",
            "correct it",
        ) from error


def chosen(registry: Registry, wanted: str) -> list[tuple[DataSet, bool]]:
    """The data sets that a name stands for, a group's all, and whether each is needed.

    Raises
    ------
    MixzError
        As `choose`.

    Examples
    --------
    >>> [(data_set.title.split(",")[0], needed) for data_set, needed in chosen(load_registry(), "paper")][:2]
    [('TransferZ', True), ('GalaxiesML', True)]
    """
    if wanted not in registry.groups:
        return [(choose(registry.data_sets, wanted, groups=tuple(registry.groups)), True)]
    group = registry.groups[wanted]
    needed = [(registry.data_sets[name], True) for name in group.data_sets]
    return needed + [(registry.data_sets[name], False) for name in group.also]


def choose(registry: Mapping[str, DataSet], wanted: str, *, groups: tuple[str, ...] = ()) -> DataSet:
    """Find a data set by name, or one of its files by ``name/file``.

    Parameters
    ----------
    registry
        The data sets.
    wanted
        The name.
    groups
        Names of groups, which are offered where the name is unknown.

    Raises
    ------
    MixzError
        The registry has no such data set, or the data set no such file.

    Examples
    --------
    >>> registry = load_registry().data_sets
    >>> len(choose(registry, "galaxiesml_64").files)
    3
    >>> [file.name for file in choose(registry, "galaxiesml_64/5x64x64_testing_with_morphology.hdf5").files]
    ['5x64x64_testing_with_morphology.hdf5']
    """
    name, _, file_name = wanted.partition("/")
    if name not in registry:
        known = [*groups, *registry]
        raise MixzError(
            f"no data set is called {name!r}", ", ".join(known), f"see `mixz fetch --list`{nearest(name, known)}"
        )
    data_set = registry[name]
    if not file_name:
        return data_set
    files = {file.name: file for file in data_set.files}
    if file_name not in files:
        held = ", ".join(files) or "none to download"
        raise MixzError(f"{name} has no file {file_name!r}", held, f"name one of these{nearest(file_name, files)}")
    return data_set.model_copy(update={"files": (files[file_name],)})
