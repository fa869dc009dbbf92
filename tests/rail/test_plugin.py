"""mixz in RAIL as its users run it: in memory, on files, interactively, from both command lines, in a pipeline."""

from __future__ import annotations

import os
import pickle
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from mixz.errors import MixzError

pytest.importorskip("rail.core", reason="needs mixz[rail]")
pytestmark = [
    pytest.mark.filterwarnings("default"),  # RAIL's and its packages' warnings are theirs
]

import qp  # noqa: E402
import tables_io  # noqa: E402
from rail.core.data import QPHandle, TableHandle  # noqa: E402

from rail.estimation.algos.mixz import (  # noqa: E402
    MixzEstimator,
    MixzInformer,
    MixzModelHandle,
    MixzPairInformer,
    export_model,
)

BANDS = "ugrizy"
SMALL: dict[str, Any] = {"members": 2, "epochs": 4, "network": {"hidden": [16, 16], "nodes": 60}}
RUNS = Path(sys.executable).parent


def catalogue(galaxies: int, *, seed: int) -> dict[str, Any]:
    """Make a table as RAIL's users have them, redshifts written into the colours, some galaxies unseen in u."""
    rng = np.random.default_rng(seed)
    z = rng.uniform(0.05, 2.0, galaxies)
    table: dict[str, Any] = {"object_id": np.arange(galaxies) + 1000}
    for k, band in enumerate(BANDS):
        table[f"mag_{band}_lsst"] = 23 + rng.normal(0, 0.5, galaxies) * 0.1 - k * 0.4 * z
        table[f"mag_err_{band}_lsst"] = np.full(galaxies, 0.03)
    table["mag_u_lsst"][::9] = 99.0
    table["mag_err_u_lsst"][::9] = 99.0
    has_spec = rng.random(galaxies) < 0.5
    table["redshift"] = np.where(has_spec, z, np.nan)
    table["redshift_manyband"] = np.where(has_spec, np.nan, z + rng.normal(0, 0.02, galaxies))
    return table


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a training and a test file, and a model trained on the first in it."""
    home = tmp_path_factory.mktemp("rail")
    tables_io.write({"photometry": catalogue(500, seed=1)}, str(home / "train"), "hdf5")
    test = catalogue(230, seed=2)
    test["redshift"] = np.where(np.isnan(test["redshift"]), test.pop("redshift_manyband"), test["redshift"])
    tables_io.write({"photometry": test}, str(home / "test"), "hdf5")
    here = Path.cwd()
    os.chdir(home)
    try:
        informer = MixzInformer.make_stage(name="whole", **SMALL)
        informer.inform(TableHandle("train", path=str(home / "train.hdf5")))
    finally:
        os.chdir(here)
    return home


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def densities(ensemble: Any) -> Any:
    return np.asarray(ensemble.objdata["yvals"])


def test_in_memory() -> None:
    model = MixzInformer.make_stage(name="m", hdf5_groupname="", output_mode="return", **SMALL).inform(
        catalogue(300, seed=1)
    )
    stage = MixzEstimator.make_stage(name="e", model=model, hdf5_groupname="", output_mode="return")
    found = stage.estimate(catalogue(50, seed=3))()
    assert found.npdf == 50
    assert found.ancil["object_id"].tolist() == list(range(1000, 1050))
    for name in ("zmode", "zmean", "zmedian", "zbest"):
        assert np.isfinite(found.ancil[name]).all(), "99 in u is a non-detection, not a missing band"


@pytest.mark.parametrize("settings", [{}, {"output_grid": "model"}, {"pdf": "quant"}, {"pdf": "mixmod"}])
def test_on_files_whatever_the_chunk_size(files: Path, settings: dict[str, Any]) -> None:
    found = []
    for chunk in (37, 10_000):
        stage = MixzEstimator.make_stage(
            name=f"by{chunk}", model=str(files / "model_whole.mixz"), chunk_size=chunk, **settings
        )
        stage.estimate(TableHandle(f"test{chunk}", path=str(files / "test.hdf5")))
        found.append(qp.read(f"output_by{chunk}.hdf5"))
    one, other = found
    assert one.npdf == other.npdf == 230
    for name, values in one.ancil.items():
        # Matrix products of other shapes differ in their last digit.
        np.testing.assert_allclose(values, other.ancil[name], rtol=1e-5, err_msg=name)
    grid = np.linspace(0, 3, 50)
    np.testing.assert_allclose(one.pdf(grid), other.pdf(grid), rtol=1e-4, atol=1e-6)
    assert {"zmode", "zmean", "zmedian", "zbest", "object_id", "redshift"} <= set(one.ancil)


def test_mixz_predict_reads_the_same_table_alike(files: Path) -> None:
    from rich.console import Console

    from mixz.data.tables import read_table
    from mixz.stages import predict

    stage = MixzEstimator.make_stage(name="rails", model=str(files / "model_whole.mixz"), output_grid="model")
    stage.estimate(TableHandle("test", path=str(files / "test.hdf5")))
    predict(files / "model_whole.mixz", files / "test.hdf5", Path("ours.parquet"), Console(quiet=True))
    ours, rails = read_table("ours.parquet"), qp.read("output_rails.hdf5").ancil
    assert ours["object_id"].tolist() == rails["object_id"].tolist()
    for name in ("zmode", "zbest"):  # one galaxy in nine is unseen in u: 99
        np.testing.assert_allclose(ours[name], rails[name], rtol=1e-5)


def test_rows_without_names_are_counted_through_chunks(files: Path) -> None:
    test = {name: values for name, values in catalogue(60, seed=4).items() if name != "object_id"}
    tables_io.write({"photometry": test}, "nameless", "hdf5")
    stage = MixzEstimator.make_stage(name="n", model=str(files / "model_whole.mixz"), chunk_size=25)
    found = stage.estimate(TableHandle("nameless", path="nameless.hdf5"))()
    assert found.ancil["object_id"].tolist() == list(range(60))


def test_training_tells_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    options = {"hdf5_groupname": "", "output_mode": "return", **SMALL}
    MixzInformer.make_stage(name="mine", **options).inform(catalogue(200, seed=1))
    assert "mine: train fused: done in" in capsys.readouterr().err


def test_two_tables_of_labels() -> None:
    spectra, many = catalogue(250, seed=5), catalogue(250, seed=6)
    options = SMALL | {"hdf5_groupname": "", "output_mode": "return"}
    handle = MixzPairInformer.make_stage(name="pair", **options).inform(spectra, many)
    assert handle().steps[0].truths == ("many_band", "spec")


def test_two_tables_of_different_bands() -> None:
    spectra, many = catalogue(300, seed=1), catalogue(300, seed=2)
    for band, table in (("u", many), ("y", spectra)):
        for kind in ("mag", "mag_err"):
            del table[f"{kind}_{band}_lsst"]
    with pytest.warns(UserWarning, match="'input_manyband' has no magnitudes in u: it is taken without"):
        handle = MixzPairInformer.make_stage(name="own", hdf5_groupname="", output_mode="return", **SMALL).inform(
            spectra, many
        )
    assert handle.data.own_bands == ("u", "y")
    asked = {"hdf5_groupname": "", "output_mode": "return", "model": handle}
    whole, less = catalogue(50, seed=3), catalogue(50, seed=3)
    del less["mag_u_lsst"], less["mag_err_u_lsst"]
    with_u, without = (
        densities(MixzEstimator.make_stage(name=name, **asked).estimate(table).data)
        for name, table in (("with_u", whole), ("without", less))
    )
    assert np.isfinite(without).all()
    assert not np.allclose(with_u, without)
    del many["mag_i_lsst"]  # the reference band stands in both
    stage = MixzPairInformer.make_stage(name="ref", hdf5_groupname="", output_mode="return", **SMALL)
    with pytest.raises(MixzError, match="mag_i_lsst"):
        stage.inform(spectra, many)


def test_a_column_of_truths() -> None:
    table = catalogue(300, seed=7)
    has_spec = np.isfinite(table["redshift"])
    table["redshift"] = np.where(has_spec, table["redshift"], table.pop("redshift_manyband"))
    table["by"] = np.where(has_spec, "spec", "many_band")
    options = SMALL | {"hdf5_groupname": "", "output_mode": "return", "truth_col": "by"}
    model = MixzInformer.make_stage(name="by", **options).inform(table)()
    assert model.steps[0].truths == ("many_band", "spec")


def test_the_other_spelling_of_errors_and_nan() -> None:
    table = catalogue(200, seed=8)
    for band in BANDS:
        table[f"mag_{band}_lsst_err"] = table.pop(f"mag_err_{band}_lsst")
    table["mag_u_lsst"] = np.where(table["mag_u_lsst"] > 90, np.nan, table["mag_u_lsst"])
    options = SMALL | {"hdf5_groupname": "", "output_mode": "return"}
    model = MixzInformer.make_stage(name="s", **options).inform(table)()
    assert model.bands == tuple(BANDS)


def test_weights_count() -> None:
    table = catalogue(200, seed=9) | {"w": np.r_[np.zeros(100), np.ones(100)]}
    options = SMALL | {"hdf5_groupname": "", "output_mode": "return"}
    plain = MixzInformer.make_stage(name="w0", **options).inform(table)()
    weighted = MixzInformer.make_stage(name="w1", use_weights=True, weights_column="w", **options).inform(table)()
    half = {name: values[100:] for name, values in catalogue(200, seed=9).items()}
    assert any((plain.weights[k] != weighted.weights[k]).any() for k in plain.weights)
    with pytest.raises(MixzError, match="weight of"):
        MixzInformer.make_stage(name="w2", use_weights=True, weights_column="w", **options).inform(
            half | {"w": -np.ones(100)}
        )


@pytest.fixture(scope="module")
def told(files: Path) -> str:
    """What a process of its own tells that imports every plugin, and then trains and estimates interactively."""
    script = f"""
