"""Checks of notebook 06."""

import numpy as np

from kdnotes.course.checks.judge import Case, check
from kdnotes.course.checks.measure import faces_of


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
def drawn_means() -> Case:
    """Checks `means(errors, people, seeds, drawn)`: the mean error of each draw (D,).

    `errors` is (S, N); `people` (N,) number the person on each face. `seeds` (D, S) and `drawn`
    (D, G) say which seeds and which people are in each draw, some of them more than once. A person
    who was drawn brings all of their faces.
    """
    rng = np.random.default_rng(7)
    errors, people = rng.uniform(0.02, 0.3, (3, 8)), np.array([0, 1, 1, 1, 2, 2, 3, 1])
    seeds, drawn = rng.integers(3, size=(4, 3)), rng.integers(4, size=(4, 4))
    drawn[:, 1] = drawn[:, 0]  # somebody comes twice in every draw

    def mean(rows, who):
        return errors[np.ix_(rows, faces_of(who, people))].mean()

    def mean_of_people(rows, who):
        return np.mean([errors[np.ix_(rows, people == person)].mean() for person in who])

    def each(mean):
        """`mean` of the seeds and people of every draw."""
        return np.array([mean(rows, who) for rows, who in zip(seeds, drawn, strict=True)])

    return (
        (errors, people, seeds, drawn),
        each(mean),
        {
            "Who was drawn twice counts twice.": each(
                lambda rows, who: errors[np.ix_(rows, np.isin(people, who))].mean()
            ),
            "All seeds are in every draw; some should be there twice and some not at all.": each(
                lambda rows, who: mean(np.arange(3), who)
            ),
            "A seed that was drawn twice counts twice.": each(
                lambda rows, who: mean(np.unique(rows), who)
            ),
            "All people are in every draw; some should be there twice and some not at all.": each(
                lambda rows, who: errors[rows].mean()
            ),
            "The numbers of people are not those of faces: a person comes with all faces.": each(
                lambda rows, who: errors[np.ix_(rows, who)].mean()
            ),
            "Every face counts alike, not every person.": each(mean_of_people),
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
