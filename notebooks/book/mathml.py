"""Sphinx's renderer of formulas: MathML, see `kdnotes.publish.formulas`."""

from docutils.nodes import SkipNode

from kdnotes.publish import formulas


def inline(translator, node):
    translator.body.append(formulas.html(node.astext(), display=False))
    raise SkipNode


def block(translator, node):
    translator.body.append(formulas.html(node.astext(), display=True))
    raise SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
