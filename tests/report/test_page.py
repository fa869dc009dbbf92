"""The report's page without a browser: what is in it, and what it makes of strange runs."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from toy_run import page_of, toy_photoz, toy_run

from mixz.densities.estimates import ESTIMATES
from mixz.metrics import METRICS
from mixz.metrics.metric import columns
from mixz.photoz import PhotoZ
from mixz.report import vega
from mixz.report.charts.intervals import judged_intervals
from mixz.report.charts.judged import prediction_panels, probability_panels
from mixz.report.charts.quality import KEPT, kept_curve, quality_panels
from mixz.report.glossary import terms
from mixz.report.page import inline_svg, markdown, metric_tables
from mixz.report.run import Runs

EVIL = "<script>alert(1)</script>"


@pytest.fixture(autouse=True)
def _no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests draw nothing: spare them the megabyte of Vega."""
    monkeypatch.setattr("mixz.report.page.vega_script", lambda: "")


class Elements(HTMLParser):
    """Every element of a page with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.found if name == tag]


def data_of(page: str) -> Any:
    found = re.search(r'id="report-data">(.*?)</script>', page, flags=re.S)
    assert found
    return json.loads(found[1])


def test_the_verdict_comes_first_and_the_evidence_follows() -> None:
    page = page_of([toy_run()])
    places = [
        page.index(f'id="{name}"') for name in ("verdict", "metrics", "predictions", "residuals", "probabilities")
    ]
    assert places == sorted(places)
    assert "SIMULATED" in page
    assert "LSST requirements" in page
    assert "c0ffee" in page
    data = data_of(page)
    assert set(data["recipes"]) == {"base", "bnn", "fused"}
    assert all(chart["description"] for chart in data["charts"].values()), "every plot says in words what it shows"
    ids = [a["id"] for _, a in Elements(page).found if "id" in a]
    assert len(ids) == len(set(ids))
    links = {a["href"] for a in Elements(page).named("a") if a["href"]}
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids), (
        "every link inside the page leads somewhere"
    )


def test_nothing_in_it_asks_for_a_network() -> None:
    page = page_of([toy_run()])
    elements = Elements(page)
    assert not [
        a for tag in ("script", "img", "link", "iframe") for a in elements.named(tag) if "src" in a or "href" in a
    ]
    policy = next(a["content"] for a in elements.named("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy
    assert policy.startswith("default-src 'none'")
    assert "@import" not in page


def test_names_with_html_in_them_stay_text() -> None:
    run = toy_run((f"tl{EVIL}", "base"), name=f"run{EVIL}")
    ids = run.galaxies.object_id.copy().astype(f"<U{len(EVIL) + 8}")
    ids[2] = f"x{EVIL}"
    galaxies = replace(run.galaxies, object_id=ids)
    about = dict(run.about) | {"ledger": [{"table": EVIL, "step": EVIL, "rows_in": 2, "rows_out": 1}]}
    page = page_of([replace(run, galaxies=galaxies, about=about, cards={"base": f"# {EVIL}\n\n| {EVIL} |\n"})])
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert len(Elements(page).named("script")) == 3, "the data, Vega, and the page's own"
    assert f"tl{EVIL}" in data_of(page)["recipes"]


@pytest.mark.parametrize("recipe", ["base", "bnn", "fused"])
def test_one_recipe_alone_renders(recipe: str) -> None:
    page = page_of([toy_run((recipe,))])
    assert ("No recipe of this run gives probabilities" in page) == (recipe == "base")
    assert f"{recipe} is the only recipe" in page


def test_one_galaxy_alone_renders() -> None:
    page = page_of([toy_run(galaxies=1)])
    assert len(data_of(page)["galaxies"]["toy"]) == 1
    assert "n/a" in page, "the range 0.3-1.5 or LSST's may be empty"


def test_what_is_no_number_shows_as_such() -> None:
    run = toy_run(("base",))
    nothing = [
        r | {"mean": float("nan"), "std": float("nan"), "passes": None, "margin": float("nan")} for r in run.records
    ]
    page = page_of([replace(run, records=nothing)])
    assert "no recipe has a number" in page
    assert "n/a" in page
    assert ">nan" not in page.lower()
    assert all(
        row[data_of(page)["records"]["columns"].index("mean")] is None for row in data_of(page)["records"]["rows"]
    )


def test_galaxies_without_a_redshift_are_left_out_of_the_plots() -> None:
    run = toy_run(("base",))
    members = run.photoz["base"].z_phot_members.copy()
    members[:, :10] = np.nan
    lacking = replace(run, photoz={"base": PhotoZ(run.test.object_id, members)})
    assert "NaN" not in json.dumps(data_of(page_of([lacking])))
    whole, fewer = (prediction_panels(Runs([r]))[1].charts[0].description for r in (run, lacking))
    assert whole != fewer


def test_two_runs_beside_each_other() -> None:
    one, two = toy_run(("base", "fused"), name="one"), toy_run(("fused",), name="two")
    page = page_of([one, two])
    assert set(data_of(page)["recipes"]) == {"one: base", "one: fused", "two: fused"}
    assert 'id="compared"' in page
    assert "one against the other" in page


def test_tables_mark_the_best() -> None:
    tables = metric_tables([toy_run()], columns())
    spec = next(t for t in tables if t["truth"] == "spec" and t["z_range"] == "all")
    values = {recipe: abs(found["rms"]["mean"]) for recipe, found in spec["rows"].items()}
    assert spec["best"]["rms"] == min(values, key=lambda name: values[name])


def test_probabilities_only_where_there_are_any() -> None:
    spec = probability_panels(Runs([toy_run()]))[1]
    assert spec.title == "Judged on spec"
    assert [chart.title for chart in spec.charts] == ["PIT of bnn", "PIT of fused", "coverage"]
    assert not any(panels.charts for panels in probability_panels(Runs([toy_run(("base",))])))


def test_the_ensemble_stands_below_its_members() -> None:
    run = toy_run(("base",))
    page = page_of([run])
    mine = next(
        r for r in run.records if (r["truth"], r["z_range"], r["bin"], r["metric"]) == ("spec", "all", None, "rms")
    )
    assert mine["ensemble"] < mine["mean"], "the mean of three estimates scatters less than one"
    assert f"{mine['mean']:.4f} <small>±{mine['std']:.4f}</small>" in page
    assert f"<small>ensemble {mine['ensemble']:.4f}</small>" in page
    drawn = next(c for c in data_of(page)["charts"].values() if c["description"].startswith("RMS of every recipe"))
    assert pytest.approx(mine["ensemble"], rel=1e-4) in [row["ensemble"] for row in drawn["data"]["values"]]


def test_intervals_are_counted_where_there_are_any() -> None:
    run = toy_run(galaxies=6000)
    found = judged_intervals(Runs([run]))
    assert [place.title for place in found] == ["Judged on the redshifts that many_band labels allow", "Judged on spec"]
    for place, held in found.items():
        if place.truth == "spec":  # the toy's intervals are honest of spectra
            whole = {h.level: h for h in held if h.bin is None}
            assert whole.keys() == {0.68, 0.9, 0.95}
            assert all(abs(h.share - level) < 3 * h.chance for level, h in whole.items())
            assert not any(h.too_short for h in whole.values())
    page = page_of([run])
    assert 'id="intervals"' in page
    assert 'href="#intervals"' in page
    assert 'id="intervals"' not in page_of([toy_run(("base", "bnn"))])


def test_the_riskiest_go_first() -> None:
    loss = np.linspace(0, 1, 200)
    kept = kept_curve(loss, lambda which: float(loss[which].max()))
    assert kept == pytest.approx(list(KEPT), abs=0.01)


def test_risk_is_shown_where_there_is_any() -> None:
    (spec,) = [p for p in quality_panels(Runs([toy_run()])) if p.title == "Judged on spec"]
    assert [chart.title for chart in spec.charts] == [
        "outliers of the galaxies kept",
        "σ_MAD of the galaxies kept",
        "Is risk honest?",
    ]
    by_risk = [r["value"] for r in spec.charts[1].spec["data"]["values"] if r["by"] == "by risk"]
    assert by_risk[0] < 0.5 * by_risk[-1], "the toy's risk knows its errors"
    assert not quality_panels(Runs([toy_run(("base", "bnn"))]))


def test_intervals_that_are_too_short_are_told() -> None:
    run = toy_run(("fused",), galaxies=6000)
    fused = run.photoz["fused"]
    shorter = {level: (ends + ends.mean(axis=1, keepdims=True)) / 2 for level, ends in fused.intervals.items()}
    found = judged_intervals(Runs([replace(run, photoz={"fused": replace(fused, intervals=shorter)})]))
    assert all(held.too_short for every in found.values() for held in every if held.bin is None)


def test_a_simulations_own_redshifts_judge_the_intervals_of_noisy_labels() -> None:
    run = toy_run(("fused",))
    galaxies = replace(run.galaxies, z=dict(run.galaxies.z) | {"true": run.galaxies.z["spec"]})
    found = judged_intervals(Runs([replace(run, galaxies=galaxies)]))
    assert [(place.truth, place.members) for place in found] == [
        ("many_band", "many_band"),
        ("spec", "spec"),
        ("true", "many_band"),
    ]


def test_every_estimate_of_a_density_is_shown_where_there_are_any() -> None:
    run = toy_run()
    page = page_of([run])
    for name in ("zmode", "zmean", "zmedian", "zbest"):
        assert f'href="#term-{name}"' in page
    mine = next(r for r in run.estimates if (r["truth"], r["estimate"], r["metric"]) == ("spec", "zbest", "rms"))
    assert f"{mine['value']:.4f} <small>±{mine['bootstrap']:.4f}</small>" in page
    assert 'id="estimates"' in page
    assert 'id="estimates"' not in page_of([toy_run(("base", "bnn"))])


def test_densities_have_a_table_of_their_own() -> None:
    run = toy_run(("base", "fused"))
    assert metric_tables([run], columns(of_densities=True)) == []
    rms = next(r for r in run.records if r["recipe"] == "fused" and r["metric"] == "rms" and r["z_range"] == "all")
    crps = rms | {"metric": "crps", "estimate": "pdf", "mean": 0.05, "requirement": None, "passes": None}
    (table,) = metric_tables([replace(run, records=[*run.records, crps])], columns(of_densities=True))
    assert (list(table["rows"]), table["metrics"]) == (["fused"], ["crps"])
    assert "In numbers" in page_of([replace(run, records=[*run.records, crps])])


def test_every_metric_is_explained() -> None:
    assert set(terms()) >= {*METRICS, *ESTIMATES, "interval_68", "interval_90", "interval_95"}
    assert all(term.sentence.endswith(".") and term.formula for term in terms().values())


def test_markdown_cannot_bring_html() -> None:
    assert "<script>" not in markdown(EVIL)
    assert "<table>" in markdown("| a |\n| --- |\n| 1 |")


def test_ids_of_two_drawings_do_not_meet() -> None:
    svg = '<?xml version="1.0"?>\n<svg><path id="p"/><use xlink:href="#p"/><g clip-path="url(#p)"/></svg>'
    assert inline_svg(svg, "a") == '<svg><path id="a-p"/><use xlink:href="#a-p"/><g clip-path="url(#a-p)"/></svg>'


def test_the_library_is_made_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    made: list[str] = []

    def bundle(snippet: str) -> str:
        made.append(snippet)
        return "a </script b"

    monkeypatch.setattr(vega, "cache_file", lambda: tmp_path / "vega.js")
    monkeypatch.setattr(vega.vl_convert, "javascript_bundle", bundle)
    vega.vega_script.cache_clear()
    assert vega.vega_script() == "a <\\/script b"
    vega.vega_script.cache_clear()
    assert vega.vega_script() == "a <\\/script b"
    assert len(made) == 1
    vega.vega_script.cache_clear()


def test_support_is_told() -> None:
    run = toy_run(("fused",))
    assert toy_photoz(run.test, "fused").support is not None
    galaxy = data_of(page_of([run]))["galaxies"]["toy"][0]
    assert galaxy["recipes"][0]["support"] in (0, 1, 2)
    assert len(galaxy["neighbours"]) == 5
