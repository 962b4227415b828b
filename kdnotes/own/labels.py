"""The labels of a folder of pictures: a CSV file that `data prepare csv` reads.

Each change is saved at once, and the file is whole at any moment. Several programs may work on one
table: what somebody else has changed meanwhile is never overwritten, see `Labels.save`.
"""

import csv
import io
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kdnotes.data.formats import tables
from kdnotes.data.pictures import PictureError, read_picture
from kdnotes.data.schemes import Scheme
from kdnotes.deploy import photos
from kdnotes.system.files import new_file, turn


class ChangedMeanwhile(ValueError):
    """The row that was to be saved is not the one that was read any more.

    Attributes:
        label: What it holds now.
    """

    def __init__(self, file: str, label: "Label"):
        super().__init__(
            f"the landmarks of {file} have been changed elsewhere in the meantime; your change was "
            "not saved"
        )
        self.label = label


@dataclass(frozen=True)
class Label:
    """The landmarks of one picture.

    Attributes:
        points: `(L, 2)` x, y in pixels of the upright picture, counted from the middle of the first
            one; NaN where a landmark is not placed yet.
        hidden: `(L,)` bool: something stands before it.
    """

    points: np.ndarray
    hidden: np.ndarray

    @classmethod
    def empty(cls, n_points: int) -> "Label":
        return cls(np.full((n_points, 2), np.nan), np.zeros(n_points, bool))

    @property
    def placed(self) -> np.ndarray:
        """`(L,)` bool."""
        return np.isfinite(self.points).all(axis=1)

    @property
    def complete(self) -> bool:
        return bool(self.placed.all())

    def cells(self) -> list[str]:
        """The cells of its row after the file's name."""
        words = ["" if not np.isfinite(value) else f"{value:.2f}" for value in self.points.flat]
        return [*words, " ".join(map(str, np.flatnonzero(self.hidden)))]


