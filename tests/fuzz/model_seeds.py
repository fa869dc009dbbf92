"""Small whole models, galaxies, photo-z and records as mixz writes them, to begin damage from."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from fuzz.files import Files, read
from fuzz.mutation import Random
from mixz.data.data_set.galaxies_file import write_galaxies
from mixz.digest import DIGITS, MARK
from mixz.galaxies import GalaxySet
from mixz.model.ensemble import Ensemble
from mixz.model.file import pack_model
from mixz.model.fit import fit
from mixz.model.folder import save_model
from mixz.model.initial import untrained
from mixz.settings.network import Network
from mixz.settings.recipe import Recipe, Step

FORGED = 0.75
"""Share of damaged files whose seal is closed again, so that what lies behind it is reached."""
SMALL = Network(hidden=(4,), head="binned", nodes=12)


def galaxies(count: int = 40) -> GalaxySet:
    """Galaxies in two bands that two in three spectra are known of."""
    rng, ids = np.random.default_rng(0), np.arange(count)
    z = rng.uniform(0.1, 1.5, count)
    mag = 22 + rng.normal(0, 1, count)[:, None] + z[:, None] * np.array([2.0, 0.5])
    split = np.where(ids % 4 == 0, "validation", np.where(ids % 4 == 1, "test", "train"))
    known = {"spec": np.where(ids % 3 > 0, z, np.nan), "many_band": z + rng.normal(0, 0.02, count)}
    return GalaxySet(ids, ("g", "r"), mag, np.full(mag.shape, 0.05), known, split)


@cache
def finished() -> Ensemble:
    """A model with calibration, intervals and support."""
    step = Step(truths=("spec",), epochs=1, batch_size=64)
    return fit(galaxies(400), Recipe(steps=(step,), network=SMALL), members=2)


def random(network: Network = SMALL) -> Ensemble:
    """A model that has learned nothing."""
    return untrained(galaxies(), Recipe(steps=(Step(truths=("spec",)),), network=network), members=2)


def models(home: Path) -> Iterator[Files]:
    """Model folders: a finished one, a point estimate, a Bayesian one of two systems."""
    for number, model in enumerate((finished(), random(Network(hidden=(3, 2))), random(Network(kind="bayesian")))):
        folder = home / f"model{number}"
        save_model(model, folder)
        yield read(folder)


def model_files(home: Path) -> Iterator[Files]:
    """The same as files."""
    for number, _ in enumerate(models(home)):
        pack_model(home / f"model{number}", home / "m.mixz")
        yield {"m.mixz": (home / "m.mixz").read_bytes()}


def onnx_files(home: Path) -> Iterator[Files]:
    """An exported model; without calibration, whose export takes long."""
    from mixz.bridges.onnx_export import export_onnx

    export_onnx(random(), home / "m.onnx")
    yield {"m.onnx": (home / "m.onnx").read_bytes()}


def galaxies_files(home: Path) -> Iterator[Files]:
    """`galaxies.parquet`."""
    write_galaxies(galaxies(12), home / "galaxies.parquet", provenance={"name": "fuzz"})
    yield {"galaxies.parquet": (home / "galaxies.parquet").read_bytes()}


def sealed(content: bytes) -> bytes:
    """A file with its seal closed anew."""
    at = content.rfind(MARK.encode()) + len(MARK)
    if at < len(MARK) or len(content) < at + DIGITS:
        return content
    digits = hashlib.sha256(content[:at] + b"0" * DIGITS + content[at + DIGITS :]).hexdigest()
    return content[:at] + digits.encode() + content[at + DIGITS :]


def forged(files: Files, rng: Random) -> Files:
    """Files as somebody would leave them who closes their seals again."""
    if rng.random() > FORGED:
        return files
    made = dict(files)
    if "model.json" in made:
        try:
            told = json.loads(made["model.json"])
            told["files"] = {name: hashlib.sha256(made[name]).hexdigest() for name in told["files"] if name in made}
            made["model.json"] = json.dumps(told, indent=2).encode()
        except (ValueError, KeyError, TypeError, RecursionError, AttributeError):
            pass  # it is damaged beyond that
    return {name: sealed(content) for name, content in made.items()}


def damaged_inside(content: bytes, rng: Random) -> bytes:
    """A model file whose folder is damaged and packed again as mixz does."""
    from fuzz.mutation import mutated

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = {one.filename: archive.read(one) for one in archive.infolist()}
            comment = archive.comment
    except (OSError, ValueError, zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError):
        return content
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.comment = comment
        for name, member in forged(mutated(inside, (), (), rng), rng).items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), member)
    return made.getvalue()


def forged_file(files: Files, rng: Random) -> Files:
    """A model file damaged inside, and sealed again."""
    if rng.random() < 0.5:
        files = {name: damaged_inside(content, rng) for name, content in files.items()}
    return forged(files, rng)
