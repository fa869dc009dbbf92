"""Who may ask: the server's own page and programs, but no page of another site in the name of who looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from mixz.bridges.web.answers import told
from mixz.errors import MixzError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

PORTS = {"http": 80, "https": 443}

OWN = ("same-origin", "none")
"""What browsers call (``Sec-Fetch-Site``) a request of the page itself, and an address that its reader typed."""


class PageOrigin(NamedTuple):
    """Where a page comes from, as browsers tell pages apart."""

    scheme: str
    host: str
    port: int


class OwnPagesOnly:
    """Refuse what a browser asks for a page of another site, another port included.

    Browsers tell so in ``Origin`` and ``Sec-Fetch-Site``, which no page can forge; programs send neither, and pass.
    A link from elsewhere to the page itself is followed: it hands nothing over, and nothing comes of it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it unread."""
        if scope["type"] == "http" and (foreign := foreign_page(scope)):
            allowed = "requests of this server's own page, and of programs"
            error = MixzError(f"a request of {foreign}", allowed, "open the page's own address in the browser")
            await told(403, error)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def foreign_page(scope: Scope) -> str:
    """Whose page a request comes from, in words; empty for the server's own, and for programs.

    Examples
    --------
    >>> asked = {"type": "http", "method": "POST", "path": "/api/photoz", "scheme": "http"}
    >>> foreign_page(asked | {"headers": [(b"host", b"localhost:8321"), (b"origin", b"http://localhost:8321")]})
    ''
    >>> foreign_page(asked | {"headers": [(b"host", b"localhost:8321"), (b"origin", b"http://evil.example")]})
    "a page of 'http://evil.example'"
    """
    headers = Headers(scope=scope)
    own = origin_of(f"{scope['scheme']}://{headers.get('host', '')}")
    for origin in headers.getlist("origin"):
        if own is None or origin_of(origin) != own:
            return f"a page of {origin!r}"
    sites = [site.strip().lower() for site in headers.getlist("sec-fetch-site")]
    if all(site in OWN for site in sites) or _is_link_to_page(scope, headers):
        return ""
    return "a page of another site or port"


def _is_link_to_page(scope: Scope, headers: Headers) -> bool:
    """Whether a browser asks for the page because its reader followed a link, to show it as a page of its own."""
    to_page = scope["method"] in ("GET", "HEAD") and scope["path"] == "/"
    return to_page and (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")


def origin_of(text: str) -> PageOrigin | None:
    """Read an origin; None for what is none, such as ``null``.

    Examples
    --------
    >>> origin_of("HTTP://LocalHost")
    PageOrigin(scheme='http', host='localhost', port=80)
    >>> origin_of("null"), origin_of("http://a/b"), origin_of("http://a:x")
    (None, None, None)
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    plain = not (parts.path or parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in PORTS or not parts.hostname or not plain:
        return None
    return PageOrigin(parts.scheme, parts.hostname, PORTS[parts.scheme] if port is None else port)
