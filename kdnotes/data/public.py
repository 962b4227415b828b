"""The public data sets that one command turns into face sets.

Each entry holds what a person must know before a download starts, such as licence, citation and
origin of the labels, and what `kdnotes.data.prepare` needs to do the rest.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from kdnotes.data.downloads import Remote
from kdnotes.data.formats import cofw, ibug_300w, wflw, youtube_faces
from kdnotes.data.formats.reading import VALIDATION_RULE, Face

MB = 2**20


@dataclass(frozen=True)
class PublicSet:
    """A public data set.

    Attributes:
        name: As on the command line.
        title: Its usual name, with its address.
        licence: What it may be used for.
        citation: The paper to cite.
        labels: Who made the landmarks.
        n_points: How many there are.
        split_rule: How faces are split, in words.
        files: What is downloaded.
        faces: Its reader: from the folder of the unpacked files to one function per face.
        separate: Each archive is unpacked into a folder of its name.
        parts: Names of its parts, each of which may be left out.
        left_out: Those that are.
        lost_subsets: The subsets that do not exist without them.
    """

    name: str
    title: str
    licence: str
    citation: str
    labels: str
    n_points: int
    split_rule: str
    files: tuple[Remote, ...]
    faces: Callable[[Path], list[Face]]
    separate: bool = False
    parts: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    lost_subsets: tuple[str, ...] = ()

    @property
    def notice(self) -> str:
        """What is printed before the download."""
        return (
            f"{self.title}\nlicence: {self.licence}\nplease cite: {self.citation}\n"
            f"labels: {self.labels}"
        )

    def without(self, parts: Sequence[str]) -> "PublicSet":
        """The data set without some of its parts, whose archives are not needed then.

        Args:
            parts: Names of parts, such as "ibug"; several in one text are separated by commas.

        Raises:
            ValueError: It has no such part.
        """
        if not parts:
            return self
        if not self.parts:
            raise ValueError(f"{self.name} has no parts to leave out; 300w has")
        parts = tuple(part.strip(" /").lower() for text in parts for part in text.split(","))
        needed = {part[0] for part in ibug_300w.wanted(parts)}
        return replace(
            self,
            files=tuple(file for file in self.files if file.name.removesuffix(".zip") in needed),
            faces=partial(self.faces, without=parts),
            left_out=parts,
            lost_subsets=tuple(ibug_300w.lost_subsets(parts)),
        )


_300W_PAGE = "https://ibug.doc.ic.ac.uk/resources/facial-point-annotations/"
_WFLW_PAGE = "https://wywu.github.io/projects/LAB/WFLW.html"
_COFW_PAGE = "https://data.caltech.edu/records/bc0bf-nc666"

DATASETS = {
    dataset.name: dataset
    for dataset in (
        PublicSet(
            name="youtube-faces",
            title="YouTube Faces with facial keypoints (github.com/udacity/P1_Facial_Keypoints)",
            licence="MIT",
            citation="Wolf, Hassner, Maoz: Face recognition in unconstrained videos with matched "
            "background similarity, CVPR 2011",
            labels="very likely the output of another network (FAN), in whole numbers, not of a "
            "hand; NME here is the distance to that network's points",
            n_points=68,
            split_rule=youtube_faces.SPLIT_RULE,
            files=(
                # the archive of a branch is packed anew now and then: its hash is not fixed
                Remote(
                    "youtube_faces.zip",
                    "https://github.com/udacity/P1_Facial_Keypoints/archive/refs/heads/master.zip",
                    n_bytes=600 * MB,
                    page="https://github.com/udacity/P1_Facial_Keypoints",
                ),
            ),
            faces=youtube_faces.faces,
        ),
        PublicSet(
            name="300w",
            title=f"300W (iBUG, {_300W_PAGE})",
            licence="research use only, no redistribution",
            citation="Sagonas et al.: 300 faces in-the-wild challenge, ICCV workshops 2013",
            labels="by hand, half-automatic",
            n_points=68,
            split_rule=ibug_300w.SPLIT_RULE,
            files=tuple(
                Remote(
                    f"{part}.zip",
                    f"https://ibug.doc.ic.ac.uk/download/annotations/{part}.zip",
                    n_bytes=size * MB,
                    page=_300W_PAGE,
                )
                for part, size in (("afw", 330), ("helen", 1800), ("lfpw", 450), ("ibug", 80))
            ),
            faces=ibug_300w.faces,
            separate=True,
            parts=tuple(ibug_300w.NAMES),
        ),
        PublicSet(
            name="cofw",
            title=f"COFW, Caltech Occluded Faces in the Wild ({_COFW_PAGE})",
            licence="CC BY 4.0",
            citation="Burgos-Artizzu, Perona, Dollár: Robust face landmark estimation under "
            "occlusion, ICCV 2013; DOI 10.22002/D1.20099",
            labels="by hand, with occlusion",
            n_points=29,
            split_rule=VALIDATION_RULE,
            files=(
                Remote(
                    "COFW_color.zip",
                    f"{_COFW_PAGE}/files/COFW_color.zip?download=1",
                    known_hash="md5:8b21d126c4e1fb307cb463578eef0511",
                    n_bytes=503_327_162,
                    page=_COFW_PAGE,
                ),
            ),
            faces=cofw.faces,
        ),
        PublicSet(
            name="wflw",
            title=f"WFLW, Wider Facial Landmarks in-the-Wild ({_WFLW_PAGE})",
            licence="academic use",
            citation="Wu et al.: Look at boundary: a boundary-aware face alignment algorithm, "
            "CVPR 2018",
            labels="by hand",
            n_points=98,
            split_rule=VALIDATION_RULE,
            files=(
                Remote(
                    "WFLW_annotations.tar.gz",
                    "https://wywu.github.io/projects/LAB/support/WFLW_annotations.tar.gz",
                    n_bytes=17 * MB,
                    page=_WFLW_PAGE,
                ),
                Remote(
                    "WFLW_images.tar.gz",
                    "gdrive:1hzBd48JIdWTJSsATBEB_eFVvPL1bx6UC",
                    n_bytes=743 * MB,
                    page=_WFLW_PAGE,
                ),
            ),
            faces=wflw.faces,
        ),
    )
}


def get(name: str) -> PublicSet:
    """The data set of that name.

    Raises:
        ValueError: No such data set.
    """
    if name not in DATASETS:
        raise ValueError(
            f"no data set is called {name!r}; choose one of {', '.join(DATASETS)}, synthetic, csv"
        )
    return DATASETS[name]
