"""Your own photographs: keypoints in a JSON file of COCO's kind, as labelling tools write them.

Such a file also holds annotations that are no faces: crowds, boxes without keypoints, bodies of 17
points. They are passed over and counted. A keypoint's flag is 0 where it is not labelled, and 2
where it is visible. Anything between, 1 or a score such as 0.37, means labelled but hidden.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kdnotes.data import schemes
from kdnotes.data.crops import BadSample, Sample
from kdnotes.data.formats import own, reading
from kdnotes.data.formats.tables import plain
from kdnotes.system.wording import several

VISIBLE = 2


@dataclass(frozen=True)
class Annotation:
    """One annotation of the file.

    Attributes:
        entry: The annotation as the file has it.
        number: Its id, as text.
        file: The name of its picture, "" where no picture has its `image_id`.
        category: The name of its category.
        keypoints: `(3 * L,)` numbers x, y, flag of each point; None where they are no numbers.
    """

    entry: dict[str, Any]
    number: str
    file: str
    category: str
    keypoints: np.ndarray | None

    @property
    def where(self) -> str:
        """Its place in the file, for messages."""
        return f"annotation {self.number}"

    @property
    def n_points(self) -> float:
        """Number of points; 0 for a box without a labelled one, a fraction for a wrong number."""
        if self.keypoints is None:
            return float("nan")
        return self.keypoints.size / 3 if self.keypoints.any() else 0

    def text(self, key: str) -> str:
        """An entry as text; "" where it is absent or null."""
        value = self.entry.get(key)
        return "" if value is None else plain(str(value))


def read_coco(
    annotations: str | Path, image_dir: str | Path, *, upright: bool = True
) -> Iterator[Sample | BadSample]:
    """The faces of a COCO keypoints file: one per annotation.

    Args:
        annotations: The JSON file, with `images` and `annotations`.
        image_dir: The folder that its file names are relative to.
        upright: Its points are those of pictures turned upright; else of pictures as stored.

    Returns:
        An iterator. A face with a keypoint that is not labelled is a `BadSample`: a landmark
        network needs all of them.

    Raises:
        FileNotFoundError: No such file.
        ValueError: Not a COCO keypoints file, or one without a face.
    """
    faces = coco_faces(Path(annotations), Path(image_dir), upright).faces
    return reading.load_all(faces)


def coco_faces(
    path: Path,
    image_dir: Path,
    upright: bool,
    *,
    n_points: int | None = None,
    category: str | None = None,
) -> own.OwnFaces:
    """The faces of a COCO keypoints file, their pictures not loaded yet; see `read_coco`.

    Args:
        path: The JSON file.
        image_dir: The folder that its file names are relative to.
        upright: Its points are those of pictures turned upright; else of pictures as stored.
        n_points: Number of points of a face; None takes the number that the file holds.
        category: Name of the faces' category; None takes all.

    Raises:
        ValueError: Not a COCO keypoints file, or one without a face.
    """
    annotations = _read(path)
    chosen = _of_category(path, annotations, category)
    n_points = n_points or _find_n_points(path, chosen)
    kinds = [_other_kind(annotation, n_points) for annotation in chosen]
    faces = [annotation for annotation, kind in zip(chosen, kinds, strict=True) if not kind]
    others = Counter({"annotations of other categories": len(annotations) - len(chosen)})
    others += Counter(kind for kind in kinds if kind)
    passed_over = ", ".join(f"{count:,} {kind}" for kind, count in others.items())
    if not faces:
        others = passed_over or "no annotation"
        raise ValueError(f"{path} holds no face of {n_points} points; found {others}")
    own.check_splits(path, [(face.where, face.text("split")) for face in faces])
    per_file = Counter(face.file for face in faces)
    names = [_name(face, per_file) for face in faces]
    own.check_ids(path, names)
    folder = reading.PictureFolder(image_dir)
    notes = [f"passed over: {passed_over}"] if passed_over else []
    whole = [face.keypoints.reshape(-1, 3) for face in faces if face.n_points == n_points]
    if not any((keypoints[:, 2] >= VISIBLE).any() for keypoints in whole):
        notes.append("no keypoint has the flag 2, visible: all points count as hidden")
    loaders = [_face(face, name, folder, upright) for face, name in zip(faces, names, strict=True)]
    return own.OwnFaces(loaders, n_points, notes)


def _name(face: Annotation, per_file: Counter[str]) -> str:
    """The name of a face: its picture's, with its own number where there are several in it."""
    if not face.file:
        return face.number
    file = reading.plain_name(face.file)
    return file if per_file[face.file] == 1 else f"{file}#{face.number}"


