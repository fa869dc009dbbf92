"""`mixz nz` and a config's `tomography`: files that others read, the same numbers everywhere, a line per mistake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from rich.console import Console

import mixz
from mixz import stages
from mixz.cli import main
from mixz.errors import MixzError
from mixz.model.folder import save_model
from mixz.report.nz_screen import nz_lines, nz_tables
from mixz.settings.file import load_config
from mixz.settings.tomography import TomographySettings
from toy_survey import BANDS, toy_frame

FEW = {"resamples": 4}


def frame(galaxies: int, *, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng([seed, 7])
    made = toy_frame(galaxies, seed=seed)
    made["z_spec"] = np.where(rng.random(galaxies) < 0.4, made["z_true"], np.nan)
    made["ra"], made["dec"] = rng.uniform(0, 5, galaxies), rng.uniform(-3, 3, galaxies)
    made["lensing"] = rng.uniform(0.5, 1.5, galaxies)
    return made.rename(columns={"z_label": "z_many_band"})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with densities, one with points, a table to ask about, and one of other galaxies with labels."""
    folder = tmp_path_factory.mktemp("nz")
    train = frame(900, seed=1)
    galaxies = mixz.GalaxySet(
        train["object_id"].to_numpy(),
        BANDS,
        train[[f"mag_{b}" for b in BANDS]].to_numpy(),
        np.full((900, 4), 0.02),
        {name: train[f"z_{name}"].to_numpy() for name in ("many_band", "spec")},
        mixz.split_by_id(train["object_id"].to_numpy(), train=0.8, validation=0.2),
    )
    small = {"hidden": (24, 24), "inputs": "whitened"}
    training = {"epochs": 12, "batch_size": 64}
    for name in ("fused", "base"):
        more = {"nodes": 60, "z_max": 2.5} if name == "fused" else {}
        model = mixz.fit(galaxies, mixz.RECIPES[name].changed(network=small | more, training=training), members=2)
        save_model(model, folder / name)
    frame(600, seed=2).to_parquet(folder / "table.parquet")
    frame(600, seed=2).drop(columns=["z_many_band", "z_spec", "z_true"]).to_csv(folder / "unlabelled.csv", index=False)
    others = frame(700, seed=3)
    others["object_id"] += 10_000
    others.drop(columns="z_true").to_parquet(folder / "labels.parquet")
    return folder


def asked(**more: Any) -> TomographySettings:
    return TomographySettings(**(FEW | {"bins": 2} | more))


def told(**more: Any) -> Any:
    return {"console": Console(quiet=True)} | more


def nz(home: Path, table: str, output: Path, **more: Any) -> Any:
    return stages.nz(home / "fused", home / table, output, Console(quiet=True), **more)


def test_all_that_is_written(home: Path, tmp_path: Path) -> None:
    record = nz(home, "table.parquet", tmp_path / "out", asked=asked(weight="lensing", cuts=("support>=0",)))
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"tomography.json", "nz.csv", "nz.fits", "bins.csv"} <= names
    assert json.loads((tmp_path / "out" / "tomography.json").read_text()) == record
    assert record["simulated"]
    long, bins = (pd.read_csv(tmp_path / "out" / name) for name in ("nz.csv", "bins.csv"))
    assert set(long["method"]) == {"stack", "spectra", "labels", "both", "truth"}
    for (_, _), one in long.groupby(["bin", "method"]):
        assert np.trapezoid(one["density"], one["z"]) == pytest.approx(1, abs=1e-6)
    assert bins["galaxies"].groupby(bins["bin"]).first().sum() + sum(record["left_out"].values()) == 600
    from astropy.table import Table

    in_fits = Table.read(tmp_path / "out" / "nz.fits")
    np.testing.assert_allclose(in_fits["density"], long["density"])


def test_a_stack_is_the_mean_of_the_densities(home: Path, tmp_path: Path) -> None:
    record = nz(home, "table.parquet", tmp_path / "out", asked=asked(bins=(0.0, 2.4)))
    model = mixz.open_model(home / "fused")
    made = frame(600, seed=2)
    galaxies = mixz.GalaxySet(
        np.arange(600), BANDS, made[[f"mag_{b}" for b in BANDS]].to_numpy(), np.full((600, 4), np.nan)
    )
    mean = np.asarray(model.predict(galaxies).pdf, float).mean(axis=0)
    np.testing.assert_allclose(record["bins"][0]["methods"]["stack"]["pdf"], mean, rtol=1e-3, atol=1e-4)


