"""GalaxySet and PhotoZ check themselves and never let anyone change them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mixz.data.joined import concatenate
from mixz.errors import MixzError
from mixz.galaxies import GalaxySet
from mixz.photoz import PhotoZ


def galaxies(**changes: object) -> GalaxySet:
    settings: dict[str, object] = {
        "object_id": ["a", "b", "c"],
        "bands": ("g", "r"),
        "mag": [[20, 19], [22, 21], [np.nan, 23]],
        "mag_err": np.full((3, 2), 0.1),
        "z": {"many_band": [0.5, 0.7, np.nan], "spec": [np.nan, 0.71, 0.2]},
    }
    return GalaxySet(**(settings | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"mag": np.zeros((3, 1))}, "mag has shape"),
        ({"mag_err": np.zeros((2, 2))}, "mag_err has shape"),
        ({"mag": np.full((3, 2), np.inf)}, "infinities"),
        ({"z": {"spec": [0.1]}}, "z\\['spec'\\] has shape"),
        ({"z": {"spec": [0.1, np.inf, 0.2]}}, "infinities"),
        ({"object_id": ["a", "b", "a"]}, "more than once, e.g. np.str_\\('a'\\)|more than once, e.g. 'a'"),
        ({"bands": ("g", "g")}, "each once"),
        ({"split": ["train", "test", "exam"]}, "exam"),
        ({"system": ["des"]}, "system has shape"),
    ],
)
def test_contradictions_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(MixzError, match=message):
        galaxies(**changes)


def test_it_cannot_be_changed_and_changes_nobody() -> None:
    mine = np.zeros((3, 2), dtype=np.float32)
    g = galaxies(mag=mine)
    with pytest.raises(ValueError, match="read-only"):
        g.mag[0, 0] = 5
    with pytest.raises(ValueError, match="read-only"):
        g.z["spec"][0] = 5
    mine[0, 0] = 1  # still writable for its owner


def test_who_has_what() -> None:
    g = galaxies()
    assert g.measured().tolist() == [True, True, False]
    assert g.has("spec").tolist() == [False, True, True]
    with pytest.raises(MixzError, match="nearest name: 'spec'"):
        g.has("specs")


@pytest.mark.parametrize("order", [["many_band", "spec"], ["spec", "many_band"]])
def test_an_exact_truth_is_believed_first(order: list[str]) -> None:
    z_ref, truth = galaxies().reference(order, exact=["spec"])
    assert z_ref.tolist() == [0.5, 0.71, 0.2]
    assert truth.tolist() == ["many_band", "spec", "spec"]


def test_among_equals_the_first_named_is_believed() -> None:
    assert galaxies().reference(["many_band", "spec"])[1].tolist() == ["many_band", "many_band", "spec"]


def test_rows_keep_everything_together() -> None:
    g = galaxies(split=["train", "test", "test"], system=["x", "y", "y"]).rows(np.array([2, 0]))
    assert (g.object_id.tolist(), g.split.tolist(), g.system.tolist()) == (["c", "a"], ["test", "train"], ["y", "x"])
    assert g.z["spec"][0] == 0.2
    assert len(g.in_split("train")) == 1


def test_no_galaxies_is_a_galaxy_set() -> None:
    empty = galaxies().rows(np.zeros(3, dtype=bool))
    assert len(empty) == 0
    assert empty.mag.shape == (0, 2)


def test_sets_of_different_bands_are_joined_where_they_can_be_told_apart() -> None:
    shallow = GalaxySet([1], ("g", "r"), [[21, 20]], [[0.1, 0.1]], system=["des"])
    deep = GalaxySet([2], ("u", "r", "g"), [[24, 20, 21]], [[0.3, 0.1, 0.2]], system=["egs"])
    both = concatenate([shallow, deep])
    assert both.bands == ("g", "r", "u")
    assert both.own_bands() == ("u",)
    np.testing.assert_array_equal(both.mag, np.float32([[21, 20, np.nan], [21, 20, 24]]))
    np.testing.assert_array_equal(both.mag_err, np.float32([[0.1, 0.1, np.nan], [0.2, 0.1, 0.3]]))
    with pytest.raises(MixzError, match="each of a photometric system"):
        concatenate([shallow, replace(deep, system=["des"])])
    with pytest.raises(MixzError, match="share bands"):
        concatenate([shallow, GalaxySet([2], ("G", "R"), [[21, 20]], [[0.1, 0.1]], system=["egs"])])


def test_a_galaxy_asked_without_bands_is_one_without_them() -> None:
    two = GalaxySet([1, 2], ("u", "g"), [[24, 21], [np.nan, 22]], [[0.3, 0.1], [np.inf, 0.1]], system=["a", "b"])
    assert two.own_bands() == ()  # the second was looked at, though nothing was seen
    without = two.without(["u"])
    assert np.isnan(without.mag[:, 0]).all()
    assert np.isnan(without.mag_err[:, 0]).all()
    np.testing.assert_array_equal(without.mag[:, 1], two.mag[:, 1])
    assert two.measured(["g"]).tolist() == [True, True]
    assert two.measured().tolist() == [True, False]


def test_photoz_of_one_member_has_no_scatter() -> None:
    one = PhotoZ([1, 2], [[0.5, 0.6]])
    assert one.z_phot.tolist() == [0.5, 0.6]
    assert np.isnan(one.z_phot_std).all()
    with pytest.raises(MixzError, match="z_phot_members has shape"):
        PhotoZ([1], [[0.5, 0.6]])