def _read(path: Path) -> list[Annotation]:
    """The annotations of a file."""
    try:
        content = json.loads(path.read_bytes())  # in whatever Unicode encoding
        files = _files(path, content["images"])
        categories = {_key(c["id"]): str(c["name"]) for c in content.get("categories") or ()}
        annotations = []
        for number, entry in enumerate(content["annotations"]):
            image, category = _key(entry.get("image_id")), _key(entry.get("category_id"))
            keypoints = reading.numbers(entry.get("keypoints") or [])
            annotations.append(
                Annotation(
                    entry,
                    _key(entry.get("id", number)),
                    files.get(image, ""),
                    plain(categories.get(category, category)),
                    None if keypoints is None else keypoints.ravel(),
                )
            )
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(
            f"{path} is not a COCO keypoints file ({error!r}); expected JSON with images "
            "(id, file_name) and annotations (id, image_id, keypoints)"
        ) from error
    return annotations


def _key(value) -> str:
    """An id as text: tools write 2, "2" or 2.0 for the same one."""
    whole = isinstance(value, float) and value.is_integer()
    return plain(str(int(value) if whole else value))


def _files(path: Path, images: list[dict]) -> dict[str, str]:
    """Id of a picture to the name of its file."""
    files: dict[str, str] = {}
    for image in images:
        key, name = _key(image["id"]), image["file_name"].strip()
        if files.setdefault(key, name) != name:
            raise ValueError(
                f"{path} has two pictures with the id {key} in images, {files[key]} and {name}; "
                "every picture needs an id of its own"
            )
    return files


def _of_category(
    path: Path, annotations: list[Annotation], category: str | None
) -> list[Annotation]:
    """The annotations of a category, or all."""
    if category is None:
        return annotations
    chosen = [annotation for annotation in annotations if annotation.category == category.strip()]
    if not chosen:
        names = several(sorted({annotation.category for annotation in annotations})) or "none"
        raise ValueError(f"{path} has no annotation of the category {category!r}; found {names}")
    return chosen


def _find_n_points(path: Path, annotations: list[Annotation]) -> int:
    """The number of points of the faces: that of a known scheme, or the most frequent one."""
    counts = Counter(
        int(annotation.n_points)
        for annotation in annotations
        if annotation.n_points and annotation.n_points % 1 == 0
    )
    if not counts:
        raise ValueError(f"{path} has no annotation with keypoints, three numbers for each point")
    known = sorted(set(counts) & set(schemes.SCHEMES))
    if len(known) > 1:
        raise ValueError(
            f"{path} has faces of {' and of '.join(map(str, known))} points; choose one number "
            "with --scheme, or a category with --category"
        )
    return known[0] if known else counts.most_common(1)[0][0]


def _other_kind(annotation: Annotation, n_points: int) -> str:
    """What an annotation is instead of a face of that many points; "" if it is a face, even one
    that turns out to be bad."""
    if annotation.entry.get("iscrowd"):
        return "crowds"
    if annotation.n_points == 0:
        return "boxes without keypoints"
    if annotation.n_points % 1 == 0 and annotation.n_points != n_points:
        return f"annotations of {annotation.n_points:g} points"
    return ""


def _face(
    annotation: Annotation, name: str, folder: reading.PictureFolder, upright: bool
) -> reading.Face:
    """The face of an annotation, its picture not loaded yet."""
    where = annotation.where
    if annotation.n_points % 1 != 0:
        return BadSample(name, "keypoints that are not triples of x, y, flag", where)
    x, y, flags = annotation.keypoints.reshape(-1, 3).T
    if not (flags > 0).all():
        return BadSample(name, "keypoint that is not labelled", where)
    if not annotation.file:
        picture = annotation.entry.get("image_id")
        hint = f"{where}: no picture with the id {picture!r} in images"
        return BadSample(name, "annotation without a picture", hint)
    box = reading.numbers(annotation.entry.get("bbox") or [])
    subject = annotation.text("subject")
    sample = Sample(
        reading.NO_PICTURE,
        np.stack([x, y], axis=-1),
        visible=flags >= VISIBLE,
        box=tuple(box) if box is not None and box.shape == (4,) else None,
        id=name,
        subject=subject,
        split=own.find_split(annotation.text("split"), subject, annotation.file),
    )
    return folder.face(sample, annotation.file, where, upright=upright)
