"""Formulas as MathML, which browsers draw themselves, and the font to draw them with.

The book, the slides and the HTML copies of the notebooks use both. A page fetches nothing while it
is read.

A browser draws roots and tall braces only in a font with a MATH table, and few machines have one.
The pages therefore bring STIX Two Math, under the licence in `OFL.txt`, reduced to the characters
in `characters.txt`. It was made from an npm package with fonttools:

    npm pack @fontsource/stix-two-math@5.3.0
    tar xzf fontsource-stix-two-math-5.3.0.tgz
    pyftsubset package/files/stix-two-math-latin-400-normal.woff --flavor=woff \\
        --unicodes-file=characters.txt --name-IDs='*' --output-file=stix-two-math.woff
"""

import base64
import unicodedata
from itertools import zip_longest
from pathlib import Path
from xml.etree import ElementTree

FOLDER = Path(__file__).parent
FONT, STYLE = FOLDER / "stix-two-math.woff", FOLDER / "formulas.css"
#: The files that a page with formulas needs beside it. The style refers to the font.
FILES = (STYLE, FONT)
SPACE = "0.167em"  # TeX's thin space


def html(tex: str, *, display: bool) -> str:
    """Converts a formula from TeX to MathML. Needs latex2mathml, of the extra "course".

    Args:
        tex: The formula, without dollar signs.
        display: Set it on a line of its own.
    """
    from latex2mathml.converter import convert

    text = convert(tex, xmlns="", display="block" if display else "inline")
    math = ElementTree.fromstring(text.replace(' xmlns=""', ""))
    for part in (*math.iter("mtd"), math):  # within a cell first
        _pair_bars(part)
    for element in list(math.iter()):
        _join_upright(element)
        _lower_prime(element)
        _set_spaces(element)
    for letter in math.iterfind(".//mi[@mathvariant='sans-serif']"):
        _without_serifs(letter)
    text = ElementTree.tostring(math, encoding="unicode")
    return f'<span class="formula">{text}</span>' if display else text


def style() -> str:
    """The style for a page that is a single file, with the font inside."""
    font = base64.b64encode(FONT.read_bytes()).decode()
    return STYLE.read_text("utf-8").replace(FONT.name, f"data:font/woff;base64,{font}")


def _pair_bars(part):
    """Makes bars such as those of |e| brackets: an operator would have space on both sides.

    Brackets come in pairs. A single bar, as in P(a | b), stays an operator.
    """
    for bar in "|‖":
        bars = [mo for mo in part.iter("mo") if mo.text == bar and "form" not in mo.attrib]
        if len(bars) % 2 == 0:
            for i, mo in enumerate(bars):
                form = "postfix" if i % 2 else "prefix"
                mo.attrib |= {"form": form, "fence": "true", "stretchy": "false"}


def _join_upright(row):
    """Joins the letters of a name such as sign, which arrive one by one, to a word."""
    letters = list(row)
    if len(letters) > 1 and all(mi.get("mathvariant") == "normal" for mi in letters):
        letters[0].text = "".join(mi.text for mi in letters)
        for mi in letters[1:]:
            row.remove(mi)


def _lower_prime(element):
    """Puts the prime of T′ beside its letter, since the font's prime is raised already."""
    if element.tag == "msup" and element[1].text == "′":
        element.tag, element[1].tag = "mrow", "mo"
        element[1].attrib |= {"form": "postfix", "lspace": "0", "rspace": "0"}


def _set_spaces(row):
    """Sets spaces as TeX does: around words such as max, a slash, and the sign of a number."""
    before = None
    for element, after in zip_longest(list(row), row[1:]):
        text, kind = element.text or "", element.tag
        is_word = len(text) > 1 and text.isalpha() and "mathvariant" not in element.attrib
        if kind in ("mi", "mo") and is_word:
            element.tag = "mo"
            beside_letter = before is not None and before.tag != "mo"
            in_brackets = after is None or "".join(after.itertext()).startswith("(")
            element.set("lspace", SPACE if beside_letter else "0")
            element.set("rspace", "0" if in_brackets else SPACE)
        elif kind == "mo" and text == "/":
            element.attrib |= {"lspace": "0", "rspace": "0"}
        elif kind == "mo" and text in ("+", "−") and _awaits_operand(before):
            element.set("form", "prefix")
        before = element


def _awaits_operand(element):
    """Whether a sign after this element is that of a number, as after a bracket or =."""
    is_operator = element is not None and element.tag == "mo"
    return is_operator and element.text not in (")", "]", "}") and element.get("form") != "postfix"


def _without_serifs(letter):
    """Replaces a letter by its sans-serif character, the only form of it that browsers know."""
    if letter.text.isascii() and letter.text.isalpha():
        case = "CAPITAL" if letter.text.isupper() else "SMALL"
        letter.text = unicodedata.lookup(f"MATHEMATICAL SANS-SERIF {case} {letter.text.upper()}")
