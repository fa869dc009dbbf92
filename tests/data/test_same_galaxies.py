"""What goes in as a galaxy comes out as that galaxy, whatever the format, the type and what is missing."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from survey_files import BANDS, TYPED, WRITERS, built, built_of, written

EXACT = [ending for ending in WRITERS if ending != "mrt"]
"""What astropy writes as a machine-readable table is rounded, and no single precision."""
SHORT = settings(max_examples=5, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
"""Files are written in each example: a failing one is told as it is, not made smaller."""
NUMBER = st.floats(18, 26, width=32)
MARK = st.sampled_from([99.0, 99.9, -99.0, 999.9, np.inf])
TEXT = st.text("abcXYZ019_+-.", min_size=1, max_size=8).filter(lambda s: s.strip("+-.0") and s[0] not in "+-.")
WHOLE = st.integers(-(2**63) + 1, 2**63 - 1)


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    """A small catalogue: names of some kind, magnitudes of which some are missing or marks, errors, labels."""
    rows = draw(st.integers(2, 6))

    def columns(values: st.SearchStrategy[Any], dtype: str = "f8") -> Any:
        return np.array(draw(st.lists(values, min_size=rows, max_size=rows)), dtype)

    kind = draw(st.sampled_from(["whole", "text", "double"]))
    names = draw(
        st.lists({"whole": WHOLE, "text": TEXT, "double": st.integers(0, 2**53)}[kind], min_size=rows, max_size=rows,
                 unique_by=lambda name: str(name).removesuffix(".0"))
    )  # fmt: skip
    frame = pd.DataFrame({"object_id": np.array(names, float) if kind == "double" else names})
    precision = draw(st.sampled_from(["f4", "f8"]))
    for band in BANDS:
        frame[f"mag_{band}"] = columns(st.one_of(NUMBER, NUMBER, NUMBER, st.just(np.nan), MARK), precision)
        frame[f"mag_err_{band}"] = columns(
            st.one_of(st.floats(0.0625, 1, width=32), st.sampled_from([-1.0, 0, np.nan])), precision
        )
    frame["mag_g"] = columns(NUMBER, precision)  # every galaxy has a band
    frame["zs"] = columns(st.floats(0, 3, width=32))
    return frame


def as_dictionary(galaxies: Any) -> dict[str, list[Any]]:
    return {
        name: [
            *np.round(galaxies.mag[k].astype(float), 4),
            *np.round(galaxies.mag_err[k].astype(float), 4),
            round(z, 6),
        ]
        for k, (name, z) in enumerate(zip(galaxies.object_id.tolist(), galaxies.z["spec"].tolist(), strict=True))
    }


@SHORT
@given(frame=tables(), endings=st.lists(st.sampled_from(EXACT), min_size=2, max_size=3, unique=True))
def test_every_format_holds_the_same_galaxies(frame: pd.DataFrame, endings: list[str]) -> None:
    with TemporaryDirectory() as place:
        found = [as_dictionary(built(written(frame, Path(place), ending))[0]) for ending in ("parquet", *endings)]
    expected = [str(int(i)) if isinstance(i, float) else str(i) for i in frame["object_id"].tolist()]
    for one in found:
        assert list(one) == expected
        np.testing.assert_equal(one, found[0])


@SHORT
@given(frame=tables(), here=st.sampled_from(EXACT), there=st.sampled_from(EXACT), data=st.data())
def test_each_galaxy_is_found_once(frame: pd.DataFrame, here: str, there: str, data: st.DataObject) -> None:
    shared = data.draw(st.integers(1, len(frame) - 1))
    with TemporaryDirectory() as place:
        written(frame, Path(place), here, name="a")
        written(frame.iloc[:shared].reset_index(drop=True), Path(place), there, name="b")
        sources = [
            {"path": f"a.{here}", "name": "a", "truths": {"many_band": "zs"}},
            {"path": f"b.{there}", "name": "b", "truths": {"spec": "zs"}},
        ]
        both, _ = built_of(sources, Path(place), recipes=["combo"], overlap={"keep": "b", "radius_arcsec": None})
    assert len(both) == len(set(both.object_id)) == len(frame)
    assert both.has("spec").sum() == shared


@SHORT
@given(ending=st.sampled_from(TYPED), data=st.data())
def test_masks_of_whole_numbers_hide_the_same_rows(ending: str, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.one_of(st.none(), st.integers(-(2**31), 2**31 - 1)), min_size=2, max_size=6))
    values = [values[0] or 1, *values[1:]]
    flags = pd.array(values, dtype=data.draw(st.sampled_from(["Int32", "Int64"])))
    frame = pd.DataFrame({f"mag_{band}": np.linspace(20, 21, len(flags)) for band in BANDS}).assign(zs=0.5, flag=flags)
    frame = frame.assign(object_id=range(len(flags)), **{f"mag_err_{band}": 0.1 for band in BANDS})
    least = min(v for v in values if v is not None)
    with TemporaryDirectory() as place:
        cut = [{"name": "known", "column": "flag", "min": least}]
        galaxies, _ = built(written(frame, Path(place), ending), cuts=cut)
    assert galaxies.object_id.tolist() == [str(k) for k, v in enumerate(values) if v is not None]