import sys
import tables_io
import rail.stages
rail.stages.import_and_attach_all(silent=True)
print(rail.stages.MixzEstimator.name, "torch", "torch" in sys.modules)
import rail.interactive as ri
table = tables_io.read({str(files / "train.hdf5")!r})["photometry"]
model = ri.estimation.algos.mixz.mixz_informer(training_data=table, hdf5_groupname="", **{SMALL!r})["model"]
found = ri.estimation.algos.mixz.mixz_estimator(input_data=table, model=model, hdf5_groupname="")["output"]
print("galaxies", found.npdf)
pair = ri.estimation.algos.mixz.mixz_pair_informer
model = pair(training_data=table, input_manyband=table, hdf5_groupname="", **{SMALL!r})["model"]
print("truths", *model.steps[0].truths)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_importing_every_plugin_loads_no_torch(told: str) -> None:
    assert "MixzEstimator torch False" in told


def test_interactively(told: str) -> None:
    assert "galaxies 500" in told
    assert "truths many_band spec" in told


def test_rail_run_estimator(files: Path) -> None:
    from rail.cli.rail.commands import cli

    command = ["run", "estimator", "--stage_name", "cli", "--stage_class", "MixzEstimator"]
    command += ["--stage_module", "rail.estimation.algos.mixz", "--model_file", files / "model_whole.mixz"]
    command += ["--input_file", files / "test.hdf5"]
    done = CliRunner().invoke(cli, list(map(str, command)))
    assert done.exit_code == 0, done.output[-2000:]
    assert qp.read("output_cli.hdf5").npdf == 230


