"""The report and `mixz serve` in a real browser: plots have pixels, filters filter, a table dropped in comes back."""

from __future__ import annotations

import io
import os
import re
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from toy_run import page_of, toy_galaxies, toy_run

from mixz.model.folder import save_model
from mixz.model.initial import untrained
from mixz.report.charts.colours import recipe_colour
from mixz.settings.network import Network
from mixz.settings.recipe import Recipe, Step
from mixz.stages.serve import model_app

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright (pip install 'mixz[dev]')")
Axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (apt-get install chromium)")

EVIL = "<script>document.title='broken'</script>"
PATIENCE_MS = 120_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=as_root)
        yield chromium
        chromium.close()


class Opened:
    """A page in the browser, and all that it complained of."""

    def __init__(self, browser: Any, address: str, **context: Any) -> None:
        self.page = browser.new_page(**context)
        self.page.set_default_timeout(PATIENCE_MS)
        self.complaints: list[str] = []
        self.page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda r: self.asked(r.url))
        self.address = address
        self.page.goto(address)

    def asked(self, url: str) -> None:
        if not url.startswith(("file:", "blob:", "data:", self.address.rstrip("/"))):
            self.complaints.append(f"asks for {url}")

    def drawn(self) -> Opened:
        self.page.wait_for_selector("html[data-drawn=yes]", state="attached")
        return self

    def plot(self, selector: str) -> Any:
        """A plot, brought into sight: only there it is drawn."""
        element = self.page.locator(selector).first
        element.scroll_into_view_if_needed()
        element.locator("svg").first.wait_for()
        return element

    def pixels(self, selector: str) -> np.ndarray[Any, Any]:
        element = self.plot(selector)
        return np.asarray(Image.open(io.BytesIO(element.screenshot())).convert("RGB")).astype(int)


def share_of(pixels: np.ndarray[Any, Any], colour: str, *, within: int = 60) -> float:
    """Which share of pixels is nearly of a colour."""
    wanted = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)])
    return float((np.abs(pixels - wanted).max(axis=2) < within).mean())


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(page_of([toy_run(("base", "bnn", f"fused{EVIL}", "fused"))]), encoding="utf-8")
    assert path.stat().st_size < 10_000_000
    return path.as_uri()


@pytest.fixture(scope="module")
def opened(browser: Any, report: str) -> Iterator[Opened]:
    one = Opened(browser, report, viewport={"width": 1280, "height": 900}, color_scheme="light").drawn()
    yield one
    one.page.close()


