"""The public data sets that `mixz fetch` knows: what each is for, where its files lie, how it wants to be cited."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, TypeAdapter, model_validator

from mixz.errors import MixzError, nearest
from mixz.strict import Strict

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
        Its address, http or https.
    bytes
        Its exact size, where published.
    about_bytes
        Its rough size, for planning.
    checksum
        As published, with its kind before it: ``"md5:9e10..."`` or ``"sha256:..."``.
    """

    name: FileName
    url: Annotated[str, Field(pattern=r"^https?://")]
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
        Address of a Zenodo record as JSON, which tells the published size and checksum of every file.
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
        return self

    @property
    def query_path(self) -> Path | None:
        """Where the query lies in this package."""
        return REGISTRY_PATH.with_name(self.query) if self.query else None


def load_registry() -> dict[str, DataSet]:
    """Read the registry that comes with mixz.

    Examples
    --------
    >>> list(load_registry())[:2]
    ['cosmos2020_classic', 'cosmos2020_farmer']
    """
    tree = yaml.safe_load(REGISTRY_PATH.read_text(encoding="utf-8"))
    return TypeAdapter(dict[str, DataSet]).validate_python(tree)


def choose(registry: dict[str, DataSet], wanted: str) -> DataSet:
    """Find a data set by name, or one of its files by ``name/file``.

    Raises
    ------
    MixzError
        The registry has no such data set, or the data set no such file.

    Examples
    --------
    >>> registry = load_registry()
    >>> len(choose(registry, "galaxiesml_64").files)
    3
    >>> [file.name for file in choose(registry, "galaxiesml_64/5x64x64_testing_with_morphology.hdf5").files]
    ['5x64x64_testing_with_morphology.hdf5']
    """
    name, _, file_name = wanted.partition("/")
    if name not in registry:
        known = ", ".join(registry)
        raise MixzError(f"no data set is called {name!r}", known, f"see `mixz fetch --list`{nearest(name, registry)}")
    data_set = registry[name]
    if not file_name:
        return data_set
    files = {file.name: file for file in data_set.files}
    if file_name not in files:
        held = ", ".join(files) or "none to download"
        raise MixzError(f"{name} has no file {file_name!r}", held, f"name one of these{nearest(file_name, files)}")
    return data_set.model_copy(update={"files": (files[file_name],)})
