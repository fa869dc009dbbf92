"""`mixz predict` in pieces: the same however a table is cut, in the memory of one piece, and whole or not at all."""

from __future__ import annotations

import io
import json
import sys
import weakref
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pytest
from astropy.io import fits
from astropy.table import Table
from rich.console import Console

from hats_mock import model as trained
from hats_mock import sky
from mixz import progress
from mixz.bridges.model_columns import Asked
from mixz.bridges.models import open_model
from mixz.bridges.pieces import Pieces
from mixz.data.tables import read_table, table_columns, write_table
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.photoz import PhotoZ
from mixz.stages.predict import predict, predicted, write_photoz
from mixz.stages.store.photoz_tables import photoz_frame, photoz_notes

ENDINGS = (".parquet", ".csv", ".csv.gz", ".fits", ".fits.gz", ".hdf5", ".ecsv")
GALAXIES = 60
Z = np.linspace(0, 4, 81)
PLAIN = Asked()


class Toy:
    """A model whose redshift is a tenth of the mean magnitude, less 2; it knows how many of its densities are alive."""

    bands, own_bands, systems, members = ("g", "r"), (), ("",), 1
    has_density, needs_errors, sees_undetected = True, False, False

    def __init__(self) -> None:
        self.provenance: dict[str, Any] = {}
        self.alive: list[weakref.ref[Any]] = []
        self.asked: list[int] = []
        self.most_alive = 0

    def predict(self, galaxies: GalaxySet) -> PhotoZ:
        z = galaxies.mag.mean(axis=1) / 10 - 2
        pdf = np.exp(-(((Z - z[:, None]) / 0.2) ** 2) / 2)
        pdf /= np.trapezoid(pdf, Z, axis=1)[:, None]
        self.asked.append(len(z))
        self.alive = [one for one in self.alive if one() is not None] + [weakref.ref(pdf)]
        self.most_alive = max(self.most_alive, sum(len(one()) for one in self.alive))  # type: ignore[arg-type]
        return PhotoZ(
            galaxies.object_id, z[None], z_grid=Z, pdf=pdf, points={"zbest": z, "zmode": z + 0.01},
            intervals={"68": np.stack([z - 0.1, z + 0.1], axis=1)}, support=np.where(np.isnan(z), 0, 2),
        )  # fmt: skip


def table(galaxies: int = GALAXIES) -> pd.DataFrame:
    """Galaxies whose names grow longer; some lack a magnitude."""
    mag = np.random.default_rng(0).uniform(20, 28, (galaxies, 2))
    mag[1::7, 0] = np.nan
    names = [f"g{'0' * (k // 5)}{k}" for k in range(galaxies)]
    return pd.DataFrame({"object_id": names, "mag_g": mag[:, 0], "mag_r": mag[:, 1], "z_spec": mag[:, 1] / 20})


