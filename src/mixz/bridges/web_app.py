"""A model over HTTP (FastAPI): a page, and a JSON API that takes a table and gives redshifts; nothing is kept."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, get_args

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from mixz.bridges.model_columns import Asked
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

MEGABYTE = 1_000_000

Format = Literal["csv", "parquet", "fits", "hdf5", "ecsv"]
"""Formats of a download; the ending of an upload's name says its own."""

WebApp = FastAPI
"""What `web_app` makes, as a server takes it."""

TYPES = {"csv": "text/csv", "fits": "application/fits", "hdf5": "application/x-hdf5"}

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


ENDING = Query("csv", alias="format", description="Format of the answer.")
NAME = Query("table.csv", description="Name of the file; its ending says the format.", max_length=200)
MAG_ERR = Query(None, description="Columns of magnitude errors, e.g. {band}_cmodel_magerr.", max_length=200)
SYSTEM = Query(None, description="Photometric system of the table, where the model knows several.", max_length=200)
MAG = Query(None, description="Magnitude columns, e.g. {band}_cmodel_mag.", max_length=200)
ID = Query(None, alias="id", description="Column with the galaxies' names.", max_length=200)
GROUP = Query(None, description="Group inside an HDF5 file.", max_length=200)

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
        for code, words in {"413": "too large", "422": "a mistake in the table or the request"}.items()
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
) -> _Sent:
    return _Sent(request, name, Asked(mag, mag_err, object_id, system), group)


SENT = Depends(_sent)


class Served(Protocol):
    """What the app needs of a model: to tell about itself, to write redshifts for a table, and to show them."""

    @property
    def about(self) -> Mapping[str, Any]:
        """What to know before sending a table."""

    def write(self, table: Path, output: Path, asked: Asked, group: str | None) -> None:
        """Write the redshifts of a table; the ending of `output` says the format."""

    def show(self, table: Path, asked: Asked, group: str | None) -> Mapping[str, Any]:
        """The redshifts of a table's first galaxies with their densities, and a summary, for JSON."""


def web_app(served: Served, *, page: str, scripts: Mapping[str, str], hosts: Sequence[str], max_mb: float) -> FastAPI:
    """Make the app.

    Parameters
    ----------
    served
        The model.
    page, scripts
        The page at ``/``, and the scripts it asks for by name.
    hosts
        Names by which a browser may ask for it; others are refused, so that no page of another site can reach it.
    max_mb
        Largest table to accept, in megabytes.
    """
    app = FastAPI(
        title="mixz",
        summary="Photometric redshifts from a table of magnitudes.",
        docs_url=None,  # the documentation's page would come from another site
        redoc_url=None,
        responses={"4XX": {"description": "a mistake", "content": {"application/json": {"schema": ERROR}}}},
    )
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*hosts])
    app.middleware("http")(_add_headers)
    app.include_router(_pages(page, scripts))
    app.include_router(_api(served, max_mb))
    _tell_errors(app)
    return app


async def _add_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await call_next(request)
    response.headers.update(HEADERS)
    return response


def _pages(page: str, scripts: Mapping[str, str]) -> APIRouter:
    """Answer browsers."""
    router = APIRouter(include_in_schema=False)

    @router.get("/", response_class=HTMLResponse)
    def home() -> str:
        return page

    @router.get("/scripts/{name}")
    def script(name: str) -> Response:
        if name not in scripts:
            raise HTTPException(404)
        return Response(scripts[name], media_type="text/javascript")

    return router


