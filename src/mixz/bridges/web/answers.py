"""What every answer has in common: headers that protect browsers, and errors that tell nothing of the server."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from mixz.errors import MixzError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from fastapi import FastAPI
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer, with which browsers may call the page's own origin "null".
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

LONGEST_PART = 2_000
"""Characters of a part of an error's message: names of columns and paths come from outside, and may be any number."""

_log = logging.getLogger(__name__)


class RefusedError(Exception):
    """A request that is refused whatever its table is.

    Parameters
    ----------
    status
        HTTP status.
    error
        What to tell.
    headers
        Further headers of the answer.
    """

    def __init__(self, status: int, error: MixzError, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(str(error))
        self.status, self.error, self.headers = status, error, headers


def as_json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """JSON in plain ASCII, so that no text of a table, however broken, cannot be sent."""
    return Response(json.dumps(content, allow_nan=False), status, headers, media_type="application/json")


def told(status: int, error: MixzError, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with an error: what was given, what is allowed, what to do."""
    parts = {"given": error.given, "allowed": error.allowed, "do": error.do}
    return as_json({key: _short(part) for key, part in parts.items()}, status, headers)


def _short(part: str) -> str:
    return part if len(part) <= LONGEST_PART else f"{part[:LONGEST_PART]} ..."


class Answered:
    """The outermost layer of an app: every request is answered, and what was kept for it put away afterwards.

    Whatever a request takes is entered into the exit stack ``request.state.leaving``, which ends with the answer's last
    byte, or when the visitor leaves, or when the server gives up.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        with ExitStack() as leaving:
            scope.setdefault("state", {})["leaving"] = leaving
            try:
                await self.app(scope, receive, send_with_headers)
            except (ClientDisconnect, asyncio.CancelledError):
                pass  # the visitor has left, or the server gives the answer up
            except Exception as error:
                _log.error(one_line(scope, error))
                if not started:
                    await told(500, UNFORESEEN)(scope, receive, send_with_headers)


UNFORESEEN = MixzError("an error of the server itself", "", "tell who runs it: its log has one line about this")


def one_line(scope: Scope, error: Exception) -> str:
    """What the log is told of an error: one line of printable letters, whatever a visitor has sent."""
    return ascii(f"{scope['method']} {scope['path'][:200]}: {type(error).__name__}: {str(error)[:500]}")[1:-1]


def tell_errors(app: FastAPI, private: Sequence[Path]) -> None:
    """Let every error be JSON that says what was given, what is allowed and what to do.

    Parameters
    ----------
    app
        The app.
    private
        Places on this machine of which no more than the last name is told.
    """
    spelt = [(way, path.resolve().name) for path in private for way in (path.resolve(), path.absolute(), path)]
    hidden = {str(way): name for way, name in spelt if len(way.parts) > 1}  # a single name, or a dot, tells no place

    def without_places(part: str) -> str:
        for place, name in hidden.items():
            part = part.replace(place, name)
        return part

    @app.exception_handler(MixzError)
    async def of_user(_: Request, error: MixzError) -> Response:
        shown = MixzError(*map(without_places, (error.given, error.allowed, error.do)))
        return told(413 if isinstance(error, TooLargeError) else 422, shown)

    @app.exception_handler(RefusedError)
    async def of_server(_: Request, error: RefusedError) -> Response:
        return told(error.status, error.error, error.headers)

    @app.exception_handler(RequestValidationError)
    async def of_request(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return told(422, MixzError(f"{place}: {first['msg']}", "see /openapi.json", "correct the request"))

    @app.exception_handler(HTTPException)
    async def of_place(request: Request, error: HTTPException) -> Response:
        given = f"{request.method} {request.url.path}"
        allowed = "GET /, GET /api/model, POST /api/photoz, POST /api/preview"
        return told(error.status_code, MixzError(given, allowed, "ask for one of these"), error.headers)