def findings(page: Any) -> list[str]:
    """What axe has to say against a page: the rule, how often, and the first element."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']} x{len(one['nodes'])}: {one['nodes'][0]['html'][:200]}" for one in found]


def without_insides(page: Any) -> int:
    """Empty the drawn plots, each hidden from aids as a whole: axe walks through their marks for half a minute.

    Gives how many of them have something inside that a keyboard reaches, which is what axe would look for there.
    """
    script = """() => [...document.querySelectorAll("[role=img] svg[aria-hidden=true]")].filter((svg) => {
      const reached = [...svg.querySelectorAll("*")].some((mark) => mark.tabIndex >= 0);
      svg.replaceChildren();
      return reached;
    }).length"""
    found: int = page.evaluate(script)
    return found


def cut_tables(page: Any) -> list[str]:
    """Tables whose last column no reader can reach: wider than their box, which cannot be scrolled by keyboard."""
    script = """() => [...document.querySelectorAll("table")].filter((t) => t.offsetParent).filter((t) => {
      const box = t.closest(".scroll");
      if (!box) return t.getBoundingClientRect().right > innerWidth;
      box.scrollLeft = 1e6;
      const last = t.rows[t.rows.length - 1].lastElementChild.getBoundingClientRect();
      const whole = box.getBoundingClientRect();
      const reached = last.right <= whole.right + 1.5 && whole.right <= innerWidth + 1;
      box.scrollLeft = 0;
      return !reached || (box.scrollWidth > box.clientWidth + 1 && box.tabIndex !== 0);
    }).map((t) => t.parentElement.getAttribute("aria-label") ?? t.id)"""
    found: list[str] = page.evaluate(script)
    return found


def test_plots_are_drawn_when_they_come_into_sight_and_all_for_print(browser: Any, report: str) -> None:
    opened = Opened(browser, report, viewport={"width": 1280, "height": 900}).drawn()
    charts, drawn = opened.page.locator("[data-chart]"), opened.page.locator("[data-chart] svg")
    assert charts.count() > 20
    assert 0 < drawn.count() < charts.count() / 2, "a reader who looks at the verdict waits for little else"
    opened.page.locator("#training .chart").first.scroll_into_view_if_needed()
    opened.page.locator("#training .chart svg").first.wait_for()
    assert drawn.count() < charts.count()
    opened.page.pdf()
    assert drawn.count() == charts.count()
    assert opened.page.locator("details.more[open]").count() == 0, "what was opened for print is closed again"
    opened.page.emulate_media(media="print")
    opened.page.add_style_tag(content="html { width: 18cm; }")  # a sheet of paper, narrower than the window
    empty = """charts => charts.map(chart => chart.getBoundingClientRect().height
                                  - chart.querySelector("svg").getBoundingClientRect().height)"""
    assert max(opened.page.locator(".chart:visible:has(svg)").evaluate_all(empty)) < 10, "no empty room under plots"
    assert opened.complaints == []
    assert opened.page.title() != "broken"
    opened.page.close()


def test_the_first_screen_says_what_came_out(opened: Opened) -> None:
    page = opened.page
    page.evaluate("scrollTo(0, 0)")
    for selector in (".headline", "#verdict .chart svg >> nth=0", ".tiles"):
        box = page.locator(selector).first.bounding_box()
        assert box
        assert box["y"] + 60 < 900, f"{selector} is below the first screen"
    first = page.locator("#verdict .chart").first.get_attribute("aria-label")
    assert first
    assert "HSC loss of every recipe on" in first


def test_the_list_of_contents_says_where_one_is(opened: Opened) -> None:
    page = opened.page
    for section in ("residuals", "training"):
        page.locator(f".contents a[href='#{section}']").click()
        playwright.expect(page.locator(".contents a[aria-current]")).to_have_attribute("href", f"#{section}")
        assert page.locator(".contents a[aria-current]").is_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing(browser: Any, report: str, scheme: str, width: int) -> None:
    opened = Opened(browser, report, viewport={"width": width, "height": 900}, color_scheme=scheme).drawn()
    opened.page.evaluate("Promise.all([drawAll()]).then(() => null)")
    opened.page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert cut_tables(opened.page) == []
    assert without_insides(opened.page) == 0
    assert findings(opened.page) == []
    for picture in opened.page.locator("[role=img]").all():
        words = picture.get_attribute("aria-label")
        assert words
        assert re.search(r"\d", words), f"{words!r} says nothing of what is shown"
    opened.page.close()


def test_no_table_is_cut(browser: Any, report: str) -> None:
    opened = Opened(browser, report, viewport={"width": 320, "height": 900}).drawn()
    opened.page.evaluate("for (const one of document.querySelectorAll('details.more')) one.open = true")
    for width in (320, 700, 830, 1000, 1700):
        opened.page.set_viewport_size({"width": width, "height": 900})
        opened.page.wait_for_timeout(100)
        assert cut_tables(opened.page) == [], width
        assert opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
    opened.page.close()


def test_without_scripts_the_numbers_are_there(browser: Any, report: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(report)
    assert page.locator(".headline").is_visible()
    shown = page.locator("#metrics .scroll:visible")
    assert {shown.nth(k).get_attribute("data-range") for k in range(shown.count())} == {"all", "0.3-1.5", "lsst"}
    assert page.locator(".contents a").first.is_visible()
    context.close()


def test_plots_have_pixels(opened: Opened) -> None:
    spec, many = "#0072B2", "#E69F00"
    panels = "#predictions figure:not([hidden]) .chart"
    assert share_of(opened.pixels(f"{panels} >> nth=0"), many, within=110) > 0.0005
    assert share_of(opened.pixels("#metrics .chart >> nth=0"), spec) > 0.0005
    for section in ("residuals", "probabilities", "redshifts", "distributions", "training"):
        pixels = opened.pixels(f"#{section} .chart >> nth=0")
        assert (pixels.std(axis=2) > 25).mean() > 0.001, f"{section} shows no colour"
    assert (opened.pixels("#galaxy-chart").std(axis=2) > 25).mean() > 0.0005


def test_recipes_can_be_left_out(opened: Opened) -> None:
    page = opened.page
    before = (opened.pixels("#residuals .chart >> nth=0").std(axis=2) > 25).mean()
    page.get_by_role("checkbox", name="bnn").uncheck()
    assert not page.locator("#predictions figure[data-recipe=bnn]").first.is_visible()
    page.wait_for_timeout(300)
    after = (opened.pixels("#residuals .chart >> nth=0").std(axis=2) > 25).mean()
    assert after < before
    page.get_by_role("checkbox", name="bnn").check()
    assert page.locator("#predictions figure[data-recipe=bnn]").first.is_visible()


def test_the_range_of_the_tables_can_be_chosen(opened: Opened) -> None:
    opened.page.locator("select[name=z_range]").select_option("lsst")
    shown = opened.page.locator("#metrics .scroll:visible")
    assert {shown.nth(k).get_attribute("data-range") for k in range(shown.count())} == {"lsst"}
    opened.page.locator("select[name=z_range]").select_option("all")
    assert {shown.nth(k).get_attribute("data-range") for k in range(shown.count())} == {"all"}, "as the verdict"


def test_tables_filter_and_sort(opened: Opened) -> None:
    page = opened.page
    page.locator(".filters input").fill("bnn spec rms")
    rows = page.locator("#numbers-table tbody tr")
    assert rows.count() == 3
    assert {rows.nth(k).locator("td").first.inner_text() for k in range(3)} == {"bnn"}
    page.locator(".filters input").fill("spec all rms")
    column = page.locator("#numbers-table th", has_text="mean")
    column.get_by_role("button").click()
    place = page.locator("#numbers-table th").all_inner_texts().index(column.inner_text())
    means = [float(rows.nth(k).locator("td").nth(place).inner_text()) for k in range(rows.count())]
    assert means == sorted(means)
    assert column.get_attribute("aria-sort") == "ascending"


def test_a_metric_is_explained_on_hover_and_by_keyboard(opened: Opened) -> None:
    page = opened.page
    term = page.locator("#metrics figcaption a[data-term=rms]").first
    term.hover()
    assert "√mean(dz²)" in page.locator("#tip").inner_text()
    page.keyboard.press("Escape")
    assert not page.locator("#tip").is_visible()
    page.mouse.move(0, 0)
    term.focus()
    assert page.locator("#tip").is_visible()


def test_marks_tell_their_numbers_on_hover(opened: Opened) -> None:
    page = opened.page
    mark = opened.plot("#metrics .chart").locator(".mark-symbol.role-mark path").first
    mark.hover(force=True)
    page.wait_for_selector("#vg-tooltip-element.visible")
    assert "judged on" in page.locator("#vg-tooltip-element").inner_text()


def test_galaxies_one_by_one(opened: Opened) -> None:
    page = opened.page
    first = page.locator("#galaxy-title").inner_text()
    page.get_by_role("button", name="Next").press("Enter")
    playwright.expect(page.locator("#galaxy-title")).not_to_have_text(first)
    assert page.locator("#galaxy-facts table").count() == 3
    assert "Labels:" in page.locator("#galaxy-words").inner_text()


def test_dark_phone_and_paper(browser: Any, report: str) -> None:
    phone = Opened(browser, report, viewport={"width": 390, "height": 844}, color_scheme="dark").drawn()
    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than the phone"
    assert not phone.page.locator(".contents a").first.is_visible(), "the list of contents is folded"
    phone.page.locator(".contents summary").click()
    phone.page.locator(".contents a[href='#metrics']").click()
    assert not phone.page.locator(".contents a").first.is_visible()
    for metric in ("bias", "σ_MAD", "RMS", "outliers", "HSC loss"):
        assert phone.page.locator(f"#metrics .scroll:visible td[data-label^='{metric}']").first.is_visible()
    corner = phone.pixels("#metrics .chart >> nth=0")[2, 2]
    assert corner.max() < 60, "dark paper"
    label = phone.page.locator("#metrics .chart text").first
    colour = label.evaluate("element => getComputedStyle(element).fill")
    assert min(int(part) for part in colour.strip("rgb()").split(",")) > 150, "light letters on it"
    phone.page.emulate_media(media="print", color_scheme="light")
    assert not phone.page.locator(".tools").is_visible()
    assert not phone.page.locator(".contents").is_visible()
    assert phone.page.locator("#verdict").is_visible()
    assert phone.complaints == []
    phone.page.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    import uvicorn

    folder = tmp_path_factory.mktemp("served") / "model"
    network = Network(hidden=(8,), head="binned", nodes=40)
    save_model(untrained(toy_galaxies(90), Recipe(steps=(Step(truths=("spec",)),), network=network), members=2), folder)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()  # so that a browser that comes before the server waits for it
        server = uvicorn.Server(uvicorn.Config(model_app(folder, max_mb=0.1), log_level="warning", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        server.should_exit = True
        thread.join()


def test_drop_a_table_and_take_redshifts_home(browser: Any, served: str, tmp_path: Path) -> None:
    opened = Opened(browser, served)
    page = opened.page
    table = "object_id,mag_g,mag_r,mag_i,mag_z\n<i>one</i>,24,23,22,21.8\ntwo,23,22,21,\n"
    # What a browser does when a file is let go over the page.
    transfer = page.evaluate_handle(
        "text => { const t = new DataTransfer(); t.items.add(new File([text], 'mine.csv')); return t; }", table
    )
    page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})
    opened.drawn()
    assert "2 galaxies in mine.csv. 1 lack a band" in page.locator("#summary").inner_text()
    assert page.locator("#rows tbody td").first.inner_text() == "<i>one</i>"
    assert share_of(opened.pixels("#histogram"), recipe_colour(["model"], "model")) > 0.005
    assert (opened.pixels("#density").std(axis=2) > 25).mean() > 0.001
    assert page.locator("#rows caption").inner_text() == "All 2 shown"
    assert findings(page) == []
    assert cut_tables(page) == []
    with page.expect_download() as coming:
        page.get_by_role("button", name="Download all redshifts").click()
    coming.value.save_as(tmp_path / "back.csv")
    lines = (tmp_path / "back.csv").read_text().splitlines()
    assert lines[0].startswith("object_id,z_phot")
    assert len(lines) == 3
    assert opened.complaints == []
    page.close()


def test_intervals_notes_and_how_many_rows_there_are(browser: Any, served: str) -> None:
    ends = {"z_low_68": 0.8, "z_high_68": 1.2, "z_low_95": 0.5, "z_high_95": 1.6}
    rows = [{"object_id": EVIL, "z_phot": 1.0, **ends}, {"object_id": "b", "z_phot": None, **dict.fromkeys(ends)}]
    told = {"galaxies": 500, "without_redshift": 1, "columns": [*rows[0]], "rows": rows, "notes": [f"look at {EVIL}"]}
    told |= {"pdf": [[[0.4, 0], [1, 2.5], [1.7, 0]], []], "members": [[0.95, 1.05], [None]]}
    told |= {"histogram": {"edges": [0.5, 1.0, 1.5], "counts": [100, 399]}}
    opened = Opened(browser, served)
    page = opened.page
    page.route("**/api/preview*", lambda route: route.fulfill(json=told))
    page.locator("#file").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": b"x"})
    opened.drawn()
    assert page.locator("#rows caption").inner_text() == "The first 2 of 500 shown; the download has all"
    assert page.locator("#notes li").all_inner_texts() == [f"look at {EVIL}"]
    widths = [
        box["width"] for mark in page.locator("#density .layer_0_marks path").all() if (box := mark.bounding_box())
    ]
    assert len(widths) == 2
    assert widths[0] / widths[1] == pytest.approx(1.1 / 0.4, rel=0.05), "95 % below 68 %"
    assert "68 % interval 0.800 to 1.200; 95 % interval 0.500 to 1.600" in page.locator("#words").inner_text()
    page.locator("#galaxy").select_option("1")
    playwright.expect(page.locator("#words")).to_contain_text("no redshift")
    playwright.expect(page.locator("#density .mark-rect path")).to_have_count(0)
    assert findings(page) == []
    assert opened.complaints == []
    page.close()


def test_mistakes_are_told_in_the_page(browser: Any, served: str) -> None:
    opened = Opened(browser, served)
    page = opened.page
    page.locator("#file").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": b"x\n1\n"})
    page.wait_for_selector("#error:visible")
    assert "no column 'mag_g'" in page.locator("#error").inner_text()
    names = page.locator("#names")
    assert names.get_attribute("open") is not None, "here it can be mended"
    assert "Needed: magnitudes (mag_g, mag_r, mag_i, mag_z)" in names.inner_text()
    assert "Your table has x." in names.inner_text()
    assert findings(page) == []
    page.locator("#file").set_input_files({"name": "b.csv", "mimeType": "text/csv", "buffer": b"x" * 200_000})
    playwright.expect(page.locator("#error")).to_contain_text("at most 0.1 MB", timeout=PATIENCE_MS)
    page.close()
