"""ONNX models run by onnxruntime, without torch."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mixz.bridges.onnx_format import ABOUT, INTERVAL, LOSS, ONNX_FORMAT, PLACE, REMEMBERED
from mixz.densities.estimates import DEFAULT
from mixz.densities.quality import Risk, risk_of
from mixz.densities.support import Support
from mixz.digest import seal_of
from mixz.errors import MixzError
from mixz.photoz import PhotoZ

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from mixz.galaxies import GalaxySet

AGAIN = "export the model again"
PIECE_ROWS = 16_384
"""Galaxies times members that go through at once: bounds the memory."""


@dataclass(frozen=True, eq=False)
class OnnxModel:
    """An ensemble exported by `mixz export`: it predicts what the ensemble predicts.

    Parameters
    ----------
    bands, own_bands, systems, needs_errors, sees_undetected
        As `Ensemble` has them.
    members
        Number of networks inside.
    provenance
        Where the model came from.
    session
        onnxruntime's.
    support
        Which galaxies training covered; None where the model does not say.
    risk
        How far held-out galaxies were off; None where the model does not say.
    """

    bands: tuple[str, ...]
    own_bands: tuple[str, ...]
    systems: tuple[str, ...]
    needs_errors: bool
    sees_undetected: bool
    members: int
    provenance: Mapping[str, Any]
    session: Any = field(repr=False)
    support: Support | None = field(default=None, repr=False)
    risk: Risk | None = field(default=None, repr=False)

    @classmethod
    def load(cls, path: str | Path, *, threads: int | None = None) -> OnnxModel:
        """Read a model.

        Parameters
        ----------
        path
            What `mixz export` wrote.
        threads
            CPU threads to use; all of them if not given.

        Raises
        ------
        MixzError
            The file is missing, damaged, not mixz's, of another version, or onnxruntime is not installed.
        """
        path = Path(path)
        if not path.is_file():
            raise MixzError(f"no model {path}", "a file that `mixz export` wrote", "run `mixz export MODEL -o FILE`")
        sealed = seal_of(path, do=AGAIN) is not None
        session = _session(path, threads)
        try:
            told = session.get_modelmeta().custom_metadata_map
        except UnicodeDecodeError as error:
            raise MixzError(f"{path} is damaged: {error}", "what `mixz export` wrote", AGAIN) from error
        if ABOUT not in told:
            raise MixzError(f"{path} is an ONNX model, but not of mixz", "what `mixz export` wrote", "export it again")
        try:
            about = json.loads(told[ABOUT])
            if about["format"] != ONNX_FORMAT:
                given = f"{path} is of ONNX format {about['format']}, written by mixz {about['mixz']}"
                raise MixzError(given, f"format {ONNX_FORMAT}", AGAIN)
            if not sealed:
                raise ValueError("it has no seal")
            return cls(
                bands=tuple(about["bands"]),
                own_bands=tuple(about.get("own_bands", ())),
                systems=tuple(about["systems"]),
                needs_errors=about["needs_errors"],
                sees_undetected=about["sees_undetected"],
                members=about["members"],
                provenance=about["provenance"],
                session=session,
                support=Support.from_text(told[REMEMBERED]) if REMEMBERED in told else None,
                risk=None if about["risk"] is None else Risk(about["risk"]),
            )
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise MixzError(f"{path} is damaged: {error}", "what `mixz export` wrote", AGAIN) from error

    @property
    def has_density(self) -> bool:
        """Whether it gives a density of each galaxy's redshift."""
        return "pdf" in self._outputs

    def predict(self, galaxies: GalaxySet) -> PhotoZ:
        """Estimate the redshift of every galaxy by every member; NaN for galaxies that lack a band the model needs.

        Raises
        ------
        MixzError
            The galaxies lack one of the model's bands, or are of a photometric system that the model does not know.
        """
        mag, mag_err = galaxies.in_bands(self.bands, optional=self.own_bands)
        fed: dict[str, NDArray[Any]] = {
            "mag": np.ascontiguousarray(mag, dtype=np.float32),
            "mag_err": np.ascontiguousarray(mag_err, dtype=np.float32),
            "system": galaxies.system_numbers(self.systems),
        }
        wanted = {one.name for one in self.session.get_inputs()}
        pieces = [self._run({name: array[rows] for name, array in fed.items() if name in wanted})
                  for rows in self._pieces(len(galaxies))]  # fmt: skip
        whole = {name: _joined(name, [piece[name] for piece in pieces]) for name in pieces[0]}
        place = whole.pop(PLACE, None)
        loss = whole.pop(LOSS, None)
        found = _by_heading(whole)
        support = self.support.flags(place) if self.support is not None and place is not None else None
        risk = risk_of(found["points"].get(DEFAULT), loss, place, self.support, self.risk)
        return PhotoZ(galaxies.object_id, **found, risk=risk, support=support)

    def _pieces(self, galaxies: int) -> list[slice]:
        """Divide galaxies; an empty table is asked about too, since only the model knows its outputs."""
        step = max(1, PIECE_ROWS // self.members)
        return [slice(start, start + step) for start in range(0, max(galaxies, 1), step)]

    @property
    def _outputs(self) -> list[str]:
        return [one.name for one in self.session.get_outputs()]

    def _run(self, fed: dict[str, Any]) -> dict[str, NDArray[Any]]:
        """Push some galaxies through; none are done by one that is then taken away."""
        empty = not len(fed["mag"])
        if empty:
            fed = {name: np.zeros((1, *array.shape[1:]), array.dtype) for name, array in fed.items()}
        said = dict(zip(self._outputs, self.session.run(self._outputs, fed), strict=True))
        return {name: _first_none(name, array) for name, array in said.items()} if empty else said


def _first_none(name: str, array: NDArray[Any]) -> NDArray[Any]:
    if name == "z_grid":
        return array
    return array[:, :0] if name.endswith("_members") else array[:0]


def _joined(name: str, parts: list[NDArray[Any]]) -> NDArray[Any]:
    """Put the pieces of an output together."""
    if name == "z_grid":
        return parts[0]
    return np.concatenate(parts, axis=1 if name.endswith("_members") else 0)


def _by_heading(outputs: dict[str, NDArray[Any]]) -> dict[str, Any]:
    """Put intervals and point estimates under their own headings, as `PhotoZ` has them."""
    found: dict[str, Any] = {"points": {}, "intervals": {}}
    for name, values in outputs.items():
        if name in ("z_grid", "pdf", "odds") or name.endswith("_members"):
            found[name] = values
        elif name.startswith(INTERVAL):
            found["intervals"][name.removeprefix(INTERVAL)] = values
        else:
            found["points"][name] = values
    return found


def _session(path: Path, threads: int | None) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MixzError("onnxruntime is not installed", "", "pip install onnxruntime") from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors only
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        # Its second try of a damaged file would print on standard output, and fail alike.
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"], enable_fallback=0)
    except Exception as error:  # onnxruntime's errors have no common base but this
        reason = str(error).partition("\n")[0]
        raise MixzError(f"{path} cannot be read: {reason}", "a whole ONNX file", "run `mixz export` again") from error
