"""Frozen teachers, and what they answered.

A teacher sees the same view as the student: the same turn, shift, light and patch, at its own input
side and crop margin. Asking two teachers at every step costs more than the student's own step, so
their answers can be stored: `build_cache` asks once per (face, view), and training then looks them
up. The view is made again from the same numbers, so a stored answer always meets its own view.

`Teachers` and `TeacherCache` both have `answers(rows, view_ids, crops, views)`, so a training does
not need to know which of them it was given.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from kdnotes import models
from kdnotes.data.crops import CROP_MARGIN
from kdnotes.data.faceset import FaceSet
from kdnotes.system import processes
from kdnotes.system.files import beside, new_file, new_folder, work_folder, write_json
from kdnotes.views import ViewConfig, Views, sample_views, to_tensor, warp_images

#: How much lower than its student's a teacher's error is to be: by as much as in the authors'
#: evaluation notes, where their Tough teacher has 3.82 % on 300W and the plain student 4.50 %.
WORTH = 0.15

#: How much lower an error on training faces is than on others where some, and where much of the
#: training faces has been memorised. Less may be chance, since the faces differ.
MEMORISED = 0.10, 0.25


def worth_having(teacher: float, student: float) -> str:
    """Whether a teacher keeps to the rule of `WORTH`, in a sentence.

    Args:
        teacher: Its mean error on faces that neither was trained on.
        student: That of the plain student, trained on the same faces.
    """
    lower = 1 - teacher / student
    how = "lower" if lower >= 0 else "higher"
    reached = "reached" if lower >= WORTH else "missed"
    return (
        f"teacher {teacher:.2%}, plain student {student:.2%}: {abs(lower):.1%} {how}; the mark, "
        f"{WORTH:.0%} lower, is {reached}"
    )


def memorised(seen: float, unseen: float) -> str:
    """How much a network has memorised of its training faces, in a sentence.

    The yardstick is the share by which its error is lower on them than on others.

    Args:
        seen: Its mean error on faces that it was trained on.
        unseen: The same on others.

    Examples:
        >>> memorised(0.03, 0.05)
        '40% lower on training faces than on others: much has been memorised'
    """
    lower = 1 - seen / unseen
    some, much = MEMORISED
    amount = "much" if lower >= much else "some" if lower >= some else "little or nothing"
    how = "lower" if lower >= 0 else "higher"
    return f"{abs(lower):.0%} {how} on training faces than on others: {amount} has been memorised"


class Teachers:
    """The Tough and the Tolerant teacher, frozen. One of them may be left out.

    Args:
        tough: Trained on the annotated (hard) landmarks.
        tolerant: Trained on the landmarks smoothed by a shape model (soft landmarks).
        crop_margin: The student's; answers are given in the units of its crop.
    """

    def __init__(self, tough=None, tolerant=None, *, crop_margin: float = CROP_MARGIN):
        nets = {"tough": tough, "tolerant": tolerant}
        self.nets = {name: models.freeze(net) for name, net in nets.items() if net is not None}
        if not self.nets:
            raise ValueError("Teachers needs at least one network, found none")
        self.crop_margin = crop_margin

    @property
    def names(self) -> list[str]:
        return list(self.nets)

    @property
    def fingerprints(self) -> dict[str, str]:
        return {name: models.fingerprint(net) for name, net in self.nets.items()}

    def to(self, device: torch.device | str) -> "Teachers":
        for net in self.nets.values():
            net.to(device, memory_format=torch.channels_last)
        return self

    @torch.no_grad()  # not inference_mode: its tensors cannot be saved for the backward pass
    def predict(self, crops: torch.Tensor, views: Views) -> dict[str, torch.Tensor]:
        """Each teacher's landmarks of these views.

        Args:
            crops: Stored crops `(B, 3, H, W)`.
            views: The student's views of them.

        Returns:
            Name to `(B, L, 2)`, in the student's network-crop units.
        """
        images_of, answers = {}, {}
        for name, net in self.nets.items():
            if net.training:
                raise RuntimeError(f"the {name} teacher is in training mode; call models.freeze")
            size, margin = net.config.size, net.config.crop_margin
            if (size, margin) not in images_of:  # teachers that see the same crop share it
                own = views.at_margin(margin, self.crop_margin)
                images = warp_images(crops, own, size)
                images_of[size, margin] = images.contiguous(memory_format=torch.channels_last)
            answers[name] = net(images_of[size, margin]) * (margin / self.crop_margin)
        return answers

    def answers(self, rows, view_ids, crops, views) -> dict[str, torch.Tensor]:
        """`predict`, with the signature that a cache has too."""
        return self.predict(crops, views)

    def check(self, expected: dict) -> None:
        """Live teachers answer any view: nothing to check but the units of their answers."""
        if self.crop_margin != expected["crop_margin"]:
            raise ValueError(
                f"the teachers answer for a crop margin of {self.crop_margin}, the student has "
                f"{expected['crop_margin']}; give Teachers(…, crop_margin=…)"
            )


def view_key(
    faces: FaceSet,
    *,
    seed: int,
    n_views: int,
    strength: float,
    config: ViewConfig,
    crop_margin: float,
) -> dict:
    """What decides which picture a (face, view number) stands for; JSON values."""
    return {
        "faces": faces.fingerprint,
        "seed": seed,
        "strength": strength,
        "n_views": n_views,
        "crop_margin": crop_margin,
        "view_config": asdict(config.on(faces.scheme)),
    }


class TeacherCache:
    """Stored answers of teachers, `(N, K, T, L, 2)` float32 on disk; made by `build_cache`."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        try:
            self.key = json.loads((self.path / "meta.json").read_text())
            self.rows = np.load(self.path / "rows.npy")
            self.landmarks = np.load(self.path / "landmarks.npy", mmap_mode="r")
            expected = (len(self.rows), self.key["n_views"], len(self.key["teachers"]))
            if self.landmarks.shape[:3] != expected:
                raise ValueError(f"shape {self.landmarks.shape}, expected {expected} and (L, 2)")
        except (OSError, EOFError, KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path} is not a whole teacher cache ({error}); delete it, it can be built again"
            ) from error
        self.fingerprints = self.key["teachers"]
        self.names = list(self.fingerprints)
        self._position = np.full(int(self.rows.max()) + 1, -1)
        self._position[self.rows] = np.arange(len(self.rows))

    def check(self, expected: dict) -> None:
        """Refuses to serve anything but the views it was made for.

        Raises:
            ValueError: Naming what differs: data set, seed, strength, number of views, teacher, ….
        """
        for name, value in expected.items():
            if self.key[name] != value:
                raise ValueError(
                    f"the teacher cache {self.path} was made for another {name}: "
                    f"{self.key[name]}, now {value}; delete it, or choose another folder"
                )

    def answers(self, rows, view_ids, crops, views) -> dict[str, torch.Tensor]:
        """Name to `(B, L, 2)` landmarks in the student's network-crop units.

        Raises:
            KeyError: A face or a view that was not asked about.
        """
        rows, view_ids = np.asarray(rows), np.broadcast_to(view_ids, np.shape(rows))
        inside = (rows < len(self._position)) & (view_ids < self.key["n_views"])
        position = self._position[rows] if inside.all() else np.full(1, -1)
        if position.min() < 0:
            raise KeyError(f"the teacher cache {self.path} lacks a face or a view asked for")
        landmarks = torch.from_numpy(self.landmarks[position, view_ids])  # (B, T, L, 2)
        landmarks = landmarks.to(crops.device, non_blocking=True)
        return {name: landmarks[:, i] for i, name in enumerate(self.names)}


