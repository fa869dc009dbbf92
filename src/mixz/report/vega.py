"""The library that draws plots (Vega-Lite): as one script for pages, and as pictures without a browser."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import vl_convert
from platformdirs import user_cache_path

from mixz.atomic import replacing
from mixz.errors import MixzError

if TYPE_CHECKING:
    from collections.abc import Mapping

SNIPPET = "window.vegaEmbed = vegaEmbed;"
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"


@cache
def vega_script() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script (0.9 MB) that needs no network.

    Putting it together takes seconds, so it is kept in the user's cache folder under its version.
    """
    kept = cache_file()
    if kept.is_file():
        return kept.read_text(encoding="utf-8")
    script: str = vl_convert.javascript_bundle(SNIPPET)
    script = script.replace("</script", "<\\/script")
    try:
        with replacing(kept) as draft:
            draft.write_text(script, encoding="utf-8")
    except MixzError:
        pass  # a home that cannot be written to only costs these seconds again
    return script


def cache_file() -> Path:
    """Where the script is kept."""
    versions = f"{vl_convert.get_vega_version()}-{vl_convert.get_vega_embed_version()}"
    return Path(user_cache_path("mixz")) / f"vega-{version('vl-convert-python')}-{versions}.js"


def svg_of(spec: Mapping[str, Any]) -> str:
    """Draw a plot in Vega-Lite as an SVG, one pixel to a point."""
    svg: str = vl_convert.vegalite_to_svg(dict(spec))
    return svg


def written(svg: str, suffix: str, *, dpi: int) -> bytes:
    """An SVG as the content of a file of this suffix: ``.svg``, ``.pdf`` or ``.png``.

    Examples
    --------
    >>> dot = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle cx="4" cy="4" r="2"/></svg>'
    >>> [written(dot, suffix, dpi=72)[:4] for suffix in (".svg", ".pdf", ".png")]
    [b'<svg', b'%PDF', b'\\x89PNG']
    """
    if suffix == ".svg":
        return svg.encode()
    pdf_or_png: bytes = (
        vl_convert.svg_to_pdf(svg) if suffix == ".pdf" else vl_convert.svg_to_png(svg, scale=dpi / 72, ppi=72)
    )
    return pdf_or_png
