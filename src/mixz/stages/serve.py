"""`mixz serve`: a model -> a page on this machine that takes tables and gives redshifts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.bridges.models import open_model
from mixz.data.meaning.names import identities
from mixz.errors import MixzError, not_installed
from mixz.photoz import PhotoZ, concatenate_photoz
from mixz.stages.predict import predicted_table, write_photoz
from mixz.stages.store.photoz_tables import photoz_frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pandas as pd
    from rich.console import Console

    from mixz.arrays import Floats
    from mixz.bridges.model_columns import Asked
    from mixz.bridges.models import PhotoZModel
    from mixz.bridges.web.app import WebApp
    from mixz.progress import Bar

LOCAL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
SHOWN_GALAXIES = 200
BINS = 40


def serve(
    model: Path, console: Console, *, host: str = "127.0.0.1", port: int = 8321, max_mb: float = 100, max_rows: int
) -> None:
    """Serve a model until the user stops it.

    Parameters
    ----------
    model
        A model folder or an ONNX file.
    console
        Where to tell the address.
    host, port
        Where to listen; by default nobody but this machine can ask.
    max_mb, max_rows
        Largest table to accept: megabytes, both as it is sent and unpacked, and galaxies.

    Raises
    ------
    MixzError
        The model is missing or damaged, the packages it needs are not installed, or the port is taken.
    """
    import socket

    app = model_app(model, host=host, max_mb=max_mb, max_rows=max_rows)
    from mixz.bridges.web.server import run_app

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, port))
        except OSError as error:
            raise MixzError(
                f"cannot listen on {host} port {port}: {error.strerror or error}",
                "an address of this machine and a free port",
                "give another --port, or --port 0 for a free one",
            ) from error
        shown = f"[{host}]" if ":" in host else host
        console.print(f"serving {model} at http://{shown}:{listening.getsockname()[1]}  (stop with Ctrl-C)")
        if shown not in LOCAL_HOSTS:
            console.print("Whoever reaches this machine can use it: there is no password.", style="yellow")
        console.file.flush()  # into a pipe, too, the address must come before the first visitor
        run_app(app, listening)


def model_app(model: Path, *, host: str = "127.0.0.1", max_mb: float = 100, max_rows: int = 1_000_000) -> WebApp:
    """Make the web app of a model.

    Raises
    ------
    MixzError
        The model is missing or damaged, or the packages it needs are not installed.
    """
    if find_spec("fastapi") is None or find_spec("uvicorn") is None:
        raise not_installed("fastapi and uvicorn are not installed", "serve")
    from mixz.bridges.web.app import web_app
    from mixz.bridges.web.limits import Limits
    from mixz.report.serve_page import serve_page, serve_scripts

    limits = Limits(max_mb=max_mb)
    served = ServedModel(open_model(model), model.name, max_rows, limits.most_bytes)
    local = host in ("127.0.0.1", "localhost", "::1")
    # A name that leads here but is not ours would let another site's page ask in the user's name.
    hosts = LOCAL_HOSTS if local else ("*",)
    page = serve_page(served.about, max_mb=max_mb)
    return web_app(served, page=page, scripts=serve_scripts(), hosts=hosts, limits=limits, private=[model])


@dataclass(frozen=True)
class ServedModel:
    """A model as the web app asks for it.

    Parameters
    ----------
    model, name
        The model, and what to call it where it does not say.
    max_rows, max_bytes
        Most galaxies of a table, and the most bytes that reading it may unpack.
    """

    model: PhotoZModel
    name: str
    max_rows: int
    max_bytes: int

    @property
    def about(self) -> Mapping[str, Any]:
        """What to know before sending a table."""
        model = self.model
        shared = [band for band in model.bands if band not in model.own_bands]
        return {
            "name": model.provenance.get("recipe", self.name),
            "run": model.provenance.get("config", ""),
            "simulated": bool(model.provenance.get("simulated", False)),
            "bands": shared,
            "columns": [f"mag_{band}" for band in shared],
            "own_bands": list(model.own_bands),
            "systems": [name for name in model.systems if name],
            "members": model.members,
            "densities": model.has_density,
            "max_rows": self.max_rows,
        }

    def write(self, table: Path, output: Path, asked: Asked, group: str | None, bar: Bar) -> list[str]:
        """Write the redshifts of a table, and give notes on it; the ending of `output` says the format.

        What `bar` raises ends it.
        """
        most: dict[str, Any] = {"most_rows": self.max_rows, "most_bytes": self.max_bytes}
        _, notes = write_photoz(self.model, table, output, asked, group=group, bar=bar, **most)
        return notes

    def show(self, table: Path, asked: Asked, group: str | None, bar: Bar) -> Mapping[str, Any]:
        """A table's first galaxies with redshifts and densities, a summary and notes, for JSON; `bar` as above."""
        from mixz.report.browser import density_of
        from mixz.report.charts.chart import number

        most: dict[str, Any] = {"most_rows": self.max_rows, "most_bytes": self.max_bytes}
        told: list[str] = []
        parts = predicted_table(self.model, table, asked, group=group, bar=bar, told=told, **most)
        first, z_phot = _first_and_all(_named(photoz, beside) for beside, photoz in parts)
        frame = photoz_frame(first)
        known = z_phot[np.isfinite(z_phot)]
        counts, edges = np.histogram(known, BINS) if known.size else (np.zeros(0), np.zeros(1))
        rows = [
            {name: number(v) if isinstance(v, float) else str(v) for name, v in row.items()}
            for row in frame.astype({"object_id": str}).to_dict("records")
        ]
        return {
            "galaxies": len(z_phot),
            "without_redshift": len(z_phot) - int(known.size),
            "columns": [str(name) for name in frame.columns],
            "rows": rows,
            "pdf": [density_of(first, k) for k in range(len(rows))],
            "members": [[number(float(z)) for z in first.z_phot_members[:20, k]] for k in range(len(rows))],
            "notes": told,
            "histogram": {"edges": [number(float(e)) for e in edges], "counts": counts.astype(int).tolist()},
        }


def _named(photoz: PhotoZ, beside: Mapping[str, pd.Series[Any]]) -> PhotoZ:
    """Photo-z of galaxies called as people read it; empty where they have no name."""
    if "object_id" not in beside:
        return photoz
    names = ["" if name is None else name for name in identities(beside["object_id"])]
    return replace(photoz, object_id=np.array(names, dtype=str))


def _first_and_all(parts: Iterable[PhotoZ]) -> tuple[PhotoZ, Floats]:
    """The first galaxies' photo-z, and the redshifts of all."""
    first: list[PhotoZ] = []
    z_phot = []
    for photoz in parts:
        missing = SHOWN_GALAXIES - sum(map(len, first))
        if missing > 0:
            first.append(photoz.rows(np.arange(min(missing, len(photoz)))))
        z_phot.append(photoz.z_phot)
    return concatenate_photoz(first), np.concatenate(z_phot)
