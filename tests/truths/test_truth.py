"""Truths by name, in the order of belief; one table of those that are known."""

from __future__ import annotations

import copy

import pytest

from mixz.errors import MixzError
from mixz.settings.truths import KNOWN_SETTINGS, TruthSettings
from mixz.truths import GaussianKernel, Truth, Truths
from mixz.truths.known import COSMOS2020, COSMOS2020_MEASURED, KNOWN_TRUTHS, SPECTRUM

GRISM = Truth("grism", GaussianKernel(0.003))


def test_exact_ones_are_believed_first_then_as_given() -> None:
    truths = Truths((GRISM, Truth("many_band", COSMOS2020), Truth("spec", SPECTRUM, exact=True)))
    assert list(truths) == ["spec", "grism", "many_band"]
    assert truths.exact == ("spec",)


def test_exact_is_a_field_and_not_how_wide_a_kernel_is() -> None:
    as_narrow = Truth("grism", GaussianKernel(0.0005))
    assert as_narrow.kernel == SPECTRUM
    assert Truths((as_narrow, KNOWN_TRUTHS["spec"])).exact == ("spec",)
    assert not TruthSettings(kernel="gaussian", sigma=0.0005).truth("grism").exact
    assert Truths((Truth("deep", COSMOS2020, exact=True),)).exact == ("deep",)


def test_unknown_names_are_refused_with_those_that_are_known() -> None:
    with pytest.raises(MixzError, match=r"'spek' is unknown\n.*spec, true, many_band\n.*nearest name: 'spec'"):
        KNOWN_TRUTHS["spek"]
    assert "spek" not in KNOWN_TRUTHS
    with pytest.raises(ValueError, match="each name once"):
        Truths((GRISM, GRISM))


def test_scales_widen_what_they_name_only() -> None:
    scaled = KNOWN_TRUTHS.scaled({"many_band": 2.0})
    assert scaled["many_band"].kernel == COSMOS2020_MEASURED.scaled(2.0)
    assert scaled["spec"] == KNOWN_TRUTHS["spec"]
    assert KNOWN_TRUTHS.scaled({}) == KNOWN_TRUTHS != scaled
    with pytest.raises(MixzError, match="'grism' is unknown"):
        KNOWN_TRUTHS.scaled({"grism": 2.0})


def test_copies_are_equal() -> None:
    assert copy.deepcopy(KNOWN_TRUTHS) == KNOWN_TRUTHS


def test_settings_and_truths_are_one_table() -> None:
    assert Truths(tuple(settings.truth(name) for name, settings in KNOWN_SETTINGS.items())) == KNOWN_TRUTHS
    assert [name for name, truth in KNOWN_TRUTHS.items() if truth.simulated] == ["true"]