def _api(served: Served, max_mb: float) -> APIRouter:
    """Answer programs."""
    router, uploads = APIRouter(prefix="/api"), _Uploads(max_mb)

    @router.get("/model")
    def model() -> dict[str, Any]:
        """Tell which bands the model needs, and what it takes and gives."""
        return {**served.about, "max_mb": max_mb, "formats": list(get_args(Format))}

    @router.post("/photoz", response_class=Response, openapi_extra=TABLE_BODY)
    async def photoz(sent: _Sent = SENT, ending: Format = ENDING) -> Response:
        """The redshifts of a table as a table."""

        def write(table: Path) -> bytes:
            output = table.with_name(f"photoz.{ending}")
            served.write(table, output, sent.asked, sent.group)
            return output.read_bytes()

        content = await uploads.use(sent, write)
        told = {"Content-Disposition": f'attachment; filename="photoz.{ending}"'}
        return Response(content, media_type=TYPES.get(ending, "application/octet-stream"), headers=told)

    @router.post("/preview", openapi_extra=TABLE_BODY)
    async def preview(sent: _Sent = SENT) -> JSONResponse:
        """The redshifts of a table's first galaxies with their densities, and how many there are of all."""
        return JSONResponse(await uploads.use(sent, lambda table: served.show(table, sent.asked, sent.group)))

    return router


class _Uploads:
    """Tables that come in: each on disk for as long as it is used, one used at a time."""

    def __init__(self, max_mb: float) -> None:
        self.max_mb, self.one_at_a_time = max_mb, threading.Lock()

    async def use(self, sent: _Sent, work: Callable[[Path], Any]) -> Any:
        """Work on a table, beside which there is room for what comes of it."""
        ending = _ending(sent.name)
        folder = tempfile.TemporaryDirectory(prefix="mixz-")
        try:
            table = Path(folder.name, f"upload{ending}")
            await _receive(sent.request, table, self.max_mb)
            return await run_in_threadpool(self._alone, work, table)
        except MixzError as error:
            parts = (error.given, error.allowed, error.do)
            told = (part.replace(f"{folder.name}/", "").replace(table.name, sent.name) for part in parts)
            raise MixzError(*told) from error
        finally:
            folder.cleanup()

    def _alone(self, work: Callable[[Path], Any], table: Path) -> Any:
        with self.one_at_a_time:
            return work(table)


def _ending(name: str) -> str:
    """The ending of a file's name, plain letters only: it becomes part of a path here."""
    endings = "".join(PurePath(name).suffixes[-2:]).lower() if name.lower().endswith(".gz") else PurePath(name).suffix
    return "".join(c for c in endings.lower() if c.isascii() and (c.isalnum() or c == "."))[:16]


async def _receive(request: Request, path: Path, max_mb: float) -> None:
    """Write the body of a request to a file, and stop as soon as it is too long."""
    too_large = MixzError(
        f"a table larger than {max_mb:g} MB", f"at most {max_mb:g} MB", "send it in parts, or Parquet"
    )
    told = request.headers.get("content-length", "0")
    if told.isdigit() and int(told) > max_mb * MEGABYTE:
        raise TooLargeError(too_large)
    received = 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            received += len(chunk)
            if received > max_mb * MEGABYTE:
                raise TooLargeError(too_large)
            file.write(chunk)


class TooLargeError(Exception):
    """An upload that is longer than allowed, and what to tell of it."""

    def __init__(self, error: MixzError) -> None:
        super().__init__(str(error))
        self.error = error


def _tell_errors(app: FastAPI) -> None:
    """Let every error be JSON that says what was given, what is allowed and what to do."""

    def answer(status: int, given: str, allowed: str, do: str) -> JSONResponse:
        return JSONResponse({"given": given, "allowed": allowed, "do": do}, status)

    @app.exception_handler(MixzError)
    def of_user(_: Request, error: MixzError) -> JSONResponse:
        return answer(422, error.given, error.allowed, error.do)

    @app.exception_handler(TooLargeError)
    def of_size(_: Request, error: TooLargeError) -> JSONResponse:
        return answer(413, error.error.given, error.error.allowed, error.error.do)

    @app.exception_handler(RequestValidationError)
    def of_request(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return answer(422, f"{place}: {first['msg']}", "see /openapi.json", "correct the request")

    @app.exception_handler(HTTPException)
    def of_place(request: Request, error: HTTPException) -> JSONResponse:
        given = f"{request.method} {request.url.path}"
        allowed = "GET /, GET /api/model, POST /api/photoz, POST /api/preview"
        return answer(error.status_code, given, allowed, "ask for one of these")