def test_labels_of_other_galaxies(home: Path, tmp_path: Path) -> None:
    record = nz(home, "unlabelled.csv", tmp_path / "out", asked=asked(), labels=home / "labels.parquet")
    assert not record["simulated"]
    assert {"stack", "spectra", "labels", "both"} == set(record["bins"][0]["methods"])
    own = nz(home, "table.parquet", tmp_path / "own", asked=asked())
    for one, two in zip(record["bins"], own["bins"], strict=True):
        assert one["methods"]["stack"]["mean"] == pytest.approx(two["methods"]["stack"]["mean"], abs=1e-6)
        assert one["methods"]["both"]["mean"] == pytest.approx(two["methods"]["truth"]["mean"], abs=0.1)


OTHER_NAMES = {f"mag_{b}": f"{b}_cmodel" for b in BANDS} | {"z_spec": "ZBEST", "z_many_band": "lephare"}
NAMED = ["--mag", "{band}_cmodel", "--z", "spec=ZBEST", "--z", "many_band=lephare"]


def said(*arguments: str | Path) -> int:
    """Say `mixz nz` on a command line; what it ends with."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["mixz", "nz", *map(str, arguments), "--bins", "2", "--resamples", "4"])
        with pytest.raises(SystemExit) as ended:
            main()
    return int(ended.value.code or 0)


def bins_of(home: Path, table: Path, output: Path, *more: str | Path) -> Any:
    """What it writes of the bins."""
    assert said(home / "fused", table, "-o", output, *more) == 0
    return json.loads((output / "tomography.json").read_text())["bins"]


def test_labels_may_have_other_names(home: Path, tmp_path: Path) -> None:
    pd.read_parquet(home / "table.parquet").rename(columns=OTHER_NAMES).to_parquet(tmp_path / "theirs.parquet")
    plain = bins_of(home, home / "table.parquet", tmp_path / "plain")
    assert bins_of(home, tmp_path / "theirs.parquet", tmp_path / "named", *NAMED) == plain


def test_a_table_of_labels_is_named_as_the_table_or_as_at_training(home: Path, tmp_path: Path) -> None:
    """Both tables are a survey's; or labels come as a run has them."""
    table, labels = tmp_path / "table.csv", tmp_path / "labels.csv"
    pd.read_csv(home / "unlabelled.csv").rename(columns=OTHER_NAMES).to_csv(table, index=False)
    pd.read_parquet(home / "labels.parquet").rename(columns=OTHER_NAMES).to_csv(labels, index=False)
    plain = bins_of(home, home / "unlabelled.csv", tmp_path / "plain", "--labels", home / "labels.parquet")
    assert bins_of(home, table, tmp_path / "survey", "--labels", labels, *NAMED) == plain
    assert bins_of(home, table, tmp_path / "run", "--labels", home / "labels.parquet", *NAMED[:2]) == plain


@pytest.mark.parametrize(
    ("z", "words"),
    [
        ("ZBEST", "mixz: --z 'ZBEST'\n  allowed: a truth and the column of its labels"),
        ("spek=ZBEST", "mixz: truth 'spek' is unknown"),
        ("spec=ZBSET", "has no column 'ZBSET' (nearest name: 'ZBEST'"),
    ],
)
def test_names_of_labels_that_nobody_knows(
    home: Path, tmp_path: Path, z: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "labels.csv"
    frame(50, seed=4).rename(columns={"z_spec": "ZBEST"}).to_csv(labels, index=False)
    for tables in ([labels], [home / "table.parquet", "--labels", labels]):
        assert said(home / "fused", *tables, "-o", tmp_path / "out", "--z", z) == 2
        assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_table_of_labels_without_any_is_refused(home: Path, tmp_path: Path) -> None:
    empty = pd.read_parquet(home / "labels.parquet").assign(z_spec=np.nan, z_many_band=np.nan)
    for name, table in (("gone", empty.drop(columns=["z_spec", "z_many_band"])), ("empty", empty)):
        table.to_parquet(tmp_path / f"{name}.parquet")
        with pytest.raises(MixzError, match=rf"{name}\.parquet holds no label"):
            nz(home, "unlabelled.csv", tmp_path / "out", asked=asked(), labels=tmp_path / f"{name}.parquet")
    assert not (tmp_path / "out").exists()


def test_without_labels_the_verdict_says_so(home: Path, tmp_path: Path) -> None:
    record = nz(home, "unlabelled.csv", tmp_path / "out", asked=asked())
    assert set(record["bins"][0]["methods"]) == {"stack"}
    assert {v["outcome"] for v in record["verdicts"]} == {"cannot be tested"}
    assert all(v["why"] for v in record["verdicts"])
    assert "--labels a table that has some" in " ".join(record["notes"])
    lines = nz_lines(record)
    assert [line for line in lines if "no labels in this bin" in line] == [
        "spectra, labels, both in every bin: there are no labels in this bin"
    ]
    assert "DESC SRD: no limit can be tested in any bin" in lines
    assert len(list(nz_tables(record))) == 1


def test_the_galaxies_order_and_format_do_not_matter(home: Path, tmp_path: Path) -> None:
    shuffled = frame(600, seed=2).sample(frac=1, random_state=1)
    shuffled.to_csv(tmp_path / "shuffled.csv", index=False)
    a = nz(home, "table.parquet", tmp_path / "a", asked=asked(resamples=0))
    b = stages.nz(
        home / "fused", tmp_path / "shuffled.csv", tmp_path / "b", Console(quiet=True), asked=asked(resamples=0)
    )
    for one, two in zip(a["bins"], b["bins"], strict=True):
        for method in ("stack", "spectra", "labels", "both", "truth"):
            assert not one["why_not"]
            assert one["methods"][method]["mean"] == pytest.approx(two["methods"][method]["mean"], abs=2e-4)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"bins": (0.0, 0.0001, 2.0)}, "hold no galaxy"),
        ({"bins": (5.0, 6.0)}, "hold no galaxy"),
        ({"weight": "no_such"}, "no_such"),
        ({"weight": "mag_g_minus"}, "mag_g_minus"),
        ({"cuts": ("no_such>=1",)}, "no_such"),
        ({"cuts": ("z_phot>=7",)}, "no galaxy is left"),
        ({"representative": "grism"}, "representative labels 'grism'"),
    ],
)
def test_mistakes_are_one_clear_message_and_write_nothing(
    home: Path, tmp_path: Path, more: dict[str, Any], words: str
) -> None:
    with pytest.raises(MixzError) as error:
        nz(home, "table.parquet", tmp_path / "out", asked=asked(**more))
    assert words in str(error.value)
    assert error.value.do
    assert list(tmp_path.iterdir()) == []


