"""A model over HTTP (FastAPI): a page, and a JSON API that takes a table and gives redshifts; nothing is kept."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, get_args

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from mixz.bridges.model_columns import Asked
from mixz.bridges.web.answers import Answered, as_json, tell_errors
from mixz.bridges.web.uploads import Uploads, called
from mixz.bridges.web.visitors import OwnPagesOnly

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from mixz.bridges.web.limits import Limits
    from mixz.progress import Bar

Format = Literal["csv", "parquet", "fits", "hdf5", "ecsv"]
"""Formats of a download; the ending of an upload's name says its own."""

WebApp = FastAPI
"""What `web_app` makes, as a server takes it."""

NOTES = "Mixz-Notes"
"""The header of an answer that is a table: what a person should look at in the table that was sent, a JSON list."""
MOST_NOTES, LONGEST_NOTE = 12, 400

TYPES = {"csv": "text/csv", "fits": "application/fits", "hdf5": "application/x-hdf5"}

ENDING = Query("csv", alias="format", description="Format of the answer.")
NAME = Query("table.csv", description="Name of the file; its ending says the format.", max_length=200)
MAG_ERR = Query(None, description="Columns of magnitude errors, e.g. {band}_cmodel_magerr.", max_length=200)
SYSTEM = Query(None, description="Photometric system of the table, where the model knows several.", max_length=200)
MAG = Query(None, description="Magnitude columns, e.g. {band}_cmodel_mag.", max_length=200)
ID = Query(None, alias="id", description="Column with the galaxies' names.", max_length=200)
GROUP = Query(None, description="Which table in the file: HDF5 group, FITS extension.", max_length=200)
FLUX = Query(None, description="Flux columns in place of magnitudes, e.g. {band}_cModelFlux.", max_length=200)
FLUX_ERR = Query(None, description="Columns of the fluxes' errors.", max_length=200)
ZERO_POINT = Query(None, description="AB magnitude of a flux of 1, where no unit says it.", allow_inf_nan=False)
EBV = Query(None, description="Column of E(B-V), where training took dust off by it.", max_length=200)
DEREDDENED = Query(False, description="The magnitudes are free of dust already.")

ERROR = {
    "type": "object",
    "properties": {key: {"type": "string"} for key in ("given", "allowed", "do")},
    "required": ["given", "allowed", "do"],
}
TABLE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The table's bytes, as they are in the file.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    },
    "responses": {
        code: {"description": words, "content": {"application/json": {"schema": ERROR}}}
        for code, words in {
            "408": "too slow",
            "413": "too large, as it is sent or unpacked",
            "422": "a mistake in the table or the request",
            "503": "too many tables at a time, or the server is being stopped",
        }.items()
    },
}


class _Sent(NamedTuple):
    """What a request sends: a table of some name, and how it names its columns."""

    request: Request
    name: str
    asked: Asked
    group: str | None


async def _sent(
    request: Request,
    name: str = NAME,
    mag: str | None = MAG,
    mag_err: str | None = MAG_ERR,
    object_id: str | None = ID,
    system: str | None = SYSTEM,
    group: str | None = GROUP,
    flux: str | None = FLUX,
    flux_err: str | None = FLUX_ERR,
    flux_zero_point: float | None = ZERO_POINT,
    ebv: str | None = EBV,
    dereddened: bool = DEREDDENED,
) -> _Sent:
    asked = Asked(mag, mag_err, object_id, system, flux, flux_err, flux_zero_point, ebv, dereddened)
    return _Sent(request, name, asked, group)


SENT = Depends(_sent)


class Served(Protocol):
    """What the app needs of a model: to tell about itself, to write redshifts for a table, and to show them."""

    @property
    def about(self) -> Mapping[str, Any]:
        """What to know before sending a table."""

    def write(self, table: Path, output: Path, asked: Asked, group: str | None, bar: Bar) -> Sequence[str]:
        """Write the redshifts of a table, and give notes on it; the ending of `output` says the format.

        What `bar` raises ends it.
        """

    def show(self, table: Path, asked: Asked, group: str | None, bar: Bar) -> Mapping[str, Any]:
        """A table's first galaxies with redshifts and densities, a summary and notes, for JSON; `bar` as above."""


