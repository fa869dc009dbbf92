"""A default install, simulated by hiding what only extras bring: help for every verb, and which extra a verb needs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.main import get_command

from light import run_without
from mixz.cli.experiment import DEMO
from mixz.cli.verbs import app
from mixz.errors import pip_install

ABSENT = (
    *("ceci", "distributed", "fastapi", "hats", "lsdb", "mlflow", "onnx", "onnxscript", "photerr", "qp", "rail"),
    *("safetensors", "sklearn", "skypy", "speclite", "tables_io", "torch", "uvicorn"),
)
VERBS = {
    "run": "train",
    f"train {DEMO}": "train",
    "predict model in.csv -o out.csv": "train",
    "export model": "train,onnx",
    "predict model sky -o out": "hats",
    "serve model.onnx": "serve",
    "mock --galaxies 200 --out out": "mock",
    "challenge train in.csv -o out.mixz": "train",
    "challenge estimate model.mixz in.csv -o out.hdf5": "train",
    "challenge score in.hdf5 --truth in.csv": "rail",
    "challenge mock --out out": "rail",
}
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]
CHALLENGES = COMMANDS["challenge"].commands
HELP = ["", *COMMANDS, *(f"challenge {verb}" for verb in CHALLENGES)]
NO_CONFIG = [verb for verb, command in COMMANDS.items() if any(one.name == "config" for one in command.params)]
SCRIPT = """
import contextlib, io, json
from mixz.cli import main
found = {}
for line in json.loads(sys.argv[1]):
    sys.argv = ["mixz", *line.split()]
    told, code = io.StringIO(), 0
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(told):
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
    found[line] = [code, told.getvalue()]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """Ask for every verb and every help in one process of a default install."""
    place = tmp_path_factory.mktemp("light")
    (place / "sky").mkdir()
    (place / "sky" / "hats.properties").touch()
    (place / "in.csv").write_text("mag_g,mag_r\n24,23\n")
    asked = json.dumps(
        [*VERBS, *(f"{verb} --help".strip() for verb in HELP), *(f"{verb} no.yaml" for verb in NO_CONFIG)]
    )
    done = run_without(ABSENT, SCRIPT, asked, cwd=place)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in Path(place).iterdir()) == ["in.csv", "sky"], "nothing half-done is left"
    return {line: (code, words) for line, (code, words) in json.loads(done.stdout).items()}


@pytest.mark.parametrize("line", VERBS)
def test_a_verb_says_which_extra_it_needs(told: dict[str, tuple[int, str]], line: str) -> None:
    code, words = told[line]
    assert code == 2
    assert f"do: {pip_install(*VERBS[line].split(','))}" in words


@pytest.mark.parametrize("verb", HELP)
def test_help_needs_no_extra(told: dict[str, tuple[int, str]], verb: str) -> None:
    assert told[f"{verb} --help".strip()][0] == 0


@pytest.mark.parametrize("verb", NO_CONFIG)
def test_a_config_is_read_before_anything_is_loaded(told: dict[str, tuple[int, str]], verb: str) -> None:
    code, words = told[f"{verb} no.yaml"]
    assert code == 2
    assert words.startswith("mixz: no config file no.yaml"), "of a config that is not there, not of torch"
