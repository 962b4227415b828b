"""Subjects of a face set: signs in its table that people and splits do not fit."""

import numpy as np
import pandas as pd

#: A subject with more than this share of all faces, and more than so many times the median number
#: of faces, is most likely not one person.
MAX_SHARE, FAR_MORE = 0.05, 3


def leaking_subjects(table: pd.DataFrame) -> list[str]:
    """The subjects with faces in more than one split."""
    known = table[table["subject"] != ""]
    n_splits = known.groupby("subject", sort=True)["split"].nunique()
    return n_splits.index[n_splits > 1].tolist()


def dominant_subject(table: pd.DataFrame) -> str:
    """A sentence on a subject with far more faces than others, who is most likely no single person.

    Returns:
        The sentence, or "" if there is no such subject.
    """
    named = table["subject"][table["subject"] != ""].value_counts()
    if named.empty or named.iloc[0] == 1:
        return ""
    most = int(named.iloc[0])
    unnamed = (table["subject"] == "").sum()  # each counts as one person
    others = [*named.iloc[1:], *[1] * unnamed]
    usual = np.median(others) if others else 0
    if most <= MAX_SHARE * len(table) or most <= FAR_MORE * usual:
        return ""
    return (
        f"{most:,} of {len(table):,} faces are of the subject {named.index[0]!r}: is that one "
        "person? A split by subject puts all of them into one split"
    )
