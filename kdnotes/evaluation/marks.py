"""Whether a run of the course got far enough for its lessons to hold."""

from collections.abc import Mapping

from kdnotes.evaluation import report
from kdnotes.teachers import worth_having

#: The highest test error of a student that has learnt its task, as a share of the mean shape's, by
#: face set; another set is asked what the embedded faces are.
LEARNT = {"synthetic": 0.35, "youtube-faces": 0.42, "300w": 0.45}


def marks(results: Mapping) -> list[str]:
    """What the run of a course had to reach and whether it did, a sentence each.

    Args:
        results: As `report.build` makes them.
    """
    nme = {split: {row["network"]: row["nme"] for row in results["scores"] if row["split"] == split}
           for split in report.SPLITS}  # fmt: skip
    mark = LEARNT.get(results["data"]["name"], LEARNT["synthetic"])
    lines = []
    for student in (report.PLAIN, report.KD):
        share = nme["test"][student] / nme["test"][report.MEAN_SHAPE]
        reached = "reached" if share <= mark else "missed"
        lines.append(
            f"{student}: {share:.2f} of the mean shape's test error; the mark, at most {mark}, is "
            f"{reached}"
        )
    validation = nme["validation"]
    return [*lines, f"Tough {worth_having(validation[report.TOUGH], validation[report.PLAIN])}"]
