"""Configs say what is wrong with them: the place, what is allowed, the nearest name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mixz.errors import MixzError
from mixz.settings.config import Config
from mixz.settings.file import load_config
from mixz.settings.recipe import Step, named_recipe
from mixz.settings.truths import KNOWN_SETTINGS, TruthSettings

ROOT = Path(__file__).parents[2]


def test_a_good_config_is_resolved(toy_settings: dict[str, Any], write_config: Any) -> None:
    config = load_config(write_config(toy_settings))
    assert config.tables[0].path.is_file(), "paths start at the config's folder"
    assert config.ref_band == "i"
    assert tuple(config.recipes) == ("base", "spec", "tl", "combo")
    assert config.recipe("tl").steps[1] == Step(truths=("spec",), freeze=2, lr_factor=0.2, epochs=3, batch_size=50)


def test_fused_is_the_default_and_believes_what_there_is(toy_settings: dict[str, Any], write_config: Any) -> None:
    del toy_settings["recipes"]
    (step,) = load_config(write_config(toy_settings)).recipe("fused").steps
    assert (step.truths, step.loss, step.epochs) == (("many_band", "spec"), "label_likelihood", 3)
    toy_settings["tables"] = toy_settings["tables"][1:]
    config = load_config(write_config(toy_settings))
    assert config.recipe("fused").steps[0].truths == ("spec",)
    assert config.recipe("fused").network.head_name == "binned"


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_shipped_config_is_valid(path: Path) -> None:
    assert load_config(path).name == path.stem


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"membrs": 3}, "unknown key 'membrs'; allowed: name, .*nearest name: 'members'"),
        ({"members": 0}, "members: .*greater than or equal to 1.*given: 0"),
        ({"members": "many"}, "members: .*given: 'many'"),
        ({"bands": ["g", "g"]}, "name each band once"),
        ({"ref_band": "Y"}, "ref_band 'Y' is not one of the bands"),
        ({"name": "../up"}, "name: "),
        ({"recipes": ["bse"]}, "no recipe is called 'bse'.*nearest name: 'base'"),
        ({"recipes": {"mine": []}}, "recipes.mine: a recipe has at least one step"),
        ({"recipes": {"mine": [{"truths": ["grism"]}]}}, "trains on truth 'grism'; the tables offer"),
        ({"recipes": {"mine": [{"truths": ["spec"], "freeze": 9}]}}, "freezes 9 layers; the network has 3"),
        ({"recipes": {"mine": [{"truths": ["spec", "spec"]}]}}, "name each truth once"),
        ({"recipes": {"mine": [{"truths": ["spec"], "learning_rate": 1}]}}, "unknown key 'learning_rate'"),
        ({"training": {"patiense": 3}}, "unknown key 'patiense'"),
        ({"recipes": {"mine": [{"truths": ["spec"], "loss": "label_likelihood"}]}}, "end in a point; set networks"),
        ({"recipes": {"mine": [{"truths": ["spec"], "loss": "imitate"}]}}, "is for distillation"),
        ({"split": {"train": 0.9}}, "must sum to 1"),
        ({"truths": {"grism": {"kernel": "gaussian"}}}, "kernel: gaussian needs sigma"),
        ({"truths": {"grism": {"kernel": "exact", "sigma": 0.1}}}, "sigma goes with kernel: gaussian or reported"),
        ({"truths": {"grism": {"kernel": "table"}}}, "table, a file, goes with kernel: table"),
        ({"truths": {"grism": {"learn_scale": True}}}, "an exact kernel has no scale"),
        ({"truths": {"grism": {"learn_kernel": True}}}, "an exact kernel has nothing to learn"),
        (
            {"truths": {"many_band": {"kernel": "cosmos2020", "learn_scale": True, "learn_kernel": True}}},
            "set one of learn_scale and learn_kernel",
        ),
        (
            {
                "truths": {
                    "many_band": {"kernel": "cosmos2020", "learn_from": {"path": "p.csv", "truths": {"spec": "z"}}}
                }
            },
            "learn_from, a table, goes with",
        ),
        (
            {
                "truths": {
                    "many_band": {
                        "kernel": "cosmos2020",
                        "learn_kernel": True,
                        "learn_from": {"path": "p.csv", "truths": {"many_band": "z"}},
                    }
                }
            },
            "needs labels of 'many_band' and of a truth whose kernel is exact",
        ),
        ({"truths": {"many_band": {"kernel": "reported"}}}, "reported needs truth_errors of many_band"),
        ({"truths": {"many_band": {"kernel": "cosmos2020", "outliers": 0.1}}}, "outliers goes with kernel: reported"),
        ({"cuts": [{"name": "bright", "column": "mag_i"}]}, "a cut needs min, max, above"),
    ],
)
def test_mistakes_are_named(change: dict[str, Any], message: str, toy_settings: Any, write_config: Any) -> None:
    with pytest.raises(MixzError, match=f"(?s){message}"):
        load_config(write_config(toy_settings | change))


def test_a_new_truth_must_say_how_wrong_it_can_be(toy_settings: dict[str, Any], write_config: Any) -> None:
    toy_settings["tables"][1]["truths"] = {"grism": "z_spec"}
    toy_settings["recipes"] = ["base"]
    with pytest.raises(MixzError, match="say how wrong it can be"):
        load_config(write_config(toy_settings))
    toy_settings["truths"] = {"grism": {"kernel": "gaussian", "sigma": 0.003}}
    assert load_config(write_config(toy_settings)).truth_settings()["grism"].error_kernel() is not None


def test_one_pattern_for_all_bands_needs_a_band(toy_settings: dict[str, Any], write_config: Any) -> None:
    toy_settings["tables"][0]["columns"] = {"mag": "mag_g"}
    with pytest.raises(MixzError, match="write {band} where the band's name goes"):
        load_config(write_config(toy_settings))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\nbands:\n\t- g\n", "line 3.*(?s:.*)spaces, not tabs"),
        ("name: a\nname: b\n", "key 'name' is given twice"),
        ("just words", "is not a config"),
        ("name: [", "line 1|line 2"),
    ],
)
def test_what_is_no_config(text: str, message: str, write_config: Any) -> None:
    with pytest.raises(MixzError, match=message):
        load_config(write_config(text))


def test_missing_config(tmp_path: Path) -> None:
    with pytest.raises(MixzError, match="no config file"):
        load_config(tmp_path / "none.yaml")


def test_digests_name_what_matters(toy_settings: dict[str, Any], write_config: Any) -> None:
    def load(**changes: Any) -> Config:
        return load_config(write_config(toy_settings | changes))

    config = load()
    assert config.digest() == load(out="elsewhere").digest()
    assert config.build_digest() == load(members=5).build_digest()
    assert config.build_digest() != load(split={"seed": 1}).build_digest()
    assert config.train_digest("base") != load(members=5).train_digest("base")
    assert config.train_digest("base") == load(recipes=["base"]).train_digest("base")
    assert len({config.train_digest(name) for name in config.recipes}) == 4


def test_digests_do_not_depend_on_how_the_config_is_named(
    toy_settings: dict[str, Any], write_config: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = write_config(toy_settings)
    monkeypatch.chdir(tmp_path)
    digests = {load_config(p).digest() for p in (path, path.name, f"./{path.name}", f"../{tmp_path.name}/{path.name}")}
    assert len(digests) == 1


def test_the_reference_band_is_i_in_either_case(toy_settings: dict[str, Any], write_config: Any) -> None:
    toy_settings["tables"] = toy_settings["tables"][:1]
    toy_settings["tables"][0]["columns"] = {"mag": "mag_{band}"}
    toy_settings["recipes"] = ["base"]
    for bands, ref_band in ((["U", "G", "R", "I", "Z", "Y"], "I"), (["g", "r"], "r")):
        assert load_config(write_config(toy_settings | {"bands": bands})).ref_band == ref_band


def test_a_recipe_may_be_written_whole(toy_settings: dict[str, Any], write_config: Any) -> None:
    steps = [{"truths": ["spec"], "loss": "label_likelihood"}]
    written = {"mine": {"steps": steps, "network": {"head": "binned", "hidden": [8]}}, "fused": steps, "spec": None}
    changed = toy_settings | {"recipes": written, "networks": {"mine": {"nodes": 50}}}
    config = load_config(write_config(changed))
    mine = config.recipe("mine").network
    assert (mine.head, mine.hidden, mine.nodes) == ("binned", (8,), 50), "its own goes before the run's"
    assert config.recipe("mine").steps[0].epochs == 3, "what steps leave open is as training says"
    assert config.recipe("fused").network.inputs == "whitened", "a known recipe's network, whatever its steps"
    assert config.recipe("spec").network == config.network
    again = Config.model_validate(config.model_dump(mode="json"))
    assert again.recipes == config.recipes
    with pytest.raises(MixzError, match="recipe 'yours' is not in the config"):
        config.recipe("yours")


def test_recipes_are_looked_up_by_name() -> None:
    assert named_recipe("combo").steps[0].truths == ("many_band", "spec")
    with pytest.raises(MixzError, match="nearest name: 'combo'"):
        named_recipe("combos")


def test_a_default_kernel_that_changes_asks_for_another_build(
    toy_settings: dict[str, Any], write_config: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_open = load_config(write_config(toy_settings))
    own = {"many_band": {"kernel": "cosmos2020"}}
    said = load_config(write_config(toy_settings | {"truths": own}))
    before = left_open.build_digest(), said.build_digest()
    monkeypatch.setitem(KNOWN_SETTINGS, "many_band", TruthSettings(kernel="gaussian", sigma=0.02))
    assert left_open.build_digest() != before[0]
    assert said.build_digest() == before[1], "what a config says itself is what it goes by"


def own(settings: dict[str, Any], *bands: list[str] | None, **more: Any) -> dict[str, Any]:
    """The settings with bands of each table (None: not told), and others changed."""
    tables = [t | ({"bands": b} if b else {}) for t, b in zip(settings["tables"], bands, strict=True)]
    return settings | {"bands": ["u", "g", "r", "i", "z"], "tables": tables} | more


def test_tables_say_which_bands_they_have(toy_settings: dict[str, Any], write_config: Any) -> None:
    config = load_config(write_config(own(toy_settings, ["g", "r", "i", "z"], None)))
    assert config.shared_bands == ("g", "r", "i", "z")
    config = load_config(write_config(own(toy_settings, ["g", "r"], ["u", "r", "i", "z"])))
    assert (config.shared_bands, config.ref_band) == (("r",), "r"), "the reference band is one that all have"


@pytest.mark.parametrize(
    ("bands", "more", "message"),
    [
        ((["g", "Y"], None), {}, "table 'deep': bands: 'Y' is none of the bands u, g, r, i, z"),
        ((["g", "g"], None), {}, "table 'deep': bands .*name each band once"),
        ((["u", "g"], ["r", "i", "z"]), {}, "no band is in every table .deep has u, g; wide has r, i, z"),
        ((["u", "g"], None), {"ref_band": "i"}, "ref_band 'i' is not in every table .*shared are u, g"),
        ((["g", "r"], ["g", "r", "i"]), {}, "no table has band 'u'"),
        ((["g", "r"], None), {"networks": {"spec": {"own_bands": ["y"]}}}, "own_bands of 'spec': 'y' is none of"),
        ((["g", "r"], None), {"networks": {"spec": {"own_bands": ["r"]}}, "ref_band": "r"}, "'r' is the ref_band"),
        ((["g", "r"], None), {"networks": {"spec": {"own_bands": ["i", "i"]}}}, "name each band once"),
        ((["g", "r"], None), {"networks": {"spec": {"drop_own": 1}}}, "networks.spec: .*less than 1"),
        (
            (["g", "r"], None),
            {"network": {"systems": True, "colour_terms": {"wide": {"i": {"colour": ["g", "r"], "slope": 0.1}}}}},
            "band 'i' is none of those that every table has, g, r",
        ),
    ],
)
def test_bands_that_do_not_fit_are_refused(
    bands: tuple[list[str] | None, ...], more: dict[str, Any], message: str, toy_settings: dict[str, Any],
    write_config: Any,
) -> None:  # fmt: skip
    with pytest.raises(MixzError, match=message):
        load_config(write_config(own(toy_settings, *bands, **more)))


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ({"y": 0.1}, "columns: zero_points: 'y' is none of the bands"),
        ({"u": 0.1}, "columns: zero_points: it has no band 'u'"),
        ({"g": 8}, "less than 5"),
    ],
)
def test_zero_points_that_do_nothing_or_are_none_are_refused(
    points: dict[str, float], message: str, toy_settings: dict[str, Any], write_config: Any
) -> None:
    settings = own(toy_settings, ["g", "r", "i", "z"], None)
    settings["tables"][0]["columns"] = {"zero_points": points}
    with pytest.raises(MixzError, match=message):
        load_config(write_config(settings))
