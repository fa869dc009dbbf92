"""Every page with code in it runs from its first cell to its last, on few galaxies for few epochs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from text_notebooks import cells, run

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if "{code-cell}" in page.read_text())
SMALL: dict[str, Any] = {
    "rows": 900,
    "galaxies": 1200,
    "members": 1,
    "epochs": 1,
    "resamples": 4,
    "recipes": ["base", "tl"],
}
NEEDS = {"hats": ("lsdb", "distributed"), "rail": ("rail.core",), "paper": ("skypy", "speclite", "photerr")}
pytestmark = pytest.mark.filterwarnings("default")  # RAIL's, Dask's and their packages' warnings are theirs


def test_there_are_six_tutorials_and_a_picture_for_each_derivation() -> None:
    folders = [page.parent.name for page in PAGES]
    assert folders.count("tutorials") == 6
    assert folders.count("how_it_works") == 3
    assert len(PAGES) == 9
    assert all(sum(cell.parameters for cell in cells(page)) == (page.parent.name == "tutorials") for page in PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in NEEDS.get(page.stem, ()):
        pytest.importorskip(package, reason=f"{page.name} needs an extra")
    monkeypatch.chdir(tmp_path)
    if page.stem != "hats":
        run(page, SMALL)
        return
    import dask
    from distributed import LocalCluster

    monkeypatch.setattr(
        dask.config, "config", dict(dask.config.config)
    )  # the page sets a scheduler for all that follows
    # A thread for a worker: a process that loads torch takes longer to start than the page takes to run.
    how = {"n_workers": 1, "threads_per_worker": 1, "processes": False, "protocol": "tcp", "dashboard_address": None}
    # The page sets a scheduler for all that follows: not for what follows here.
    with dask.config.set(scheduler=dask.config.get("scheduler", None)), LocalCluster(**how) as one:
        run(page, SMALL | {"where": f"--dask {one.scheduler_address}"})