def build_cache(
    teachers: Teachers,
    faces: FaceSet,
    path: str | Path,
    *,
    seed: int,
    n_views: int,
    strength: float = 1.0,
    config: ViewConfig | None = None,
    batch_size: int = 64,
    device: torch.device | str = "cpu",
    progress: bool = True,
) -> TeacherCache:
    """Asks the teachers about `n_views` views of each face and stores the answers.

    A cache that is there already is used if it fits exactly; an interrupted one is resumed. Several
    processes (`torchrun`, `accelerate launch`) share the work, and the folder.

    Raises:
        ValueError: The cache at `path` was made for something else, or is damaged.
    """
    path, process = Path(path), processes.state()
    key = view_key(
        faces,
        seed=seed,
        n_views=n_views,
        strength=strength,
        config=config or ViewConfig(),
        crop_margin=teachers.crop_margin,
    )
    key["teachers"] = teachers.fingerprints
    process.wait_for_everyone()  # before the first process makes it, nobody or all see it
    if not path.exists():
        process.wait_for_everyone()
        work = beside(path, "work")
        rows = hashlib.sha256(faces.rows.tobytes()).hexdigest()
        work_key = {"key": key, "rows": rows, "batch_size": batch_size}
        with processes.first_one_in(work_folder(work, work_key)):
            if not path.exists():  # else another run has made it meanwhile
                _ask(teachers.to(device), faces, work, key, batch_size, process, device, progress)
                _join(work, path, faces, key, batch_size, process)
        process.wait_for_everyone()
    cache = TeacherCache(path)
    cache.check(key)
    if not np.isin(faces.rows, cache.rows).all():
        raise ValueError(f"the teacher cache {path} was made for other faces of this set")
    return cache


def _blocks(faces, batch_size):
    """The positions of the faces that are asked about together."""
    return np.split(np.arange(len(faces)), range(batch_size, len(faces), batch_size))


def _ask(teachers, faces, work, key, batch_size, process, device, progress):
    """Stores the answers for each block of faces in a file; leaves out those that are there."""
    zoom = faces.zoom(teachers.crop_margin)
    config = ViewConfig(**key["view_config"])
    blocks = list(enumerate(_blocks(faces, batch_size)))
    mine = blocks[process.process_index :: process.num_processes]
    hidden = not progress or not process.is_main_process
    for number, chosen in tqdm(mine, unit=" blocks", desc="teachers", disable=hidden):
        if (work / f"{number}.npy").exists():
            continue
        crops = to_tensor(faces.images[chosen], device)
        answers = []
        for view in range(key["n_views"]):
            views = sample_views(
                faces.rows[chosen],
                view,
                seed=key["seed"],
                strength=key["strength"],
                config=config,
                zoom=zoom,
            )
            landmarks = teachers.predict(crops, views.to(device))
            answers.append(torch.stack([landmarks[name] for name in teachers.names], dim=1))
        with new_file(work / f"{number}.npy") as part, part.open("wb") as file:
            np.save(file, torch.stack(answers, dim=1).cpu().numpy())  # (B, K, T, L, 2)


def _join(work, path, faces, key, batch_size, process):
    """The first process makes one cache of all blocks, once the others have stored theirs."""
    process.wait_for_everyone()
    if not process.is_main_process:
        return
    shape = (len(faces), key["n_views"], len(key["teachers"]), faces.scheme.n_points, 2)
    with new_folder(path) as part:
        stored = np.lib.format.open_memmap(part / "landmarks.npy", "w+", np.float32, shape)
        for number, chosen in enumerate(_blocks(faces, batch_size)):
            stored[chosen] = np.load(work / f"{number}.npy")
        stored.flush()
        np.save(part / "rows.npy", faces.rows)
        write_json(part / "meta.json", key)
