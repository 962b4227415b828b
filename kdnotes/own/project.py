"""A folder of pictures, and what is made of them: scheme, labels, proposals, networks."""

from dataclasses import dataclass
from pathlib import Path

from kdnotes import models
from kdnotes.data import schemes
from kdnotes.data.schemes import Scheme
from kdnotes.own.labels import Labels


@dataclass(frozen=True)
class Project:
    """A folder of pictures, and beside it the folder of what is made of them.

    Attributes:
        images: The pictures.
        folder: Holds scheme, labels, face sets and networks.
    """

    images: Path
    folder: Path

    @classmethod
    def of(cls, images: str | Path, folder: str | Path | None = None) -> "Project":
        """The project of a folder of pictures; by default it lies beside them."""
        images = Path(images).absolute()
        return cls(images, Path(folder or images.with_name(f"{images.name}-landmarks")))

    @property
    def scheme_file(self) -> Path:
        return self.folder / "scheme.json"

    def scheme(self) -> Scheme:
        """The scheme of the landmarks.

        Raises:
            FileNotFoundError: There is none yet.
            ValueError: It contradicts itself.
        """
        if not self.scheme_file.exists():
            raise FileNotFoundError(
                f"there is no scheme at {self.scheme_file}: make one with `python -m kdnotes own "
                "label`, or copy one there"
            )
        return schemes.get_named(str(self.scheme_file))

    def labels(self) -> Labels:
        """What people have placed."""
        return Labels(self.folder / "labels.csv", self.images, self.scheme())

    def proposals(self) -> Labels:
        """What the teacher has proposed for the other pictures."""
        return Labels(self.folder / "proposals.csv", self.images, self.scheme())

    def teacher(self) -> models.LandmarkNet:
        """The teacher that was trained last.

        Raises:
            FileNotFoundError: There is none yet.
            ValueError: It knows the landmarks of another scheme.
        """
        if not self.network("teacher").exists():
            raise FileNotFoundError(
                f"there is no teacher at {self.network('teacher')}; train one: "
                "python -m kdnotes own teach"
            )
        net = models.load(self.network("teacher"))
        check_scheme(self, net)
        return net

    def network(self, name: str) -> Path:
        """The file of the "teacher" or the "student"."""
        return self.folder / f"{name}.safetensors"


def check_scheme(project: Project, teacher: models.LandmarkNet) -> None:
    """Checks that a teacher knows the landmarks of a project.

    Raises:
        ValueError: It knows those of another scheme.
    """
    if schemes.of_config(teacher.config) != project.scheme():
        raise ValueError(
            f"the teacher knows another scheme than {project.scheme_file}; train it again: "
            "python -m kdnotes own teach"
        )
