"""What a Zenodo record says of its files when it is asked: addresses, sizes and checksums, so that none is guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests
from pydantic import ValidationError

from mixz.data.fetching.download import Patience
from mixz.data.fetching.registry import RemoteFile
from mixz.errors import MixzError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mixz.data.fetching.registry import DataSet

USUAL = Patience()
GONE = (404, 410)
"""Answers of a server that has no such record, or no longer."""
ADDRESSES = ("content", "download", "self")
"""Links of a file that lead to its content, in the order in which they are preferred."""


class _NoAnswerError(Exception):
    """The record cannot be asked now, or says nothing that can be understood."""


def with_published_checksums(data_set: DataSet, *, patience: Patience = USUAL) -> tuple[DataSet, str]:
    """Fill in the sizes and checksums that a data set's Zenodo record publishes, and the addresses that are not known.

    Returns
    -------
    data_set, words
        The data set; and a warning where the record could not be asked, else ``""``.

    Raises
    ------
    MixzError
        The record does not hold one of the files; or it has moved, and it alone knows their addresses.
    """
    if data_set.record is None:
        return data_set, ""
    try:
        answer = _asked(data_set.record, patience)
        if not all(file.url for file in data_set.files):
            _require_same_record(data_set, answer)
        listed = _listed(answer)
        _require_files(data_set, listed)
        files = tuple(_published(file, listed[file.name]) for file in data_set.files)
    except _NoAnswerError as error:
        return data_set, f"{data_set.record} gives no checksums ({error}): going by what was recorded here"
    return data_set.model_copy(update={"files": files}), ""


def _asked(record: str, patience: Patience) -> requests.Response:
    try:
        return requests.get(record, timeout=patience.timeout_s)
    except requests.RequestException as error:
        raise _NoAnswerError(type(error).__name__) from error


def _content(answer: requests.Response) -> dict[str, Any]:
    if not answer.ok:
        raise _NoAnswerError(f"it answers {answer.status_code} {answer.reason}")
    try:
        content = answer.json()
    except ValueError as error:
        raise _NoAnswerError(type(error).__name__) from error
    if not isinstance(content, dict):
        raise _NoAnswerError("no record in its answer")
    return content


def _require_same_record(data_set: DataSet, answer: requests.Response) -> None:
    """Refuse a record that is gone, or in whose place another one answers: its files may be other data."""
    number = str(data_set.record).rstrip("/").rpartition("/")[2]
    now = "none" if answer.status_code in GONE else str(_content(answer).get("id", number))
    if now != number:
        found = "is no longer there" if now == "none" else f"has moved: record {now} answers in its place"
        raise MixzError(
            f"{data_set.record} {found}",
            f"record {number}, which holds {', '.join(file.name for file in data_set.files)}",
            f"see {data_set.page}; take the files from there by hand, if they are the same data",
        )


def _listed(answer: requests.Response) -> dict[str, Mapping[str, Any]]:
    """What the record says of each of its files, by name."""
    try:
        return {str(entry["key"]): dict(entry) for entry in _content(answer)["files"]}
    except (KeyError, TypeError, ValueError) as error:
        raise _NoAnswerError(type(error).__name__) from error


def _require_files(data_set: DataSet, listed: Mapping[str, Any]) -> None:
    for file in data_set.files:
        if file.name not in listed:
            raise MixzError(
                f"{data_set.page} holds no file {file.name!r}",
                ", ".join(listed) or "no file at all",
                f"take one of these from there by hand{nearest(file.name, listed)}",
            )


def _published(file: RemoteFile, entry: Mapping[str, Any]) -> RemoteFile:
    """A file with what its record says of it; an address that is known stays."""
    try:
        links = dict(entry.get("links", {}))
        url = file.url or next(str(links[name]) for name in ADDRESSES if name in links)
        told = {"url": url, "bytes": int(entry["size"]), "checksum": str(entry["checksum"])}
        return RemoteFile.model_validate(file.model_dump() | told)
    except (StopIteration, KeyError, TypeError, ValueError, ValidationError) as error:
        raise _NoAnswerError(type(error).__name__) from error