def test_bad_weights_and_an_empty_table(home: Path, tmp_path: Path) -> None:
    bad = frame(300, seed=2)
    for value in (-1.0, np.nan, np.inf):
        bad.loc[3, "lensing"] = value
        bad.to_parquet(tmp_path / "bad.parquet")
        with pytest.raises(MixzError, match="1 weights are negative or no numbers"):
            nz(home, str(tmp_path / "bad.parquet"), tmp_path / "out", asked=asked(weight="lensing"))
    bad[:0].to_parquet(tmp_path / "empty.parquet")
    with pytest.raises(MixzError, match="has no rows"):
        nz(home, str(tmp_path / "empty.parquet"), tmp_path / "out", asked=asked())


def test_a_model_of_points_counts_them_and_says_so(home: Path, tmp_path: Path) -> None:
    record = stages.nz(
        home / "base", home / "table.parquet", tmp_path / "out", Console(quiet=True), asked=asked(bins=(0.0, 2.4))
    )
    [one] = record["bins"]
    assert set(one["methods"]) == {"points", "spectra", "labels", "both", "truth"}
    assert any("points without densities" in note for note in record["notes"])
    made = frame(600, seed=2)
    galaxies = mixz.GalaxySet(
        np.arange(600), BANDS, made[[f"mag_{b}" for b in BANDS]].to_numpy(), np.full((600, 4), np.nan)
    )
    z_phot = mixz.open_model(home / "base").predict(galaxies).z_phot
    kept = z_phot[(z_phot >= 0) & (z_phot <= 2.4)]
    assert one["methods"]["points"]["mean"] == pytest.approx(kept.mean(), abs=2e-3)


def test_cells_stand_in_too(home: Path, tmp_path: Path) -> None:
    record = nz(home, "table.parquet", tmp_path / "out", asked=asked(stand_ins="cells"))
    for one in record["bins"]:
        both, truth = one["methods"]["both"], one["methods"]["truth"]
        assert both["mean"] == pytest.approx(truth["mean"], abs=0.03)


def test_what_no_cut_is() -> None:
    for cut in ("support", "risk<0.2", "odds>=nan", ">=1"):
        with pytest.raises(ValidationError, match=f"cut {cut!r} is not like"):
            asked(cuts=("odds>=0.5", cut))


