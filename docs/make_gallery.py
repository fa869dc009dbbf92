"""Make the figures of docs/gallery.md from the embedded demo (SIMULATED).

`python docs/make_gallery.py` runs the demo with every named recipe; `python docs/make_gallery.py out/demo` draws a
run that is there already.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from rich.console import Console

from mixz import stages
from mixz.cli.experiment import DEMO
from mixz.report.figures import draw_figures
from mixz.report.paper import paper_figures, save_figure
from mixz.report.run import Runs
from mixz.report.screen import SIMULATED
from mixz.settings.config import Config
from mixz.settings.file import load_config
from mixz.stages.runs import read_run_folder

if TYPE_CHECKING:
    from mixz.report.run import Run

HERE = Path(__file__).parent / "figures" / "gallery"
RECIPES = ["base", "spec", "tl", "combo", "bnn", "fused"]
DPI = 110


def demo_run(out: Path) -> Run:
    """Run the demo with every named recipe that has something of its own to show."""
    demo = load_config(DEMO)
    settings = demo.model_dump(mode="json", exclude={"recipes"}) | {"recipes": RECIPES, "out": str(out)}
    config, console = Config.model_validate(settings), Console()
    stages.build(config)
    stages.train(config, console)
    stages.evaluate(config, console)
    return read_run_folder(config.folder)


def draw(run: Run) -> None:
    """Write small PNGs for the page."""
    HERE.mkdir(parents=True, exist_ok=True)
    for name, figure in paper_figures(draw_figures(Runs([run])), note=SIMULATED).items():
        (path,) = save_figure(figure, HERE, name, ("png",), dpi=DPI)
        Image.open(path).convert("RGB").quantize(64).save(path, optimize=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        draw(read_run_folder(Path(sys.argv[1])))
    else:
        with tempfile.TemporaryDirectory() as folder:
            draw(demo_run(Path(folder)))
