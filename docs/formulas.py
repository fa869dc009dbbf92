"""Formulas as MathML, which browsers draw by themselves: MathJax would have to come from the network."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

if TYPE_CHECKING:
    from sphinx.application import Sphinx

logger = logging.getLogger(__name__)


def drawn_by_browsers(app: Sphinx, doctree: nodes.document, docname: str) -> None:  # noqa: ARG001 (Sphinx gives them)
    """Put MathML in the place of every formula of a page; one that is not understood is a warning."""
    for kind in (nodes.math, nodes.math_block):
        for node in list(doctree.findall(kind)):
            try:
                drawn = tex2mathml(node.astext(), as_block=kind is nodes.math_block)
            except MathError as error:
                logger.warning("formula %s: %s", node.astext(), error, location=node)
                continue
            node.replace_self(nodes.raw("", drawn, format="html"))


def setup(app: Sphinx) -> dict[str, Any]:
    """Tell Sphinx."""
    app.connect("doctree-resolved", drawn_by_browsers)
    return {"parallel_read_safe": True}
