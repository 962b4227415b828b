"""What a scene of a notebook needs of a face set, and the sentence where it is not there.

Some scenes need to know who is who, or where the eyes are. A face set that lacks it does not stop a
notebook: `recipes.Course.showing` says in one sentence what is missing, and the scene is shown on a
few embedded faces instead.
"""

from collections.abc import Callable, Iterable

from kdnotes.data.crops import knows_yaw
from kdnotes.data.faceset import FaceSet
from kdnotes.data.schemes import SCHEMES

#: How many embedded faces such a scene takes at most.
N_FACES = 200

#: How many people with several pictures a scene on people needs.
N_PEOPLE = 8


def _several_pictures(faces: FaceSet) -> bool:
    """Whether there are enough training people with several pictures."""
    table = faces.table[faces.table["split"] == "train"]
    counts = table.loc[table["subject"] != "", "subject"].value_counts()
    return (counts > 1).sum() >= N_PEOPLE


#: Name to what is needed, in words, and whether a face set has it.
NEEDS: dict[str, tuple[str, Callable[[FaceSet], bool]]] = {
    "people": ("people with several pictures", _several_pictures),
    "yaw": ("points that tell the turn of the head", lambda faces: knows_yaw(faces.scheme)),
    "eyes": ("outer eye corners and pupils", lambda faces: bool(faces.scheme.interpupil)),
    "brows": ("eyes and brows by name", lambda faces: "brow_left" in faces.scheme.groups),
    "68 points": ("68-point scheme", lambda faces: faces.scheme == SCHEMES[68]),
    "flip": ("numbering of the mirror image", lambda faces: faces.scheme.flip is not None),
}


def missing(faces: FaceSet, needs: Iterable[str]) -> list[str]:
    """What a face set lacks, in words."""
    return [words for words, has in (NEEDS[need] for need in needs) if not has(faces)]


def sentence(lacks: list[str], n_faces: int) -> str:
    return f"This face set has no {' and no '.join(lacks)}: shown on {n_faces} embedded faces."
