"""A trained model gives a galaxy one redshift: whatever the piece, the order of rows, the threads, the format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hats_mock import model as trained
from hats_mock import sky
from mixz.bridges.model_columns import Asked
from mixz.bridges.models import open_model
from mixz.data.tables import read_table, write_table
from mixz.stages.predict import write_photoz

torch = pytest.importorskip("torch", reason="needs mixz[train]")

SAME = 1e-4
"""How far a redshift may be off, of 1 + z, where only the way of computing it differs: in single precision the products
of a network add up in another order, and point estimates of flat densities feel it most."""
GALAXIES = 300


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, a table, and the redshifts of the table asked for at once, on one thread."""
    place = tmp_path_factory.mktemp("same")
    trained(place / "model", whole=True)
    write_table(sky(GALAXIES, seed=4), place / "table.parquet")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    ask(place, place / "table.parquet", place / "expected.parquet", GALAXIES)
    torch.set_num_threads(threads)
    assert read_table(place / "expected.parquet")["z_phot"].isna().any(), "some galaxies lack a band"
    return place


@pytest.fixture
def threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """So many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


def ask(place: Path, table: Path, output: Path, piece_rows: int) -> None:
    write_photoz(open_model(place / "model"), table, output, Asked(), piece_rows=piece_rows)


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
@pytest.mark.parametrize(
    ("piece_rows", "ending"), [(1, ".hdf5"), (37, ".csv"), (128, ".parquet"), (GALAXIES, ".fits"), (GALAXIES, ".ecsv")]
)
@pytest.mark.usefixtures("threads")
def test_a_galaxy_has_one_redshift(place: Path, piece_rows: int, ending: str, tmp_path: Path) -> None:
    order = np.random.default_rng(piece_rows).permutation(GALAXIES)
    rows = order[: 30 * piece_rows]  # a galaxy at a time takes long
    write_table(read_table(place / "table.parquet").iloc[rows].reset_index(drop=True), tmp_path / f"table{ending}")
    ask(place, tmp_path / f"table{ending}", tmp_path / f"photoz{ending}", piece_rows)
    found = read_table(tmp_path / f"photoz{ending}")
    expected = read_table(place / "expected.parquet").iloc[rows].reset_index(drop=True)
    same_redshifts(found, expected)


def same_redshifts(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert sorted(found.columns) == sorted(expected.columns)
    assert found["object_id"].astype(str).tolist() == expected["object_id"].astype(str).tolist()
    assert found["support"].astype(int).tolist() == expected["support"].tolist()
    for name in expected.columns.drop(["object_id", "support"]):
        z = expected[name].to_numpy(float)
        np.testing.assert_allclose(found[name].to_numpy(float) / (1 + z), z / (1 + z), rtol=0, atol=SAME, err_msg=name)