def web_app(
    served: Served,
    *,
    page: str,
    scripts: Mapping[str, str],
    hosts: Sequence[str],
    limits: Limits,
    private: Sequence[Path] = (),
) -> FastAPI:
    """Make the app; `mixz.bridges.web.server` runs it.

    Parameters
    ----------
    served
        The model.
    page, scripts
        The page at ``/``, and the scripts it asks for by name.
    hosts
        Names by which a browser may ask for it; others are refused, so that no page of another site can reach it.
    limits
        How much is taken of visitors.
    private
        Places on this machine that no message may tell.
    """
    app = FastAPI(
        title="mixz",
        summary="Photometric redshifts from a table of magnitudes.",
        docs_url=None,  # the documentation's page would come from another site
        redoc_url=None,
        responses={"4XX": {"description": "a mistake", "content": {"application/json": {"schema": ERROR}}}},
    )
    app.state.uploads = uploads = Uploads(limits)
    # The last one added sees a request first.
    app.add_middleware(OwnPagesOnly)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*hosts])
    app.add_middleware(Answered)
    app.include_router(_pages(page, scripts))
    app.include_router(_api(served, uploads))
    tell_errors(app, private)
    return app


# All of what follows is `async`, so that it is answered at once: other functions would wait for a thread.


def _pages(page: str, scripts: Mapping[str, str]) -> APIRouter:
    """Answer browsers."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/", methods=["GET", "HEAD"], response_class=HTMLResponse)
    async def home() -> str:
        return page

    @router.api_route("/scripts/{name}", methods=["GET", "HEAD"])
    async def script(name: str) -> Response:
        if name not in scripts:
            raise HTTPException(404)
        return Response(scripts[name], media_type="text/javascript")

    return router


def _short(notes: Sequence[str], table: Path, name: str) -> list[str]:
    """Notes on a visitor's table, by its own name; not more and not longer than a header can hold."""
    return [called(note, table, name)[:LONGEST_NOTE] for note in notes[:MOST_NOTES]]


def _api(served: Served, uploads: Uploads) -> APIRouter:
    """Answer programs."""
    router = APIRouter(prefix="/api")

    @router.get("/model")
    async def model() -> dict[str, Any]:
        """Tell which bands the model needs, and what it takes and gives."""
        return {**served.about, "max_mb": uploads.limits.max_mb, "formats": list(get_args(Format))}

    @router.post("/photoz", response_class=Response, openapi_extra=TABLE_BODY)
    async def photoz(sent: _Sent = SENT, ending: Format = ENDING) -> Response:
        """The redshifts of a table as a table; the header `Mixz-Notes` says what to look at in what was sent."""

        def write(table: Path, bar: Bar) -> tuple[Path, dict[str, str]]:
            output = table.with_name(f"photoz.{ending}")
            notes = served.write(table, output, sent.asked, sent.group, bar)
            return output, {NOTES: json.dumps(_short(notes, table, sent.name))} if notes else {}

        output, headers = await uploads.use(sent.request, sent.name, write)
        kind = TYPES.get(ending, "application/octet-stream")
        return FileResponse(output, filename=output.name, media_type=kind, headers=headers)

    @router.post("/preview", response_class=Response, openapi_extra=TABLE_BODY)
    async def preview(sent: _Sent = SENT) -> Response:
        """The redshifts of a table's first galaxies with their densities, and how many there are of all."""

        def show(table: Path, bar: Bar) -> Response:
            shown = served.show(table, sent.asked, sent.group, bar)
            return as_json({**shown, "notes": _short(shown["notes"], table, sent.name)})

        return await uploads.use(sent.request, sent.name, show)

    return router
