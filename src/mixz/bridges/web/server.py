"""The server under the app: connections that idle or stall are closed, and it stops within seconds."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING, Any, cast

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import socket

    from fastapi import FastAPI
    from uvicorn.server import ServerState

    from mixz.bridges.web.limits import Limits
    from mixz.bridges.web.uploads import Uploads

MOST_HEADER_BYTES = 32_768


def run_app(app: FastAPI, listening: socket.socket) -> None:
    """Serve an app of `web_app` until the user stops it."""
    app_server(app).run([listening])


def app_server(app: FastAPI) -> uvicorn.Server:
    """Make the server of an app of `web_app`."""
    uploads: Uploads = app.state.uploads
    limits = uploads.limits
    config = uvicorn.Config(
        app,
        http=_HurriedProtocol,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=limits.connections,
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        timeout_graceful_shutdown=math.ceil(limits.stop_s) + 1,  # for downloads; uploads end before
    )
    return _Server(config, uploads)


class _Server(uvicorn.Server):
    """A server that ends its uploads before it waits for its visitors."""

    def __init__(self, config: uvicorn.Config, uploads: Uploads) -> None:
        super().__init__(config)
        self.uploads = uploads

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop: ask work to end, give it up after a while, and let every request put away what it kept."""
        self.uploads.stop()
        giving_up = asyncio.get_running_loop().call_later(self.uploads.limits.stop_s, self.uploads.stop)
        await super().shutdown(sockets)
        giving_up.cancel()
        for task in (tasks := {*self.server_state.tasks}):
            task.cancel()
        if tasks:  # a signal that is raised again now would end the program before they have cleaned up
            await asyncio.wait(tasks, timeout=1)


class _HurriedProtocol(H11Protocol):
    """A connection that is closed when its headers take too long, or when nobody takes what it sends.

    uvicorn itself closes only those that idle after an answer.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.limits: Limits = cast("FastAPI", config.app).state.uploads.limits
        self._headers_due: asyncio.TimerHandle | None = None
        self._taking_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        for timer in (self._headers_due, self._taking_due):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._expect_headers()

    def _expect_headers(self) -> None:
        """Start the clock where no request is under way: what comes is headers, or the rest of a refused body."""
        if self.cycle is not None and not self.cycle.response_complete:
            if self._headers_due is not None:
                self._headers_due.cancel()
                self._headers_due = None
        elif self._headers_due is None:
            self._headers_due = self.loop.call_later(self.limits.headers_s, self.transport.abort)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._taking_due = self.loop.call_later(self.limits.silence_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._taking_due is not None:
            self._taking_due.cancel()
            self._taking_due = None
