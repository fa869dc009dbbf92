"""Plots as one-liners: what a report shows, of any galaxies and their photo-z."""

from __future__ import annotations

import pydoc
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import mixz
from mixz.errors import MixzError
from mixz.photoz import PhotoZ


def some_galaxies(count: int = 200) -> tuple[mixz.GalaxySet, PhotoZ]:
    rng = np.random.default_rng(1)
    z = rng.uniform(0.1, 1.5, count)
    galaxies = mixz.GalaxySet(
        np.arange(count), ("g", "r", "i"), rng.uniform(20, 24, (count, 3)), np.full((count, 3), 0.1), z={"spec": z}
    )
    return galaxies, PhotoZ(galaxies.object_id, z + rng.normal(0, 0.05, (2, count)))


@pytest.mark.parametrize("draw", ["predictions", "residuals", "redshifts"])
def test_a_plot_is_one_line(draw: str, tmp_path: Path) -> None:
    galaxies, photoz = some_galaxies()
    plot = getattr(mixz.plot, draw)(galaxies, {"mine": photoz})
    assert plot.words
    assert "mine" in str(plot.spec)
    assert set(plot._repr_mimebundle_()) >= {"image/svg+xml", "application/vnd.vegalite.v6+json"}
    assert plot.save(tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(MixzError, match="endings"):
        plot.save(tmp_path / "a.gif")


def test_galaxies_alone_are_drawn() -> None:
    assert "<svg" in mixz.plot.distributions(some_galaxies()[0]).svg()


def test_photoz_of_other_galaxies_are_refused() -> None:
    galaxies, photoz = some_galaxies()
    with pytest.raises(MixzError, match="other galaxies, or of these in another order"):
        mixz.plot.predictions(galaxies, photoz.rows(np.arange(len(photoz))[::-1]))
    bare = mixz.GalaxySet(np.array([1]), ("g",), np.array([[21.0]]), np.array([[0.1]]))
    with pytest.raises(MixzError, match="without labels"):
        mixz.plot.distributions(bare)
    with pytest.raises(MixzError, match="nothing to draw"):
        mixz.plot.probabilities(galaxies, photoz)


@pytest.mark.parametrize("words", ["import mixz.plot", "from mixz import plot", "import mixz", "import mixz.plot as p"])
def test_however_it_is_imported_it_is_the_same_module(words: str) -> None:
    script = f"{words}; import mixz, sys; print(mixz.plot is sys.modules['mixz.plot'], callable(mixz.plot.of_run))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]


def test_its_help_teaches() -> None:
    told = pydoc.plain(pydoc.render_doc(mixz.plot))
    for name in ("Plot", "distributions", "of_run", "predictions", "probabilities", "redshifts", "residuals"):
        assert f"    {name}(" in told or f"class {name}(" in told, name
    assert "mixz.plot.predictions(galaxies, photoz)" in told