def test_python_m_ceci(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process; the pipeline below starts its stages by the same command."""
    Path("stage.yml").write_text("MixzEstimator:\n  chunk_size: 100\n  hdf5_groupname: photometry\n")
    command = ["ceci", "rail.estimation.algos.mixz.MixzEstimator", "--config=stage.yml"]
    command += [f"--model={files / 'model_whole.mixz'}", f"--input={files / 'test.hdf5'}", "--output=photoz.hdf5"]
    monkeypatch.setattr(sys, "argv", command)
    runpy.run_module("ceci", run_name="__main__")
    assert qp.read("photoz.hdf5").npdf == 230


def test_a_pipeline_built_saved_and_executed(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import ceci

    # ceci runs stages with the `python3` that the shell would find.
    monkeypatch.setenv("PATH", f"{RUNS}{os.pathsep}{os.environ['PATH']}")

    pipeline = RailPipelineOfTwo()
    inputs = {"input": str(files / "train.hdf5")}
    pipeline.initialize(inputs, {"output_dir": ".", "log_dir": ".", "resume": False}, None)
    pipeline.save("pipeline.yml")
    again = ceci.Pipeline.read("pipeline.yml")
    assert again.run() == 0, "".join(path.read_text()[-2000:] for path in Path().glob("*.out"))
    assert qp.read("output_estimate.hdf5").npdf == 500


def test_evaluators_on_the_output(files: Path) -> None:
    from rail.evaluation.dist_to_point_evaluator import DistToPointEvaluator
    from rail.evaluation.point_to_point_evaluator import PointToPointEvaluator

    stage = MixzEstimator.make_stage(name="ev", model=str(files / "model_whole.mixz"))
    stage.estimate(TableHandle("test", path=str(files / "test.hdf5")))
    truth = TableHandle("truth", path=str(files / "test.hdf5"))
    for kind, metric in ((DistToPointEvaluator, "cdeloss"), (PointToPointEvaluator, "point_bias")):
        evaluator = kind.make_stage(
            name=f"{metric}_stage", metrics=[metric], reference_dictionary_key="redshift",
            point_estimate_key="zmode", hdf5_groupname="photometry", force_exact=True,
        )  # fmt: skip
        found = evaluator.evaluate(QPHandle("photoz", path="output_ev.hdf5"), truth)
        assert np.isfinite(np.asarray(found["summary"]()[metric], float)).all()


def test_the_model_for_the_service_is_data(files: Path) -> None:
    from rail.core.model import Model

    export_model(str(files / "model_whole.mixz"), "model_mixz.pkl", catalog_tag="dc2")
    wrapped = Model.read("model_mixz.pkl")
    wrapped.validate("MixzInformer", 0)
    assert (wrapped.catalog_tag, type(wrapped.data)) == ("dc2", bytes)
    stages = [
        MixzEstimator.make_stage(name=f"svc{k}", model=str(path), hdf5_groupname="", output_mode="return")
        for k, path in enumerate((files / "model_whole.mixz", "model_mixz.pkl"))
    ]
    one, other = (stage.estimate(catalogue(20, seed=3))() for stage in stages)
    np.testing.assert_array_equal(densities(one), densities(other))


class Evil:
    def __reduce__(self) -> Any:
        return Path.touch, (Path("touched"),)


def test_a_pickle_with_code_is_refused_and_not_run() -> None:
    Path("evil.pkl").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(MixzError, match="no model of mixz"):
        MixzModelHandle("model", path="evil.pkl").read()
    assert not Path("touched").exists()
    with pytest.raises(MixzError, match="no model file"):
        MixzModelHandle("model", path="nothing.mixz").read()


@pytest.mark.parametrize(
    ("change", "options", "words"),
    [
        ({}, {"err_bands": ["mag_err_g_lsst"]}, "6 columns of magnitudes and 1 of their errors"),
        ({}, {"use_weights": True}, "use_weights without weights_column"),
        ({"redshift": np.full(40, 99.0), "redshift_manyband": np.full(40, np.nan)}, {}, "no galaxy .* has a redshift"),
        ({"by": np.full(40, "photo")}, {"truth_col": "by"}, "says photo"),
        ({"mag_g_lsst": np.full(40, "bright")}, {}, "holds 'bright'"),
        ({"mag_g_lsst": np.full(40, 3e5)}, {}, "holds no AB magnitudes"),
        ({}, {"members": 0}, "members: 0"),
        ({}, {"ref_band": "mag_K"}, "ref_band 'mag_K'"),
    ],
)
def test_training_tables_and_options_that_cannot_be(change: Any, options: Any, words: str) -> None:
    settings = SMALL | {"hdf5_groupname": "", "output_mode": "return"} | options
    with pytest.raises(MixzError, match=words):
        MixzInformer.make_stage(name="bad", **settings).inform(catalogue(40, seed=1) | change)


def test_a_pair_needs_two_tables() -> None:
    stage = MixzPairInformer.make_stage(name="single", hdf5_groupname="", output_mode="return", **SMALL)
    with pytest.raises(MixzError, match="one table of labels"):
        stage.inform(catalogue(40, seed=1))


@pytest.mark.parametrize("options", [{"zmin": 2.0, "zmax": 1.0}, {"nzbins": 1}])
def test_grids_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(MixzError, match="nodes from zmin"):
        MixzEstimator.make_stage(name="grid", **options)


def test_unknown_options_are_refused() -> None:
    with pytest.raises(MixzError, match=r"no option 'membres'[\s\S]*nearest name: 'members'"):
        MixzInformer.make_stage(name="x", membres=3)
    with pytest.raises(MixzError, match="interp, quant or mixmod"):
        MixzEstimator.make_stage(name="y", pdf="histogram")


if True:  # a class of its own module: RAIL finds a pipeline's stages by where they are defined
    from rail.core.stage import RailPipeline

    class RailPipelineOfTwo(RailPipeline):
        """Train, then estimate."""

        def __init__(self) -> None:
            super().__init__()
            self.inform = MixzInformer.build(**SMALL)
            self.estimate = MixzEstimator.build(connections={"model": self.inform.io.model})
