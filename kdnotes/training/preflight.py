"""Before a training begins: what makes it this one, and whether its arguments agree."""

import hashlib
import warnings
from dataclasses import asdict

import numpy as np
from torch.nn.modules.batchnorm import _BatchNorm

from kdnotes import metrics
from kdnotes.teachers import view_key
from kdnotes.training.objectives import TAUGHT


def key(student, faces, config, targets, teachers):
    """What makes this training this one: a run folder is only continued where all of it agrees."""
    network = {key: value for key, value in asdict(student.config).items() if value is not None}
    for name, only in (("head", "linear"), ("box", "landmarks")):
        if network[name] == only:
            del network[name]  # runs of before, when there was no other, go on
    parts = {
        "config": asdict(config),
        "network": network,
        "faces": faces.fingerprint,
    }
    parts["rows"] = hashlib.sha256(faces.rows.tobytes()).hexdigest()
    if targets is not None:
        parts["targets"] = hashlib.sha256(np.ascontiguousarray(targets).tobytes()).hexdigest()
    if teachers is not None:
        parts["teachers"] = teachers.fingerprints
    return parts


def check(student, faces, config, targets, teachers, validation, accelerator):
    """Refuses arguments that contradict each other, before anything is computed."""
    expected = faces.landmarks.shape
    n_hints = getattr(teachers, "n_hints", 0)
    if student.config.n_points != expected[1] + n_hints:
        raise ValueError(
            f"the network has {student.config.n_points} landmarks, the faces have {expected[1]}"
        )
    if targets is not None and (targets.shape != expected or not np.isfinite(targets).all()):
        raise ValueError(f"targets must be finite and {expected}, found {targets.shape}")
    if config.batch_size % accelerator.num_processes:
        raise ValueError(
            f"{accelerator.num_processes} processes cannot share a batch of {config.batch_size} "
            "evenly; choose a multiple"
        )
    _check_batch_norm(student, min(config.batch_size, len(faces)), accelerator.num_processes)
    if (config.loss in TAUGHT) != (teachers is not None):
        raise ValueError(
            f"loss {config.loss!r} with {'' if teachers else 'no '}teachers: plain losses have no "
            "use for them, the others need them"
        )
    if (config.loss == "l1+hint") != bool(n_hints):
        raise ValueError(
            f"loss {config.loss!r} with teachers that give {n_hints or 'no'} hints: only l1+hint "
            "has a use for hints, and it needs them"
        )
    if teachers is not None:
        teachers.check(
            view_key(
                faces,
                seed=config.seed,
                n_views=config.n_views,
                strength=config.strength,
                config=config.view_config,
                crop_margin=student.config.crop_margin,
            )
        )
    if validation is not None:
        _check_apart(faces, validation)
        _check_measurable(validation)


def _check_batch_norm(student, faces_a_step, processes):
    """A step needs a face in each process, and two where batch norm compares them."""
    compares = any(isinstance(layer, _BatchNorm) for layer in student.modules())
    if faces_a_step // processes < 1 + compares:
        needed = "two faces a step, since its batch norm compares them" if compares else "a face"
        raise ValueError(
            f"each process needs {needed}: found {faces_a_step} a step for {processes} "
            f"{'process' if processes == 1 else 'processes'}; take more faces, a larger batch_size "
            "or fewer processes"
        )


def _check_measurable(validation):
    """Every validation face must have the distance that errors are divided by."""
    distances = metrics.distances(validation.landmarks, validation.scheme)
    bad = validation.table["id"][distances == 0].tolist()
    if bad:
        names = ", ".join(bad[:5]) + (", …" if len(bad) > 5 else "")
        raise ValueError(
            f"of {len(bad)} validation faces the {validation.scheme.distance} is 0, so their error "
            f"is undefined: {names}; correct their landmarks, or leave them out"
        )


def _check_apart(faces, validation):
    """Training and validation must not share a face; sharing people is said."""
    shared = set(faces.table["id"]) & set(validation.table["id"])
    if shared:
        raise ValueError(
            f"{len(shared)} faces are in training and validation, {min(shared)!r} among them; "
            "split them first"
        )
    people = set(faces.table["subject"].dropna()) & set(validation.table["subject"].dropna()) - {""}
    if people:
        warnings.warn(
            f"{len(people)} people are in training and validation: the error there will flatter",
            stacklevel=4,  # the line that called fit
        )
