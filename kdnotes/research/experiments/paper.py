"""The paper's table on 300W: test errors of the arms, beside what the authors publish."""

import pandas as pd

from kdnotes import metrics
from kdnotes.evaluation.published import PUBLISHED
from kdnotes.evaluation.report import KD, PLAIN, TOUGH, markdown_table
from kdnotes.research.experiments import on
from kdnotes.research.experiments.log import Log
from kdnotes.research.experiments.results import Results

#: The published row of an arm. The paper's plain student was trained with L2.
ROWS = {
    "L2": PLAIN,
    "KD-Loss (PAPER), Tough only": "student, Tough only",
    "KD-Loss (PAPER), Tolerant only": "student, Tolerant only",
    "KD-Loss (PAPER)": KD,
    "the Tough teacher itself": TOUGH,
}


def papers_table(log: Log) -> pd.DataFrame:
    """Scores of the arms of the experiment `paper` on the common test faces, means over seeds.

    Args:
        log: The runs on 300W.

    Returns:
        A row per arm that was measured on test faces, as text: number of seeds; NME with its
        interval over seeds and faces; failure rates; area under the error curve up to 10 %; the
        published NME of the same part, of networks that are larger. Errors in per cent of the
        distance of the outer eye corners.
    """
    results = Results(on("300w")["paper"], log, "test")
    published, rows = PUBLISHED["300w"], {}
    for arm in results.arms():
        errors = results.errors(arm)
        nme, low, high = (100 * end for end in metrics.mean_interval(errors, log.people("test")))
        rows[arm] = {
            "seeds": str(len(errors)),
            "NME, %": f"{nme:.2f} ({low:.2f} to {high:.2f})",
            "FR@8 %": f"{metrics.failure_rate(errors.ravel(), 0.08):.1%}",
            "FR@10 %": f"{metrics.failure_rate(errors.ravel()):.1%}",
            "AUC@10 %": f"{metrics.auc(errors.ravel()):.3f}",
            "published": f"{published[ROWS[arm]]['common']:.2f}" if arm in ROWS else "",
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def markdown(log: Log) -> str:
    """`papers_table` as Markdown; "" where no arm was measured on test faces."""
    found = papers_table(log)
    if found.empty:
        return ""
    rows = [(arm, *row) for arm, row in zip(found.index, found.to_numpy(), strict=True)]
    return markdown_table(("", *found.columns), rows)
