"""The command line: every mistake ends with one clear message and exit code 2, and leaves nothing half-written."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from mixz.cli import main
from mixz.cli.loading import CLEAR_LINE, IN_NOTEBOOK, WORDS, loading
from mixz.cli.loudness import speaking
from toy_survey import toy_survey


def mixz(*arguments: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    """Run the command line in this process, and give its exit code and all it said."""
    monkeypatch.setattr(sys, "argv", ["mixz", *map(str, arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    said = capsys.readouterr()
    return int(stop.value.code or 0), said.out + said.err


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("COLUMNS", "200")
    return lambda *arguments: mixz(*arguments, capsys=capsys, monkeypatch=monkeypatch)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run of one recipe."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "toy.yaml").write_text(yaml.safe_dump(toy_survey(folder) | {"recipes": ["base"]}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["mixz", "run", str(folder / "toy.yaml")])
        with pytest.raises(SystemExit, match="0"):
            main()
    return folder


@pytest.fixture
def trained(finished: Path, tmp_path: Path) -> Path:
    """The model of the finished run, and a table of its survey beside it, to do with as one likes."""
    shutil.copy(finished / "wide.csv", tmp_path)
    return Path(shutil.copytree(finished / "out" / "toy" / "models" / "base", tmp_path / "base"))


def expect_refusal(outcome: tuple[int, str], *words: str) -> None:
    code, said = outcome
    assert code == 2, said
    assert "Traceback" not in said
    for word in words:
        assert word in said


def test_help_teaches(call: Any) -> None:
    code, said = call("--help")
    assert code == 0
    for verb in ("run", "build", "train", "predict", "evaluate", "report", "serve", "distill", "kernel", "fetch"):
        assert verb in said
        code, more = call(verb, "--help")
        assert code == 0
        assert "Example" in more or verb == "run"


@pytest.mark.parametrize(("bands", "told"), [(["g", "r", "i"], False), (["g", "r"], True)])
def test_a_band_that_stands_for_i_is_told(
    bands: list[str], told: bool, toy_settings: dict[str, Any], write_config: Any, call: Any
) -> None:
    path = write_config(toy_settings | {"bands": bands, "recipes": ["base"], "members": 1})
    for verb in ("build", "train"):
        code, said = call(verb, path)
        assert code == 0, said
        assert ("ref_band: r stands for i" in said) == told


def test_what_a_trained_run_gives_further(
    toy_settings: dict[str, Any], write_config: Any, call: Any, tmp_path: Path
) -> None:
    path = write_config(toy_settings | {"recipes": ["base", "fused"]})
    for verb in ("build", "train"):
        code, said = call(verb, path)
        assert code == 0, said
    expect_refusal(call("distill", path, "--recipe", "base"), "ends in a point")
    code, said = call("distill", path, "--epochs", 2, "--hidden", 8)
    assert code == 0, said
    assert "mean KL(ensemble | network)" in said
    model = tmp_path / "out" / "toy" / "models" / "fused_distilled"
    output = tmp_path / "photoz.parquet"
    code, said = call("predict", model, tmp_path / "wide.csv", "-o", output, "--system", "wide")
    assert code == 0, said
    assert output.is_file()

    expect_refusal(call("kernel", path, "--recipe", "base"), "kept apart")  # too few galaxies here
    expect_refusal(call("kernel", path, "--truth", "spec"), "one of: many_band")


def test_unknown_verb(call: Any) -> None:
    expect_refusal(call("fly"), "No such command")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"tables": [{"path": "none.parquet", "truths": {"spec": "z"}}], "recipes": ["spec"]},
            ["no file", "none.parquet"],
        ),
        ({"bands": ["g", "r", "i", "Y"]}, ["no column 'mag_Y'", "do:"]),
        ({"cuts": [{"name": "none_left", "column": "mag_i", "max": 1}]}, ["no galaxy is left after 'none_left'"]),
        ({"recipes": {"mine": [{"truths": ["grism"]}]}}, ["trains on truth 'grism'"]),
        ({"colour": "red"}, ["unknown key 'colour'", "allowed:"]),
    ],
)
def test_bad_configs(
    change: dict[str, Any], words: list[str], toy_settings: Any, write_config: Any, call: Any, tmp_path: Path
) -> None:
    expect_refusal(call("run", write_config(toy_settings | change)), *words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["is empty"]),
        ("object_id,mag_g,mag_r,mag_i,mag_z,z_spec\n", ["has no rows"]),
        ("object_id,mag_g,mag_r,mag_i,mag_z,z_spec\n1,21,twenty,19,18,0.5\n", ["column 'mag_r' row 1 holds 'twenty'"]),
        ("object_id,mag_g,mag_r,mag_i,mag_z\n1,21,20,19,18\n", ["no column", "'z_spec'"]),
        ("object_id,mag_g,mag_r,mag_i,mag_z,z_spec\n1,21,20,19,18,\n", ["no galaxy is left after 'has_a_label'"]),
    ],
)
def test_bad_tables(
    text: str, words: list[str], toy_settings: Any, write_config: Any, call: Any, tmp_path: Path
) -> None:
    (tmp_path / "wide.csv").write_text(text)
    toy_settings["tables"][1]["columns"] = {"mag_err": None}
    expect_refusal(call("build", write_config(toy_settings)), *words)
    assert not (tmp_path / "out").exists()


def test_tabs(write_config: Any, call: Any) -> None:
    expect_refusal(call("run", write_config("name: a\nbands:\n\t- g\n")), "line 3", "not tabs")


def test_missing_config(call: Any, tmp_path: Path) -> None:
    expect_refusal(call("run", tmp_path / "none.yaml"), "no config file")


def test_stages_out_of_order(toy_settings: dict[str, Any], write_config: Any, call: Any) -> None:
    path = write_config(toy_settings)
    for verb in ("train", "evaluate", "report"):
        expect_refusal(call(verb, path), "mixz build")


def test_predict_and_what_it_refuses(trained: Path, call: Any, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    wide, output = tmp_path / "wide.csv", tmp_path / "photoz.csv"
    assert call("predict", trained, wide, "-o", output)[0] == 0
    before = output.read_text()
    other = tmp_path / "other.csv"
    other.write_text("object_id,mag_u,mag_g,mag_r\n1,22,21,20\n")
    expect_refusal(call("predict", trained, other, "-o", output), "no column 'mag_i'", "columns: object_id, mag_u")
    expect_refusal(call("predict", trained, wide, "-o", tmp_path / "photoz.doc"), "unknown format")
    expect_refusal(call("predict", trained, wide, "-o", output, "--mag", "mag"), "{band}")
    expect_refusal(call("predict", trained, wide, "-o", output, "--id", "name"), "no column 'name'")
    expect_refusal(call("predict", tmp_path / "empty", wide, "-o", output), "no model in", "mixz train")
    (trained / "weights.safetensors").write_bytes(b"half")
    expect_refusal(call("predict", trained, wide, "-o", output), "is damaged")
    (trained / "model.json").write_text('{"format": 99}')
    expect_refusal(call("predict", trained, wide, "-o", output), "model format 99")
    assert output.read_text() == before, "what was good is still there"


def test_predict_with_other_column_names(trained: Path, call: Any, tmp_path: Path) -> None:
    table = tmp_path / "hsc.csv"
    table.write_text("name,g_cmodel_mag,r_cmodel_mag,i_cmodel_mag,z_cmodel_mag\nx1,22,21,20.5,20\n")
    code, said = call("predict", trained, table, "-o", tmp_path / "p.csv", "--mag", "{band}_cmodel_mag", "--id", "name")
    assert code == 0, said
    assert "x1," in (tmp_path / "p.csv").read_text()


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    """As a process: what Python itself prints of an error, and `python -m mixz`."""
    command = [sys.executable, "-m", "mixz", "run", str(tmp_path / "none.yaml"), "--debug"]
    debug = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "Traceback" in debug.stderr
    assert "no config file" in debug.stderr


def test_init_writes_a_config_that_runs(tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    toy_survey(tmp_path)
    monkeypatch.chdir(tmp_path)
    code, said = call("init", "deep.parquet", "wide.csv", "--truth", "many_band=z_many")
    assert code == 0, said
    assert "next: read it, then mixz run deep.yaml" in said
    code, said = call("build", "deep.yaml")
    assert code == 0, said
    expect_refusal(call("init", "deep.parquet"), "deep.yaml is there already")


def test_init_leaves_open_what_it_cannot_tell(tmp_path: Path, call: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    toy_survey(tmp_path)
    monkeypatch.chdir(tmp_path)
    pd.read_parquet("deep.parquet").rename(columns={"z_many": "redshift"}).to_parquet("open.parquet")
    code, said = call("init", "open.parquet")
    assert code == 0, said
    assert "TO SET: open.parquet column 'redshift' holds redshifts" in said
    expect_refusal(call("run", "open.yaml"), "SET_ME")
    expect_refusal(call("init", "open.parquet", "--truth", "redshift", "-o", "b.yaml"), "KIND=COLUMN")
    expect_refusal(call("init", "missing.parquet"), "no file missing.parquet")


def test_the_version_is_told(call: Any) -> None:
    code, said = call("--version")
    assert (code, said.strip()) == (0, f"mixz {version('mixz')}")


def test_quiet_says_nothing_and_json_is_all_of_standard_output(
    finished: Path, tmp_path: Path, call: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = finished / "toy.yaml"
    assert call("build", config, "--out", tmp_path / "quiet", "-q") == (0, "")
    monkeypatch.setattr(sys, "argv", ["mixz", "evaluate", str(config), "--resamples", "20", "--json"])
    with pytest.raises(SystemExit, match="0"):
        main()
    printed = capsys.readouterr()
    (many_band, *_) = json.loads(printed.out)
    assert many_band["truth"] == "many_band"
    assert many_band["best"] == "base"
    assert "evaluate" in printed.err
    code, said = call("-q", "report", config, "--json")
    assert (code, [one["best"] for one in json.loads(said)]) == (0, ["base"] * len(json.loads(said)))


def test_verbose_tells_time_and_memory(call: Any) -> None:
    code, said = call("fetch", "--list", "-v")
    assert code == 0
    assert "mixz: took" in said
    assert "GB of memory at most" in said


def test_doctor_names_versions_devices_and_what_is_kept_where(call: Any) -> None:
    code, said = call("doctor")
    assert code == 0, said
    for word in ("mixz: ", "numpy ", "cpu: ", "cache: ", "train: "):
        assert word in said
    found = json.loads(call("doctor", "--json")[1])
    assert set(found["extras"]) >= {"train", "hats", "rail", "serve"}


@pytest.mark.parametrize(("quiet", "notebook", "told"), [(0, 0, True), (1, 0, False), (0, 1, False)])
def test_a_terminal_is_told_that_something_loads(
    quiet: bool, notebook: bool, told: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.delenv(IN_NOTEBOOK, raising=False)
    if notebook:
        monkeypatch.setenv(IN_NOTEBOOK, "7")
    with speaking("quiet" if quiet else "usual"), loading():
        during = capsys.readouterr()
    after = capsys.readouterr()
    assert (during.out, after.out) == ("", "")
    assert (during.err, after.err) == ((WORDS, CLEAR_LINE) if told else ("", ""))


def test_off_a_terminal_nothing_is_said_of_loading(call: Any, tmp_path: Path) -> None:
    code, said = call("verify", tmp_path / "none")
    assert code == 2
    assert WORDS not in said


def test_a_page_of_a_results_folder(finished: Path, call: Any, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished / "out" / "toy", tmp_path / "toy"))
    own = folder / "report.html"
    own.write_text("old")
    code, said = call("report", folder, "-o", tmp_path / "x.html")
    assert code == 0, said
    assert own.read_text() == "old"
    assert "stays as it is" in said
    assert call("verify", folder)[0] == 1
    code, said = call("report", folder)
    assert code == 0, said
    assert "<html" in own.read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["toy", "x.html"]
    assert call("verify", folder)[0] == 0
    expect_refusal(call("report", folder, "--members", 3), "leave them out")


def test_a_shell_completes_verbs(tmp_path: Path) -> None:
    asked = {"_MIXZ_COMPLETE": "complete_bash", "COMP_WORDS": "mixz ev", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.argv = ['mixz']; from mixz.cli import main; main()"],
        capture_output=True, text=True, env=os.environ | asked, cwd=tmp_path,
    )  # fmt: skip
    assert done.stdout.split() == ["evaluate"], done.stderr
