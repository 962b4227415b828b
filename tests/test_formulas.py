"""Formulas: TeX becomes MathML with TeX's spaces, and the font that is shipped has all of it."""

import re
import unicodedata
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import pytest
from fontTools.ttLib import TTFont

from kdnotes.publish import formulas

pytest.importorskip("latex2mathml", reason="needs the extra course")

ROOT = Path(__file__).parents[1]
TEX = re.compile(r"\$\$(.+?)\$\$|(?<![\\$`])\$([^$\n`]+)\$", re.DOTALL)


def texts():
    """The Markdown of the course: notebooks, exercises, slides and the pages of the book."""
    for path in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        yield from (cell.source for cell in cells if cell.cell_type == "markdown")
    for path in sorted((ROOT / "notebooks").rglob("*.md")):
        yield path.read_text("utf-8")


def course_formulas():
    return sorted({display or inline for text in texts() for display, inline in TEX.findall(text)})


def math(tex):
    return ElementTree.fromstring(formulas.html(tex, display=False))


def drawn(element):
    """The characters that a browser draws: it takes a letter alone in its italic form."""
    text = (element.text or "").strip()
    if element.tag != "mi" or len(text) != 1 or element.get("mathvariant") == "normal":
        return set(text)
    if text.isascii() and text.isalpha():
        first = 0x1D434 if text.isupper() else 0x1D44E
        italic = chr(first + ord(text.upper()) - ord("A"))
        return {"\u210e" if text == "h" else italic}
    if "\u03b1" <= text <= "\u03c9":
        return {chr(0x1D6FC + ord(text) - 0x3B1)}
    return {chr(0x1D6E2 + ord(text) - 0x391)} if "\u0391" <= text <= "\u03a9" else {text}


@pytest.fixture(scope="module")
def font():
    return TTFont(formulas.FONT)


def test_the_font_draws_roots_and_braces(font):
    constructed = font["MATH"].table.MathVariants.VertGlyphCoverage.glyphs
    names = font.getBestCmap()
    for sign in "\u221a{}()|\u2016":
        assert names[ord(sign)] in constructed, f"{sign} does not grow"
    assert formulas.FONT.stat().st_size < 60_000


def test_the_font_has_every_character_of_the_course(font):
    known, found = set(font.getBestCmap()), course_formulas()
    assert len(found) > 50
    for tex in found:
        for element in math(tex).iter():
            missing = [c for c in drawn(element) if not c.isspace() and ord(c) not in known]
            assert missing == [], f"{tex}: add it to characters.txt and make the font again"


def test_the_font_is_what_its_list_says_under_its_licence(font):
    lines = (formulas.FOLDER / "characters.txt").read_text("utf-8").splitlines()
    for word in " ".join(line.partition("#")[0] for line in lines).split():
        first, _, last = word.partition("-")
        for code in range(int(first, 16), int(last or first, 16) + 1):
            assert code in font.getBestCmap() or not unicodedata.name(chr(code), ""), hex(code)
    licence = (formulas.FOLDER / "OFL.txt").read_text("utf-8")
    assert str(font["name"].getName(0, 3, 1)) in licence
    assert (
        "SIL OPEN FONT LICENSE Version 1.1" in licence and "Reserved Font Name" not in licence[:200]
    )


def forms(tex, text):
    return [mo.get("form") for mo in math(tex).iter("mo") if mo.text == text]


@pytest.mark.parametrize(
    "tex, bar, expected",
    [
        ("|e|", "|", "()"),
        (r"2|\alpha^-|/\beta", "|", "()"),
        (r"\lvert T-g\rvert + |x|", "|", "()()"),
        (r"\lVert p - g\rVert_2", "\u2016", "()"),
        (r"|x| \begin{cases} |e| & |e| \le t\end{cases}", "|", "()()()"),
        (r"\left|\frac{a}{b}\right| + |a|", "|", "()()"),
        ("P(a|b)", "|", "-"),
    ],
)
def test_bars_are_brackets_where_they_come_in_pairs(tex, bar, expected):
    names = {"prefix": "(", "postfix": ")", None: "-"}
    assert "".join(names[form] for form in forms(tex, bar)) == expected


def test_bars_around_a_fraction_grow_where_tex_says_so():
    stretchy = {mo.get("stretchy") for mo in math(r"\left|\frac{a}{b}\right|").iter("mo")}
    assert stretchy == {"true"}
    assert {mo.get("stretchy") for mo in math("|e|").iter("mo")} == {"false"}


@pytest.mark.parametrize(
    "tex, expected",
    [
        ("x = -1", ["prefix"]),
        ("(-x)", ["prefix"]),
        ("a - b", [None]),
        ("|a| - (b) - c", [None] * 2),
    ],
)
def test_the_sign_of_a_number_stands_at_it(tex, expected):
    assert forms(tex, "\u2212") == expected


def test_words_stand_as_words():
    word, bracket, *_ = math(r"\max(u, 0)").iter("mo")
    assert (word.text, word.get("rspace"), bracket.text) == ("max", "0", "(")
    log = next(math(r"q \log p").iter("mo"))
    assert (log.text, log.get("lspace"), log.get("rspace")) == ("log", "0.167em", "0.167em")
    assert [mi.text for mi in math(r"\mathrm{sign}(e)").iter("mi")] == ["sign", "e"]
    assert [mo.get("lspace") for mo in math("a/b").iter("mo")] == ["0"]


def test_a_prime_is_not_raised_twice():
    assert math("T'").find(".//msup") is None and forms("T'", "\u2032") == ["postfix"]
    assert math("T^2").find(".//msup") is not None


def test_letters_without_serifs_have_their_own_characters():
    assert [mi.text for mi in math(r"P^{\mathsf T}").iter("mi")] == ["P", "\U0001d5b3"]


def test_a_formula_on_its_own_line_can_be_scrolled():
    assert formulas.html("x", display=True).startswith(
        '<span class="formula"><math display="block">'
    )
    style = formulas.STYLE.read_text("utf-8")
    assert "overflow-x: auto" in style and formulas.FONT.name in style


def test_the_style_of_a_page_that_is_one_file_names_no_other():
    addresses = re.findall(r'url\("(.{9})', formulas.style())
    assert addresses == ["data:font"]