class Labels:
    """The labels of the pictures in a folder.

    Args:
        table: The CSV file; it need not exist yet.
        images: The folder of the pictures.
        scheme: Of the landmarks.

    Attributes:
        files: Names of the pictures, in the order in which people count, with each accent and its
            letter as one character.

    Raises:
        FileNotFoundError: No such folder.
        ValueError: No picture in it.
    """

    def __init__(self, table: Path, images: Path, scheme: Scheme):
        self.table, self.images, self.scheme = Path(table), Path(images), scheme
        self._paths = pictures_of(self.images)
        self.files = list(self._paths)

    def read(self) -> dict[str, Label]:
        """File to label, for all rows of the table. The file may be another program's.

        Raises:
            ValueError: Not a table of `file, x0, y0, …` with as many points as the scheme has, with
                something that is not a number, or with several rows of one picture.
        """
        return {cells["file"]: self._label(cells, where) for where, cells in self._rows()[1]}

    def get(self, file: str) -> Label:
        """The label of a picture; an empty one where it has none."""
        return self.read().get(file, Label.empty(self.scheme.n_points))

    def save(self, file: str, label: Label, seen: Label) -> None:
        """Writes the label of a picture.

        Args:
            file: A name in `files`.
            label: What is to be written.
            seen: What was read of this picture before the change.

        Raises:
            ChangedMeanwhile: The table holds something other than `seen`. Nothing is written.
            ValueError: No such picture, or points of another number, or infinite ones.
            OSError: The file cannot be written; what was there stays.
        """
        if file not in self._paths:
            raise ValueError(f"{self.images} holds no picture {file!r}")
        self._check(label)
        with turn(self.table):
            header, rows = self._rows()
            found = dict((cells["file"], (where, cells)) for where, cells in rows)
            now = Label.empty(self.scheme.n_points)
            if file in found:
                now = self._label(found[file][1], found[file][0])
            if now.cells() != seen.cells():
                raise ChangedMeanwhile(file, now)
            cells = found[file][1] if file in found else {"file": file}
            columns = [*self._columns(), "hidden_points"]
            cells |= dict(zip(columns, label.cells(), strict=True))
            found[file] = ("", cells)
            self._write(header, [cells for _, cells in found.values()])

    def add(self, others: Mapping[str, Label]) -> int:
        """Takes in the labels of others. A picture that has a label keeps it.

        Returns:
            How many pictures were added.

        Raises:
            ValueError, OSError: As in `save`; nothing is added.
        """
        with turn(self.table):
            header, rows = self._rows()
            known = {cells["file"]: cells for _, cells in rows}
            mine, added = self.read(), 0
            for file, label in others.items():
                has_one = file in mine and mine[file].placed.any()
                if has_one or file not in self._paths or not label.placed.any():
                    continue
                self._check(label)
                columns = [*self._columns(), "hidden_points"]
                cells = dict(zip(columns, label.cells(), strict=True))
                known[file] = known.get(file, {"file": file}) | cells
                added += 1
            self._write(header, list(known.values()))
        return added

    def replace(
        self, labels: Mapping[str, Label], more: Mapping[str, Mapping[str, str]] | None = None
    ) -> None:
        """Writes a table of these labels and nothing else, whatever it held.

        Args:
            labels: File to label; the files are names in `files`.
            more: By name each further column, file to cell.

        Raises:
            ValueError: Landmarks as `save` refuses them.
            OSError: The file cannot be written; what was there stays.
        """
        for label in labels.values():
            self._check(label)
        columns = [*self._columns(), "hidden_points"]
        more = more or {}
        rows = [
            {"file": file}
            | dict(zip(columns, label.cells(), strict=True))
            | {name: cells[file] for name, cells in more.items()}
            for file, label in labels.items()
        ]
        with turn(self.table):
            self._write(["file", *columns, *more], rows)

    def column(self, name: str) -> dict[str, str]:
        """File to the cell in another column of the table; empty where there is no such column."""
        return {cells["file"]: cells.get(name, "") for _, cells in self._rows()[1]}

    def complete(self) -> list[str]:
        """The pictures whose landmarks are all placed, in the order of `files`."""
        read = self.read()
        return [file for file in self.files if file in read and read[file].complete]

    def picture(self, file: str) -> np.ndarray:
        """The pixels `(H, W, 3)` of a picture, turned upright.

        Raises:
            PictureError: The file does not open.
        """
        if file not in self._paths:
            raise PictureError(self.images / file, "is no picture of this folder")
        return read_picture(self._paths[file]).pixels

    def path(self, file: str) -> Path:
        """The file of a picture."""
        return self._paths[file]

    def _columns(self):
        return [f"{axis}{i}" for i in range(self.scheme.n_points) for axis in "xy"]

    def _rows(self) -> tuple[list[str], list[tuple[str, dict[str, str]]]]:
        """The table's header, and of each row its place and its cells by column."""
        if not self.table.exists():
            return ["file", *self._columns(), "hidden_points"], []
        content = tables.read_table(self.table)
        points = [name for name in content.header if re.fullmatch(r"[xy]\d+", name)]
        if "file" not in content.header or points != self._columns():
            raise ValueError(
                f"{self.table} has {len(points) // 2} points; expected a column file and the "
                f"{self.scheme.n_points} points of the scheme, x0, y0, …"
            )
        header = content.header
        header = header if "hidden_points" in header else [*header, "hidden_points"]
        rows, known = [], set()
        for row in content.rows:
            cells = dict(zip(header, row.cells, strict=False))
            file = cells.get("file", "")
            if not file or file in known:
                fault = "another row has this picture, and each has one" if file else "no file"
                raise ValueError(f"{row.where}: {fault}")
            known.add(file)
            rows.append((row.where, cells))
        return header, rows

    def _label(self, cells: Mapping[str, str], where: str) -> Label:
        try:
            values = [float(cells.get(name) or "nan") for name in self._columns()]
            hidden = np.zeros(self.scheme.n_points, bool)
            words = cells.get("hidden_points", "").split()
            if not all(word.isdecimal() for word in words):
                raise ValueError(f"hidden points are {words}")
            hidden[[int(word) for word in words]] = True
        except (ValueError, IndexError) as error:
            raise ValueError(
                f"{where}: {error}; expected numbers, or nothing where a point is not placed, and "
                "the numbers of hidden points"
            ) from error
        return Label(np.array(values).reshape(-1, 2), hidden)

    def _check(self, label):
        n = self.scheme.n_points
        if label.points.shape != (n, 2) or label.hidden.shape != (n,):
            raise ValueError(f"landmarks are {label.points.shape}, expected {(n, 2)}")
        if np.isinf(label.points).any() or (np.isnan(label.points).sum(axis=1) == 1).any():
            raise ValueError("a landmark has an x and a y, both finite, or neither")

    def _write(self, header, rows):
        stream = io.StringIO(newline="")
        writer = csv.DictWriter(stream, header, restval="", lineterminator="\n")
        writer.writeheader()
        order = {file: number for number, file in enumerate(self.files)}
        writer.writerows(sorted(rows, key=lambda cells: order.get(cells["file"], len(order))))
        with new_file(self.table) as part:
            part.write_text(stream.getvalue(), encoding="utf-8")


def pictures_of(folder: Path) -> dict[str, Path]:
    """The pictures in a folder by name, in the order in which people count.

    Names have each accent and its letter as one character, as tables are read. A name that is no
    text is left out, with a message on stderr.

    Raises:
        FileNotFoundError: No such folder.
        ValueError: No picture in it.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder; give a folder of pictures")
    found = {}
    for path in photos.listed([folder]):
        try:
            path.name.encode()
        except UnicodeEncodeError:
            print(f"left out: the name of {path.name!a} is no text", file=sys.stderr)
            continue
        found[tables.plain(path.name)] = path
    return dict(sorted(found.items(), key=lambda item: _as_people_count(item[0])))


def _as_people_count(name):
    """10.jpg comes after 9.jpg."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name.lower())]
