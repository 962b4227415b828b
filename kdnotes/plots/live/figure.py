"""A figure whose JavaScript runs beside a kernel and without one.

In a notebook a figure is an anywidget: its traits are its state, in both directions. What is stored
in the notebook is a still picture and the state, so that a page without a kernel can show the same
figure with a stand-in for the widget (`page`), and a reader of neither sees the still.
"""

import base64
import io
import json
import math
import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any, ClassVar

import anywidget
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont
from traitlets import Float, TraitError

HERE = Path(__file__).parent

#: The type of what a notebook stores of a figure, its module and state: JSON as a text, so that
#: a notebook's file has it in one line.
MIME = "application/vnd.kdnotes.live"

#: What stands below a still.
ELSEWHERE = "A still: the figure moves in JupyterLab, on Colab, and in the web book."


def number(value: float, digits: int = 2, plus: bool = False) -> str:
    """A number as the figures write it: a half is rounded up, minus is a real minus sign."""
    rounded = Decimal(abs(float(value))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    sign = "−" if value < 0 else "+" if plus else ""
    return f"{sign if rounded else ''}{rounded}"


def bundle(module: str) -> str:
    """A figure's module and all that it imports, as one JavaScript module.

    Notebooks hand a widget's module over as text, where it has no neighbours to import. Names are
    therefore unique among the modules.
    """
    source = (HERE / f"{module}.js").read_text("utf-8")
    needed = re.findall(r'^import [^;]*? from "\./(\w+)\.js";\n', source, flags=re.M)
    parts = [bundle_part(name) for name in needed] + [_without_imports(source)]
    return "\n".join(parts)


def bundle_as_script(module: str) -> str:
    """The same without exports, for a script that calls `render` itself."""
    script = bundle(module).replace("export default { render };", "")
    return re.sub(r"^export ", "", script, flags=re.M)


def bundle_part(module: str) -> str:
    """A shared module without its exports."""
    source = _without_imports((HERE / f"{module}.js").read_text("utf-8"))
    return re.sub(r"^export ", "", source, flags=re.M)


def _without_imports(source):
    return re.sub(r"^import [^;]*;\n", "", source, flags=re.M)


class Number(Float):
    """A trait that is a finite number."""

    def validate(self, obj, value):
        value = super().validate(obj, value)
        if not math.isfinite(value):
            raise TraitError(f"{self.name} is {value}; expected a finite number")
        return value


class LiveFigure(anywidget.AnyWidget):
    """Base of the live figures.

    Attributes:
        module: Name of the JavaScript module.
        alt: What the still shows, in words.
    """

    module: ClassVar[str]
    alt: ClassVar[str]

    def __init_subclass__(cls, **options):
        if "module" in cls.__dict__:
            cls._esm = bundle(cls.module)
        super().__init_subclass__(**options)

    def state(self) -> dict[str, Any]:
        """The traits that the figure is drawn from, as JSON values."""
        names = set(self.trait_names(sync=True)) - set(anywidget.AnyWidget.class_trait_names())
        return {name: getattr(self, name) for name in sorted(names) if not name.startswith("_")}

    def says(self) -> str:
        """What the line below the figure must say now, or a part of it, computed in Python."""
        raise NotImplementedError

    def still(self) -> Figure:
        """The figure in its present state, without JavaScript."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **options):
        data, metadata = super()._repr_mimebundle_(**options)
        data["image/png"] = base64.b64encode(_png(self.still())).decode()
        data["text/plain"] = self.alt
        figure = {"module": self.module, "state": self.state()}
        data[MIME] = json.dumps(figure, allow_nan=False)
        return data, metadata | {"image/png": {"alt": self.alt}}


def _png(still):
    """A still as a PNG file, and below it where the figure moves."""
    stream = io.BytesIO()
    still.savefig(stream, format="png", dpi=110)
    drawn = Image.open(stream).convert("RGB")
    width, height = drawn.size
    picture = Image.new("RGB", (width, height + 26), "white")
    picture.paste(drawn)
    place, font = (width / 2, height + 12), ImageFont.load_default(13)
    ImageDraw.Draw(picture).text(place, ELSEWHERE, "#555555", font, anchor="mm")
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def literal(value: Any) -> str:
    """A JSON value as JavaScript that may stand in a page: nothing in it ends the script."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def page(module: str, state: dict[str, Any], place: str) -> str:
    """HTML that shows a figure without a kernel.

    Args:
        module: Name of the figure's module.
        state: Its state.
        place: Id of the element that is made for it; unique in the page.
    """
    return (
        f'<div id="{place}"></div>\n<script type="module">\n'
        f"{bundle_part('standin')}\n{bundle_as_script(module)}\n"
        f'const el = document.getElementById("{place}");\n'
        f"el.model = new StandIn({literal(state)});\n"
        "el.close = render({ model: el.model, el });\n</script>"
    )
