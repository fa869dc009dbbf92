"""The library that draws the interactive plots (Vega-Lite), as one script that needs no network."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from pathlib import Path

import vl_convert
from platformdirs import user_cache_path

from mixz.atomic import replacing
from mixz.errors import MixzError

SNIPPET = "window.vegaEmbed = vegaEmbed;"


@cache
def vega_script() -> str:
    """Give Vega, Vega-Lite and Vega-Embed as one script (0.9 MB).

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
    """Say where the script is kept."""
    versions = f"{vl_convert.get_vega_version()}-{vl_convert.get_vega_embed_version()}"
    return Path(user_cache_path("mixz")) / f"vega-{version('vl-convert-python')}-{versions}.js"
