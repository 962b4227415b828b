"""Checks of notebook 06."""

import numpy as np

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
    """Checks `half_width(parts, people, t_seeds, t_people)`: that of an interval around the mean.

    `parts` (S, N) are numbers of S seeds and N faces whose mean is 0; `people` (N,) number the
    person on each face. `t_seeds` and `t_people` are the quantiles of Student's t for the means of
    seeds and of people.
    """
    rng = np.random.default_rng(7)
    people = np.array([0, 1, 1, 1, 2, 2, 3, 1])
    parts = rng.normal(size=(3, 8)) + rng.normal(size=4)[people] + rng.normal(size=(3, 1))
    parts -= parts.mean()
    t_seeds, t_people = 4.303, 3.182
    of_seeds, of_faces = parts.mean(axis=1), parts.mean(axis=0)
    sums = np.bincount(people, of_faces)
    of_people = sums * len(sums) / len(people)

    def squared(t, means, ddof=1):
        return t**2 * means.var(ddof=ddof) / len(means)

    seeds, persons = squared(t_seeds, of_seeds), squared(t_people, of_people)
    return (
        (parts, people, t_seeds, t_people),
        np.sqrt(seeds + persons),
        {
            "That is the square of the half width.": seeds + persons,
            "Squares are added, not half widths.": np.sqrt(seeds) + np.sqrt(persons),
            "The people are left out.": np.sqrt(seeds),
            "The seeds are left out.": np.sqrt(persons),
            "Faces of one person are not independent: count people.": np.sqrt(
                seeds + squared(t_people, of_faces)
            ),
            "A person with more faces counts more: sums of faces, not their means.": np.sqrt(
                seeds + squared(t_people, sums / np.bincount(people))
            ),
            "The variance of n numbers about their own mean has n − 1 in the denominator.": np.sqrt(
                squared(t_seeds, of_seeds, 0) + squared(t_people, of_people, 0)
            ),
            "A mean of n numbers varies less than one of them: divide by n.": np.sqrt(
                seeds * len(of_seeds) + persons * len(of_people)
            ),
            "Each part has its own t.": np.sqrt(
                squared(t_people, of_seeds) + squared(t_seeds, of_people)
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
