"""The page of `mixz serve`: drop a table in, look at its redshifts, take them home."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from mixz.report.charts.colours import GREY, recipe_colour
from mixz.report.page import TEMPLATES, environment, script_json
from mixz.report.screen import SIMULATED
from mixz.report.vega import vega_script

if TYPE_CHECKING:
    from collections.abc import Mapping


def serve_page(about: Mapping[str, Any], *, max_mb: float) -> str:
    """Write the page of a model.

    Parameters
    ----------
    about
        Its name, run, bands, columns, members, and whether it has seen simulated galaxies only.
    max_mb
        Largest table it accepts, in megabytes.
    """
    template = environment().get_template("serve.html.jinja")
    return template.render(
        about=about,
        max_mb=f"{max_mb:g}",
        simulated=SIMULATED if about["simulated"] else "",
        css=Markup((TEMPLATES / "page.css").read_text()),
        data=script_json({"max_mb": max_mb, "colour": recipe_colour([about["name"]], about["name"]), "grey": GREY}),
    )


def serve_scripts() -> dict[str, str]:
    """The scripts that the page asks for, by name."""
    return {"vega.js": vega_script(), "serve.js": (TEMPLATES / "serve.js").read_text()}