@pytest.mark.parametrize(
    ("bins", "words"),
    [
        ("five", "--bins 'five'"),
        ("0.5,a", "--bins '0.5,a'"),
        ("srd_moon", "'srd_moon' is neither"),
        ("0", "0 bins"),
        ("0.5,", "--bins"),
        ("101", "1 to 100"),
        ("1,0.5", "bins: edges 1, 0.5: they must be redshifts that rise"),
        ("0.5,0.5", "redshifts that rise"),
        ("nan,1", "edges nan, 1"),
        ("0,inf", "edges 0, inf"),
    ],
)
def test_bins_on_the_command_line(
    home: Path, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch, bins: str, words: str
) -> None:
    output = str(tmp_path / "out")
    monkeypatch.setattr(
        "sys.argv", ["mixz", "nz", str(home / "fused"), str(home / "table.parquet"), "-o", output, "--bins", bins]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
    assert not Path(output).exists()


def test_the_command_line(home: Path, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "out"
    command = ["mixz", "nz", str(home / "fused"), str(home / "table.parquet"), "-o", str(output)]
    monkeypatch.setattr("sys.argv", [*command, "--bins", "0.2,0.8,1.4", "--resamples", "4", "--cut", "z_sigma<=2"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code in (0, None)
    printed = capsys.readouterr().out
    assert "SIMULATED" in printed
    assert "z_phot outside the bins" in printed
    assert "(from" in printed  # memory, where nobody read the limit
    assert (output / "nz.csv").is_file()


def test_a_config_asks_for_every_recipe(toy_settings: dict[str, Any], write_config: Any, console: Console) -> None:
    many, wide = toy_settings["tables"]
    settings = toy_settings | {"recipes": ["base", "fused"], "network": {"hidden": [16, 16]}, "tables": [many, wide]}
    settings["split"] = {"train": 0.4, "validation": 0.2, "test": 0.4}
    plain = load_config(write_config(settings, "plain.yaml"))
    config = load_config(write_config(settings | {"tomography": {"bins": 1} | FEW}))
    assert config.build_digest() == plain.build_digest()
    assert config.train_digest("base") == plain.train_digest("base")
    assert config.digest() != plain.digest()
    stages.build(config)
    stages.train(config, console)
    stages.evaluate(config, console, resamples=0)
    assert stages.tomography(plain, console) == []
    records = stages.tomography(config, console)
    assert [record["recipe"] for record in records] == ["base", "fused"]
    for record in records:
        own = "points" if record["recipe"] == "base" else "stack"
        assert {own, "labels", "both"} <= set(record["bins"][0]["methods"])
    results = stages.Results(config)
    assert results.read_tomography() == records
    assert (config.folder / "nz" / "fused" / "nz.csv").is_file()
    assert stages.verify(config.folder).wrong == []
    page, *figures = stages.report(config, console)
    assert "Tomographic bins" in page.read_text()
    assert {"tomography.png", "tomography.pdf"} <= {path.name for path in figures}
    other = load_config(write_config(settings | {"tomography": {"bins": 2} | FEW}))
    with pytest.raises(MixzError, match="of other bins than the config asks for"):
        stages.Results(other).read_tomography()


def test_what_lies_in_the_way_stays(home: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    (tmp_path / "file").write_text("a file")
    for place, words in (("mine", "thesis.tex"), ("file", "is a file")):
        with pytest.raises(MixzError, match=words):
            nz(home, "table.parquet", tmp_path / place, asked=asked())
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years of work"
    for _ in range(2):
        nz(home, "unlabelled.csv", tmp_path / "again", asked=asked())


def test_cuts_hold_for_labelled_galaxies_too(home: Path, tmp_path: Path) -> None:
    some = asked(cuts=("z_phot>=0.9",), bins=(0.2, 1.4))
    record = nz(home, "unlabelled.csv", tmp_path / "out", asked=some, labels=home / "labels.parquet")
    assert record["bins"][0]["methods"]["spectra"]["mean"] > 1.0
    lacking = asked(cuts=("lensing>=0.8",))
    pd.read_parquet(home / "labels.parquet").drop(columns="lensing").to_parquet(tmp_path / "labels.parquet")
    with pytest.raises(MixzError, match="'lensing' is neither of the photo-z nor of the table"):
        nz(home, "unlabelled.csv", tmp_path / "other", asked=lacking, labels=tmp_path / "labels.parquet")


def test_a_built_table_tells_what_trained(home: Path, tmp_path: Path) -> None:
    made = frame(600, seed=2)
    galaxies = mixz.GalaxySet(
        made["object_id"].to_numpy(),
        BANDS,
        made[[f"mag_{b}" for b in BANDS]].to_numpy(),
        np.full((600, 4), 0.02),
        {name: made[f"z_{name}"].to_numpy() for name in ("many_band", "spec")},
        np.where(np.arange(600) % 2, "train", "test"),
    )
    mixz.write_galaxies(galaxies, tmp_path / "galaxies.parquet")
    record = nz(home, str(tmp_path / "galaxies.parquet"), tmp_path / "out", asked=asked(bins=1))
    labels = {name: one["labels"] for name, one in record["bins"][0]["methods"].items()}
    assert labels["labels"] == pytest.approx(600)
    assert labels["both"] < 300.5
    assert "errors hold no cosmic variance: not every galaxy has a position" in record["notes"]
