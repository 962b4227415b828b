"""What the paper and its authors publish, to compare with a run on the same test faces.

Errors are inter-ocular NME in per cent. KD-Loss and COFW's teacher are the paper's numbers; the
other rows are the authors' published evaluation notes, which agree with them.
"""

import pandas as pd

from kdnotes.evaluation.report import KD, PLAIN, TOUGH, markdown_table

#: Data set to row to part of the official test faces to NME in per cent.
PUBLISHED = {
    "300w": {
        PLAIN: {"full": 4.50, "common": 3.93, "challenging": 6.84},
        "student, Tough only": {"full": 4.39, "common": 3.85, "challenging": 6.59},
        "student, Tolerant only": {"full": 4.25, "common": 3.73, "challenging": 6.41},
        KD: {"full": 4.06, "common": 3.56, "challenging": 6.13},
        TOUGH: {"full": 3.82, "common": 3.34, "challenging": 5.80},
    },
    "cofw": {PLAIN: {"full": 5.04}, KD: {"full": 4.11}, TOUGH: {"full": 3.81}},
}

#: How many faces each part has.
N_FACES = {"300w": {"full": 689, "common": 554, "challenging": 135}, "cofw": {"full": 507}}

#: Why the two columns cannot simply be compared.
NOT_COMPARABLE = (
    "Not comparable without care: networks, epochs and pixels are those of this profile, not the "
    "paper's; crops are cut around the landmarks, not around a detector's box; the split keeps "
    "some training faces for validation; and a set that is not whole has fewer faces to learn from."
)


def beside(report: dict) -> pd.DataFrame:
    """Published errors and those of a report, by part of the test faces.

    Args:
        report: What `report.build` returns.

    Returns:
        A row per part and network, errors in per cent as text. Parts of which the report lacks
        faces are left out, so it may be empty.
    """
    name, rows = report["data"]["name"], {}
    for part, n in N_FACES.get(name, {}).items():
        measured = _measured(report, part, n)
        if not measured:
            continue
        published = {row: errors[part] for row, errors in PUBLISHED[name].items()}
        for row in published | measured:
            rows[part, row] = {
                "published": _per_cent(published.get(row)),
                f"here, {report['profile']}": _per_cent(measured.get(row)),
            }
    return pd.DataFrame.from_dict(rows, orient="index")


def markdown(report: dict) -> str:
    """`beside` as Markdown, and why its columns cannot simply be compared."""
    table = beside(report)
    rows = [(*names, *row) for names, row in zip(table.index, table.to_numpy(), strict=True)]
    return f"{markdown_table(['part', '', *table.columns], rows)}\n\n{NOT_COMPARABLE}"


def _measured(report, part, n):
    """Network to NME in per cent on a part of the test faces; empty if not all `n` are there."""
    rows = report["scores"] if part == "full" else report["subsets"]
    return {
        row["network"]: 100 * row["nme"]
        for row in rows
        if row["split"] == "test" and row["n"] == n and row.get("subset", "full") == part
        and "soft" not in row["network"]
    }  # fmt: skip


def _per_cent(value):
    return "–" if value is None else f"{value:.2f}"
