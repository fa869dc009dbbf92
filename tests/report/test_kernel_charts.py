"""Kernels against data: what is drawn is what was measured, of those galaxies alone that have both labels."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from toy_run import page_of, toy_galaxies, toy_run

from mixz.report.charts.kernels import kernel_panels
from mixz.report.run import Run, Runs
from mixz.truths.corrected import CorrectedKernel
from mixz.truths.gaussian import GaussianKernel
from mixz.truths.known import COSMOS2020, KNOWN_TRUTHS
from mixz.truths.reported import ReportedKernel


@pytest.fixture
def _no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mixz.report.page.vega_script", lambda: "")


def known_run(sigma: float = 0.03) -> Run:
    """Make a run whose many-band labels scatter by `sigma` (1 + z)."""
    run = toy_run(("base",), galaxies=3000)
    z = run.galaxies.z["spec"]
    noise = sigma * (1 + z) * np.random.default_rng(1).standard_normal(len(z))
    galaxies = replace(run.galaxies, z={"spec": z, "many_band": z + noise})
    return replace(run, galaxies=galaxies, known=KNOWN_TRUTHS.with_kernels({"many_band": GaussianKernel(sigma)}))


def test_a_true_kernel_lies_on_its_data() -> None:
    [panels] = kernel_panels(Runs([known_run()]))
    charts = {chart.title.split(",")[0]: chart for chart in panels.charts}
    for chart in (charts["i 21–22"], charts["i 22–23"]):
        area, lines = chart.spec["layer"]
        data, said = area["data"]["values"], lines["data"]["values"]
        assert {row["kernel"] for row in said} == {"used"}
        widths = [float(found) for found in re.findall(r"(?:labels|used) (0\.\d+)", chart.description)]
        assert widths == pytest.approx([0.03, 0.03], rel=0.15)
        step = data[1]["dz"] - data[0]["dz"]
        assert sum(row["density"] for row in data) * step == pytest.approx(1, abs=0.02)
        difference = [abs(a["density"] - b["density"]) for a, b in zip(data, said, strict=True)]
        assert sum(difference) * step < 0.3, "shares of some hundred galaxies in forty bins stray by so much"


def test_published_kernels_stand_beside_what_corrects_them() -> None:
    bins = {"width": (0.5,), "outliers": (0.01,), "offset": (0.0,)}
    for used in (COSMOS2020, CorrectedKernel(COSMOS2020, (), **bins)):
        run = replace(known_run(), known=KNOWN_TRUTHS.with_kernels({"many_band": used}))
        lines = kernel_panels(Runs([run]))[0].charts[0].spec["layer"][1]
        names = list(dict.fromkeys(row["kernel"] for row in lines["data"]["values"]))
        own = [] if used == COSMOS2020 else ["cosmos2020"]
        assert names == ["used", *own, "cosmos2020_measured"]


def test_each_label_counts_with_its_own_interval() -> None:
    run = known_run()
    z_err = np.full((len(run.galaxies), 2), 0.03) * (1 + run.galaxies.z["spec"][:, None])
    galaxies = replace(run.galaxies, z_err={"many_band": z_err})
    reported = ReportedKernel(fallback=GaussianKernel(0.5), outliers=0.0)
    known = KNOWN_TRUTHS.with_kernels({"many_band": reported})
    [panels] = kernel_panels(Runs([replace(run, galaxies=galaxies, known=known)]))
    found = re.search(r"used (0\.\d+)", panels.charts[0].description)
    assert found
    assert float(found[1]) == pytest.approx(0.03, rel=0.1)


@pytest.mark.usefixtures("_no_library")
def test_without_galaxies_of_both_labels_there_is_no_such_section() -> None:
    assert 'id="kernels"' in page_of([toy_run()])
    run = toy_run(("base",))
    spec = np.where(run.galaxies.has("many_band"), np.nan, run.galaxies.z["spec"])
    alone = replace(run, galaxies=replace(run.galaxies, z=run.galaxies.z | {"spec": spec}))
    assert kernel_panels(Runs([alone])) == []
    assert kernel_panels(Runs([replace(run, galaxies=toy_galaxies(1), photoz={})])) == []
    simulated = KNOWN_TRUTHS.with_kernels({})
    only_true = replace(run.galaxies, z={"true": run.galaxies.z["spec"], "many_band": run.galaxies.z["many_band"]})
    of_mock = replace(run, galaxies=only_true, truths=["many_band"], known=simulated)
    assert kernel_panels(Runs([of_mock])) == [], "a simulation's own truth is no spectrum"
