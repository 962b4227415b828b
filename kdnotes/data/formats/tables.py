"""Tables as people's programs write them: any of the usual separators and encodings.

A spreadsheet's CSV file may be separated by semicolons or tabs, begin with a line `sep=,`, be
encoded in UTF-16 or Windows-1252, and hold rows of nothing but separators. All that is read if it
can only mean one thing; else it is refused in one sentence.
"""

import codecs
import csv
import io
import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

#: What separates cells, the usual one first.
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}

#: What begins a text in another encoding than plain UTF-8.
MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
WINDOWS = "cp1252"


class Row(NamedTuple):
    """One row of a table.

    Attributes:
        where: Its place, "points.csv, line 2".
        cells: Texts without blanks around them, accents composed.
    """

    where: str
    cells: list[str]


class Table(NamedTuple):
    """A table that was read.

    Attributes:
        header: The cells of its first row.
        rows: The others, without those that are empty.
        separator: What separates its cells.
        encoding: How it is encoded.
    """

    header: list[str]
    rows: list[Row]
    separator: str
    encoding: str


def read_table(path: Path) -> Table:
    """A CSV file with a header.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Not a text, or not a CSV file.
    """
    text, encoding = _decode(path)
    prefix = re.match(r'"?sep=(.)"?[,;\t ]*(\r\n?|\n)', text, re.IGNORECASE)  # as Excel writes it
    if prefix:
        text = text[prefix.end() :]
    lines = []
    try:
        separator = prefix[1] if prefix else _find_separator(text)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        for cells in reader:
            lines.append((reader.line_num + bool(prefix), [plain(cell) for cell in cells]))
    except csv.Error as error:
        last = lines[-1][0] if lines else 0
        raise ValueError(f"{path}, line {last + 1}: not a CSV file ({error})") from error
    header = lines[0][1] if lines else []
    rows = [Row(f"{path.name}, line {n}", _cut(row, len(header))) for n, row in lines[1:]]
    return Table(header, [row for row in rows if any(row.cells)], separator, encoding)


def plain(cell: str) -> str:
    """A cell's text without blanks around it; letters with accents as one character each."""
    return unicodedata.normalize("NFC", cell.strip())


def _cut(cells: list[str], n: int) -> list[str]:
    """A row without the empty cells beyond the header's last."""
    while len(cells) > n and not cells[-1]:
        cells = cells[:-1]
    return cells


def _find_separator(text: str) -> str:
    """The separator that cuts the first row into most cells."""
    counts = {
        separator: len(next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), []))
        for separator in SEPARATORS
    }
    return max(counts, key=counts.get)


def _decode(path: Path) -> tuple[str, str]:
    """The text of a file, and its encoding."""
    content = path.read_bytes()
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ValueError(f"{path} is a workbook of a spreadsheet program; save it as CSV")
    mark = next((mark for mark in MARKS if content.startswith(mark)), None)
    encodings = [MARKS[mark]] if mark else ["utf-8", WINDOWS]
    if not mark and b"\0" in content[:100]:  # Latin letters of two bytes each
        encodings = ["utf-16-le" if content[1:2] == b"\0" else "utf-16-be"]
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, encoding
    raise ValueError(
        f"{path} is no text in UTF-8, UTF-16 or Windows-1252; save it as CSV in the encoding UTF-8"
    )