def same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Compare tables, numbers within what single precision has."""
    pd.testing.assert_frame_equal(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("piece_rows", [4, 60])
@pytest.mark.parametrize("ending", ENDINGS)
def test_every_format_of_output_holds_the_same_however_it_is_cut(ending: str, piece_rows: int, tmp_path: Path) -> None:
    write_table(table(), tmp_path / "t.parquet")
    for name, rows in (("whole", 1_000), ("pieces", piece_rows)):
        lost, told = write_photoz(Toy(), tmp_path / "t.parquet", tmp_path / f"{name}{ending}", PLAIN, piece_rows=rows)
        assert lost == 9
        assert told == [f"{tmp_path / 't.parquet'}: bands that galaxies lack: mag_g: empty (9 rows)"]
    read = pd.read_csv if ending.startswith(".csv") else read_table
    whole, pieces = (read(tmp_path / f"{name}{ending}") for name in ("whole", "pieces"))
    same(pieces, whole)
    assert pieces["object_id"].tolist() == table()["object_id"].tolist()
    assert sorted(pieces["support"].unique()) == [0, 2], "a flag is no truth value"
    z = (table()["mag_g"] + table()["mag_r"]) / 20 - 2
    np.testing.assert_allclose(pieces["z_phot"], z, atol=1e-6)
    assert {"z_sigma", "zmode", "z_low_68", "z_high_68"} <= set(pieces.columns)
    assert len(list(tmp_path.iterdir())) == 3, "no draft is left"


@pytest.mark.parametrize("piece_rows", [7, 60])
@pytest.mark.parametrize("ending", ENDINGS)
def test_every_format_of_input_says_the_same_however_it_is_cut(ending: str, piece_rows: int, tmp_path: Path) -> None:
    write_table(table(), tmp_path / f"t{ending}")
    told: list[tuple[float, float | None]] = []

    def bar(done: float, total: float | None, words: str = "") -> None:
        assert words == "galaxies"
        told.append((done, total))

    write_photoz(Toy(), tmp_path / f"t{ending}", tmp_path / "z.parquet", PLAIN, piece_rows=piece_rows, bar=bar)
    write_table(table(), tmp_path / "t.parquet")
    write_photoz(Toy(), tmp_path / "t.parquet", tmp_path / "expected.parquet", PLAIN, piece_rows=1_000)
    same(read_table(tmp_path / "z.parquet"), read_table(tmp_path / "expected.parquet"))
    assert told[-1] == (GALAXIES, None if ending == ".csv.gz" else GALAXIES)
    assert len(told) == -(-GALAXIES // piece_rows)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("first", [0, 7_000_000_000_000_000_001])
def test_whole_numbers_stay_whole(first: int, ending: str, tmp_path: Path) -> None:
    ids = np.arange(GALAXIES) + first
    write_table(table().assign(object_id=ids), tmp_path / f"t{ending}")
    write_photoz(Toy(), tmp_path / f"t{ending}", tmp_path / f"z{ending}", PLAIN, piece_rows=11)
    back = read_table(tmp_path / f"z{ending}")["object_id"]
    in_text = ending.startswith(".csv")
    assert back.tolist() == (ids.astype(str) if in_text else ids).tolist()


@pytest.mark.parametrize("ending", ENDINGS)
def test_galaxies_without_names_are_called_by_their_row(ending: str, tmp_path: Path) -> None:
    write_table(table().drop(columns="object_id"), tmp_path / f"t{ending}")
    write_photoz(Toy(), tmp_path / f"t{ending}", tmp_path / "z.parquet", PLAIN, piece_rows=11)
    assert read_table(tmp_path / "z.parquet")["object_id"].tolist() == list(range(GALAXIES))


@pytest.mark.parametrize(
    "names", [["001", "002", "x3"], ["1", "", "3"], ["", "", "a"], ["1", "2", "", "b"], ["a", "02", ""]]
)
def test_names_in_text_are_the_same_however_it_is_cut(names: list[str], tmp_path: Path) -> None:
    rows = "".join(f"{name},21,22\n" for name in names)
    (tmp_path / "t.csv").write_text("object_id,mag_g,mag_r\n" + rows)
    found = []
    for piece_rows in (1, 2, 3, 100):
        write_photoz(Toy(), tmp_path / "t.csv", tmp_path / "z.parquet", PLAIN, piece_rows=piece_rows)
        found.append(read_table(tmp_path / "z.parquet")["object_id"])
    for one in found:
        pd.testing.assert_series_equal(one, found[-1])
    if "x3" in names:
        assert found[0].tolist() == names


def test_whole_numbers_with_holes_have_one_type(tmp_path: Path) -> None:
    frame = table(6).assign(object_id=pd.array([1, 2, None, 4, 5, 6], dtype="Int64"))
    frame.to_parquet(tmp_path / "t.parquet")
    for piece_rows in (1, 2, 100):
        write_photoz(Toy(), tmp_path / "t.parquet", tmp_path / "z.hdf5", PLAIN, piece_rows=piece_rows)
        assert read_table(tmp_path / "z.hdf5")["object_id"].tolist() == [1, 2, pd.NA, 4, 5, 6]


def test_frames_keep_names_as_they_came_and_say_what_they_are(tmp_path: Path) -> None:
    photoz = Toy().predict(GalaxySet(np.arange(3), ("g", "r"), np.full((3, 2), 21.0), np.full((3, 2), 0.1)))
    names = pd.Series([2**62 + 1, None, 3], dtype="Int64", index=[7, 8, 9])
    frame = photoz_frame(photoz, beside={"object_id": names, "ra": np.array([1.0, 2.0, 3.0])})
    assert list(frame.columns[:3]) == ["object_id", "ra", "z_phot"]
    assert frame["object_id"].dtype == "Int64"
    notes = photoz_notes(photoz, {"model": "toy"})
    write_table(frame, tmp_path / "z.fits", notes=notes)
    found = Table.read(tmp_path / "z.fits")
    assert found["object_id"].tolist() == [2**62 + 1, None, 3]
    assert found["support"].tolist() == [2, 2, 2]
    assert (str(found["ra"].unit), found.meta["MODEL"]) == ("deg", "toy")
    assert all("redshift" in found[name].info.description for name in found.colnames if name.startswith("z"))


@pytest.mark.parametrize("piece_rows", [1, 2, 100])
def test_qp_files_keep_every_digit_and_say_what_they_are(piece_rows: int, tmp_path: Path) -> None:
    qp = pytest.importorskip("qp", reason="needs mixz[rail]")
    table(4).assign(object_id=pd.array([1, 2, 3, 2**62 + 1], dtype="Int64")).to_parquet(tmp_path / "t.parquet")
    write_photoz(Toy(), tmp_path / "t.parquet", tmp_path / "z.hdf5", PLAIN, piece_rows=piece_rows, pdf="interp")
    ancil = qp.read(str(tmp_path / "z.hdf5")).ancil
    assert ancil["object_id"].tolist() == [1, 2, 3, 2**62 + 1]
    assert ancil["support"].dtype == np.int16, "qp's FITS takes 8 bits for truth values"
    with h5py.File(tmp_path / "z.hdf5") as file:
        assert file["ancil/z_phot"].attrs["description"] == "photometric redshift"
        assert json.loads(file.attrs["mixz"])["input"] == "t.parquet"


def test_predictions_say_where_they_come_from(tmp_path: Path) -> None:
    toy = Toy()
    toy.provenance = {"recipe": "fused", "config": "run", "train_digest": "0123", "simulated": True}
    write_table(table(), tmp_path / "t.parquet")
    write_photoz(toy, tmp_path / "t.parquet", tmp_path / "z.fits", PLAIN)
    header = fits.getheader(tmp_path / "z.fits", 1)
    assert [header[key] for key in ("MODEL", "RUN", "TRAINED", "SIMTRAIN", "INPUT")] == [
        "fused", "run", "0123", True, "t.parquet",
    ]  # fmt: skip
    assert header["CREATOR"].startswith("mixz ")


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_galaxies_in_no_galaxies_out(ending: str, tmp_path: Path) -> None:
    write_table(table()[:0], tmp_path / f"none{ending}")
    write_table(table(), tmp_path / f"some{ending}")
    for name in ("none", "some"):
        write_photoz(Toy(), tmp_path / f"{name}{ending}", tmp_path / f"z-{name}{ending}", PLAIN)
    there, expected = (table_columns(tmp_path / f"z-{name}{ending}") for name in ("none", "some"))
    assert there == expected
    with pytest.raises(MixzError, match="has no rows"):
        read_table(tmp_path / f"z-none{ending}")


def test_a_trained_model_says_the_same_however_a_table_is_cut(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    model = open_model(trained(tmp_path / "model", whole=True))
    sky(120).to_parquet(tmp_path / "t.parquet")

    def pieces() -> Pieces:
        return Pieces(model, PLAIN, "t.parquet")

    parts: dict[int, list[PhotoZ]] = {
        rows: [photoz for _, photoz in predicted(pieces(), tmp_path / "t.parquet", piece_rows=rows)]
        for rows in (7, 37, 120)
    }
    [whole] = parts[120]
    for some in (parts[7], parts[37]):
        np.testing.assert_allclose(np.concatenate([p.pdf for p in some]), whole.pdf, rtol=1e-4, atol=1e-5)  # type: ignore[arg-type, misc]
        np.testing.assert_array_equal(np.concatenate([p.support for p in some]), whole.support)  # type: ignore[misc, arg-type]
        for name, z in whole.points.items():
            np.testing.assert_allclose(np.concatenate([p.points[name] for p in some]), z, rtol=1e-4, err_msg=name)


@pytest.mark.parametrize("output", ["z.parquet", "z.csv", "z.fits", "z.hdf5", "z.ecsv", "q.hdf5", "q.pq"])
def test_no_more_than_two_pieces_are_alive(output: str, tmp_path: Path) -> None:
    """One that is being made and one that is being written, however long the table."""
    pdf: Any = "interp" if output.startswith("q") else None
    if pdf:
        pytest.importorskip("qp", reason="needs mixz[rail]")
    write_table(table(300), tmp_path / "t.parquet")
    toy = Toy()
    write_photoz(toy, tmp_path / "t.parquet", tmp_path / output, PLAIN, piece_rows=20, pdf=pdf)
    assert toy.asked == [20] * 15
    assert toy.most_alive <= 40


@pytest.mark.parametrize("output", ["z.parquet", "z.csv", "z.fits", "z.hdf5", "z.ecsv", "q.hdf5", "q.pq"])
def test_what_is_interrupted_leaves_nothing(output: str, tmp_path: Path) -> None:
    pdf: Any = "interp" if output.startswith("q") else None
    if pdf:
        pytest.importorskip("qp", reason="needs mixz[rail]")
    write_table(table(), tmp_path / "t.parquet")
    (tmp_path / output).write_text("dear")

    def stop(done: float, *_: object) -> None:
        if done > 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_photoz(Toy(), tmp_path / "t.parquet", tmp_path / output, PLAIN, piece_rows=7, pdf=pdf, bar=stop)
    assert (tmp_path / output).read_text() == "dear"
    assert {path.name for path in tmp_path.iterdir()} == {"t.parquet", output}


@pytest.mark.parametrize("piece_rows", [3, 20, 100])
def test_a_column_is_judged_as_a_whole(piece_rows: int, tmp_path: Path) -> None:
    strange = table().assign(mag_g=np.where(np.arange(GALAXIES) < 12, 45.0, 22.0))
    write_table(strange, tmp_path / "some.csv")
    write_photoz(Toy(), tmp_path / "some.csv", tmp_path / "z.csv", PLAIN, piece_rows=piece_rows)
    write_table(strange.assign(mag_g=np.where(np.arange(GALAXIES) > 46, 45.0, 22.0)), tmp_path / "many.csv.gz")
    with pytest.raises(MixzError, match="holds no AB magnitudes"):
        write_photoz(Toy(), tmp_path / "many.csv.gz", tmp_path / "y.csv", PLAIN, piece_rows=piece_rows)
    assert not (tmp_path / "y.csv").exists()
    toy = Toy()
    write_table(table(2_000).assign(mag_g=1e4), tmp_path / "fluxes.parquet")
    with pytest.raises(MixzError, match="fluxes.parquet column 'mag_g' holds no AB magnitudes.*1e\\+04"):
        write_photoz(toy, tmp_path / "fluxes.parquet", tmp_path / "y.csv", PLAIN, piece_rows=piece_rows)
    assert sum(toy.asked) <= 500, "as soon as it is certain"


@pytest.mark.parametrize("piece_rows", [3, 8, 100])
def test_a_mistake_is_found_by_the_number_of_its_row(piece_rows: int, tmp_path: Path) -> None:
    words = table().astype({"mag_r": object})
    words.loc[40, "mag_r"] = "bright"
    words.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(MixzError, match="row 41 holds 'bright'"):
        write_photoz(Toy(), tmp_path / "t.csv", tmp_path / "z.csv", PLAIN, piece_rows=piece_rows)
    with h5py.File(tmp_path / "t.hdf5", "w") as file:
        file["mag_g"] = table()["mag_g"].to_numpy()
        file["mag_r"] = words["mag_r"].astype(str).tolist()
    with pytest.raises(MixzError, match="row 41 holds 'bright'"):
        write_photoz(Toy(), tmp_path / "t.hdf5", tmp_path / "z.csv", PLAIN, piece_rows=piece_rows)


def test_progress_is_told_in_galaxies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PLAIN_SECONDS", 0.0)
    monkeypatch.setattr(sys.modules[predict.__module__], "open_model", lambda _: Toy())
    write_table(table(), tmp_path / "t.parquet")
    words = io.StringIO()
    assert predict(tmp_path, tmp_path / "t.parquet", tmp_path / "z.csv", Console(file=words, width=120)) == 9
    assert "predict t.parquet: 60 of 60  galaxies  about 0 s left" in words.getvalue()
