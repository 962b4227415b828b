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
    """Checks `targets(labels, labelled, teacher)`: the targets when few faces are labelled.

    `teacher` (N, L, 2) are the teacher's landmarks of all faces; `labels` (M, L, 2) are the labels
    of the faces at the positions `labelled` (M,). The target of a labelled face is its label, that
    of another face is the teacher's answer.
    """
    rng = np.random.default_rng(8)
    teacher, labels = rng.normal(size=(6, 3, 2)), rng.normal(size=(3, 3, 2))
    labelled = np.array([4, 1, 3])

    def put(positions, landmarks):
        targets = teacher.copy()
        targets[positions] = landmarks
        return targets

    half = (labels + teacher[labelled]) / 2
    return (
        (labels, labelled, teacher),
        put(labelled, labels),
        {
            "Labelled faces learn their labels, not the teacher's landmarks.": teacher,
            "The labels are those of the faces at `labelled`, not of the first ones.": put(
                np.arange(3), labels
            ),
            "The labels come in the order of `labelled`, which need not rise.": put(
                np.sort(labelled), labels
            ),
            "Labels, not a mean of label and teacher.": put(labelled, half),
            "The faces without a label have the teacher's landmarks.": (
                put(labelled, labels) * np.isin(np.arange(6), labelled)[:, None, None]
            ),
        },
    )
