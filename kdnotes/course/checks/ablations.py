"""Checks of notebook 06."""

import numpy as np
from scipy import stats

from kdnotes.course.checks.judge import Case, check


@check
def gains() -> Case:
    """Checks `gains(arms, reference)`: how much lower the mean error of each arm is, as a share.

    `arms` (A, S, N) are the errors of A arms with S seeds on N faces, `reference` (S, N) those of
    the reference.
    """
    rng = np.random.default_rng(6)
    arms, reference = rng.uniform(0.02, 0.3, (3, 2, 7)), rng.uniform(0.02, 0.3, (2, 7))
    means, mean = arms.mean(axis=(1, 2)), reference.mean()
    return (
        (arms, reference),
        1 - means / mean,
        {
            "That is positive where the arm is worse.": means / mean - 1,
            "A share of the reference's error, not of the arm's.": mean / means - 1,
            "A share, not a difference: divide by the reference's mean.": mean - means,
            "Compare the means: a mean of the faces' own ratios lets easy faces rule.": (
                (1 - arms / reference).mean(axis=(1, 2))
            ),
            "That is what is left of the error, not what is gone.": means / mean,
        },
    )


@check
def half_width() -> Case:
    """Checks `half_width(errors, reference, people)`: that of ln(ē₁/ē₀) without pairs of seeds.

    `errors` (S, N) and `reference` (R, N) are errors of trainings whose seeds have nothing in
    common, on the same N faces; `people` (N,) number the person on each face.
    """
    rng = np.random.default_rng(8)
    people = np.array([0, 1, 1, 1, 2, 2, 3, 1])
    hard = rng.uniform(0.05, 0.2, 8)
    errors, reference = (
        hard * scale * rng.normal(1, 0.1, (n, 8)) * rng.normal(1, 0.1, (n, 1))
        for n, scale in ((3, 0.8), (5, 1.0))
    )
    arm, other = errors / errors.mean(), reference / reference.mean()
    of_faces = arm.mean(axis=0) - other.mean(axis=0)

    def persons(of_faces):
        sums = np.bincount(people, of_faces)
        return sums * len(sums) / len(people)

    def square(*sources, ddof=1, divide=True):
        total = 0.0
        for means in sources:
            n = len(means)
            t = stats.t.ppf(0.975, n - 1)
            total += t**2 * means.var(ddof=ddof) / (n if divide else 1)
        return total

    seeds = arm.mean(axis=1), other.mean(axis=1)
    sources = *seeds, persons(of_faces)
    undivided = errors.mean(axis=0) - reference.mean(axis=0)
    by_person = sources[-1] / len(sources[-1]) * len(people) / np.bincount(people)
    return (
        (errors, reference, people),
        np.sqrt(square(*sources)),
        {
            "That is the square of the half width.": square(*sources),
            "Squares are added, not half widths.": sum(np.sqrt(square(one)) for one in sources),
            "The people are left out.": np.sqrt(square(*seeds)),
            "The seeds are left out.": np.sqrt(square(sources[-1])),
            "The reference has seeds, too.": np.sqrt(square(seeds[0], sources[-1])),
            "Faces of one person are not independent: count people.": np.sqrt(
                square(*seeds, of_faces)
            ),
            "A person with more faces counts more: sums of faces, not their means.": np.sqrt(
                square(*seeds, by_person)
            ),
            "Both arms saw the same people: take their difference first.": np.sqrt(
                square(*seeds, persons(arm.mean(axis=0)), persons(other.mean(axis=0)))
            ),
            "Divide the errors of each arm by their mean, as in section 2.": np.sqrt(
                square(errors.mean(axis=1), reference.mean(axis=1), persons(undivided))
            ),
            "The variance of n numbers about their own mean has n − 1 in the denominator.": np.sqrt(
                square(*sources, ddof=0)
            ),
            "A mean of n numbers varies less than one of them: divide by n.": np.sqrt(
                square(*sources, divide=False)
            ),
        },
    )


@check
def taught_targets() -> Case:
    """Checks `targets(labels, labelled, teacher)`: the targets when few faces are labelled, and
    some of their landmarks are wrong.

    `teacher` (N, L, 2) are the teacher's landmarks of all faces; `labels` (M, L, 2) are the labels
    of the faces at the positions `labelled` (M,). The target is the teacher's landmark on a face
    without a label, and where the label lies farther from it than three times the median distance
    of that landmark. Elsewhere it is the label.
    """
    rng = np.random.default_rng(8)
    teacher, labelled = rng.normal(size=(9, 3, 2)), np.array([4, 1, 8, 3, 0, 7, 6])
    length = rng.uniform(0.7, 1.3, (7, 3)) * [0.01, 0.02, 0.07]  # each landmark has its own
    angle = rng.uniform(0, 2 * np.pi, (7, 3))
    length[2, 0], angle[2, 0] = 0.04, 0.1  # moved
    length[5, 2], angle[5, 2] = 0.30, 0.8
    away = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    labels = teacher[labelled] + length[..., None] * away

    def put(positions, landmarks, others=teacher):
        targets = others.copy()
        targets[positions] = landmarks
        return targets

    def checked(far, positions=labelled):
        return put(positions, np.where(far, teacher[positions], labels))

    apart = np.linalg.norm(labels - teacher[labelled], axis=-1, keepdims=True)  # (M, L, 1)
    along = np.abs(labels - teacher[labelled])
    far = apart > 3 * np.median(apart, axis=0)
    right = checked(far)
    return (
        (labels, labelled, teacher),
        right,
        {
            "Labelled faces learn their labels, not the teacher's landmarks.": teacher,
            "A label that lies far from the teacher's landmark is taken for wrong.": put(
                labelled, labels
            ),
            "The far labels are the ones to replace, not the near ones.": checked(~far),
            "The labels are those of the faces at `labelled`, not of the first ones.": put(
                np.arange(7), right[labelled]
            ),
            "The labels come in the order of `labelled`, which need not rise.": put(
                np.sort(labelled), right[labelled]
            ),
            "Each landmark has its own median distance: some are harder than others.": checked(
                apart > 3 * np.median(apart)
            ),
            "The median goes over the labelled faces, not over the landmarks of a face.": checked(
                apart > 3 * np.median(apart, axis=1, keepdims=True)
            ),
            "A mean is pulled up by the wrong labels: take the median.": checked(
                apart > 3 * apart.mean(axis=0)
            ),
            "A landmark is moved as a whole: one distance for x and y.": checked(
                along > 3 * np.median(along, axis=0)
            ),
            "Replace the landmarks that are far, not the whole face.": checked(
                far.any(axis=1, keepdims=True)
            ),
            "The faces without a label have the teacher's landmarks.": put(
                labelled, right[labelled], 0 * teacher
            ),
        },
    )
