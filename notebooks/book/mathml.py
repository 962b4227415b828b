"""Sphinx's renderer of formulas: MathML, see `kdnotes.formulas`."""

from docutils.nodes import SkipNode

from kdnotes import formulas


def inline(translator, node):
    translator.body.append(formulas.html(node.astext(), display=False))
    raise SkipNode


def block(translator, node):
    translator.body.append(formulas.html(node.astext(), display=True))
    raise SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
