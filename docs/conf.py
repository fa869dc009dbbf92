"""The site: `make docs` builds it from these pages, without a network, into out/docs."""

from __future__ import annotations

import os
import re
import sys
import warnings
from pathlib import Path
from typing import Any

import mixz

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))
# Tutorials call `mixz` as a person does, and want no colours, which are noise in a page.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
os.environ |= {"NO_COLOR": "1", "COLUMNS": "100", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
warnings.filterwarnings("ignore")  # of other people's insides, while API pages import them

project, author = "mixz", "The mixz developers"
copyright = author  # noqa: A001 (Sphinx's name)
version = release = mixz.__version__

extensions = [
    "formulas",
    "myst_nb",
    "repository_files",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "sphinx_design",
]
exclude_patterns = ["figures"]
nitpicky = True
# Names of other libraries lead nowhere without a network; those of mixz that are no public names have no page.
nitpick_ignore_regex = [("py:.*", ".*")]
suppress_warnings = [
    "myst-nb.lexer",  # where no notebook is executed, as in the test, none knows its language
    "mystnb.unknown_mime_type",  # plots come as SVG, and as the Vega-Lite that only Jupyter draws
]

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 4
nb_execution_mode = "cache"
nb_execution_cache_path = str(ROOT / "out" / "docs_cache")
nb_execution_in_temp = True
nb_execution_timeout = 600
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_output_stderr = "remove"
nb_merge_streams = True

default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "pydata_sphinx_theme"
html_title = "mixz"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {
    "logo": {"text": "mixz"},
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "use_edit_page_button": False,
    "back_to_top_button": False,
}
html_sidebars = {"index": [], "changelog": []}
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True


def as_written(app: Any, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:  # noqa: ARG001
    """Let |a| and a * b in docstrings be what they are to a reader, and no markup."""
    example = literal = False
    for number, line in enumerate(lines):
        example = line.lstrip().startswith(">>>") or (example and bool(line.strip()))
        literal = literal and (line.startswith(" ") or not line.strip())
        if not (example or literal):
            spans = re.split(r"(`+[^`]*`+)", line)
            lines[number] = "".join(s if s.startswith("`") else re.sub(r"[|*]", r"\\\g<0>", s) for s in spans)
            literal = line.rstrip().endswith("::")


def setup(app: Any) -> None:
    """Tell Sphinx; before napoleon, which writes markup."""
    app.connect("autodoc-process-docstring", as_written, priority=400)
