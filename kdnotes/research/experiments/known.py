"""What is known of the two questions of the course, on every face set, and what else the logs that
ship say of KD-Loss."""

from kdnotes.metrics.intervals import SEEDS_TOLD
from kdnotes.research.experiments import EXPERIMENTS, on
from kdnotes.research.experiments.log import stored
from kdnotes.research.experiments.results import gains_of, sides, told, told_gain, word

#: Face sets with experiments, the paper's first.
FACES = {
    "300w": "300W, labelled by hand",
    "youtube-faces": "YouTube Faces, labelled by a network",
    "synthetic": "rendered faces, exact labels",
}
#: What is asked. Of several experiments that ask it, the one whose labels are fewest is told.
ASKED = {
    "KD-Loss against L2": ("paper",),
    "KD-Loss against L1": ("better-than-plain",),
    "a teacher that labels the rest against L1 on the labels alone": (
        "few-labels-5",
        "few-labels-50",
    ),
}
#: What else was asked on YouTube Faces: an experiment there, and two of its arms.
LESSONS = {
    "The time of the teachers, without a teacher": (
        "better-than-plain", "L1, six times as long (the teachers' time)", "L1",
    ),
    "The slope of KD-Loss, without a teacher": (
        "better-than-plain", "L1, as steep as KD-Loss", "L1",
    ),
    "The right teacher errors": ("weighting", "real teachers", "errors shuffled among faces"),
    "The teacher's direction": ("direction", "L1 to label and to Tough", "L1"),
    "The teacher in place of wrong labels": ("wrong-labels", "L1 to the Tough teacher", "L1"),
    "A student's own landmarks on the other faces": (
        "few-labels-5", "own landmarks on the others", "L1 on the labelled faces",
    ),
}  # fmt: skip


def known() -> list[dict]:
    """A row for each question and face set that has runs.

    Returns:
        Dicts of `asked`, a key of `ASKED`; `faces`, a value of `FACES`; `labelled`, in words;
        `gains`, of validation and test faces; `word`, one of the three.
    """
    rows = []
    for asked, names in ASKED.items():
        for data, faces in FACES.items():
            log, experiments = stored(data), on(data)
            for name in (name for name in names if name in experiments):
                gains = gains_of(experiments[name], log)
                if gains:
                    unit = "faces" if data == "300w" else "people"
                    n = experiments[name].regime.people or "all"
                    row = {"asked": asked, "faces": faces, "labelled": f"{n} {unit}"}
                    rows.append(row | {"gains": gains, "word": word(list(gains.values()))})
    return rows


def case() -> str:
    """Where the case of the course stands, as a Markdown list.

    A question without any run has a line, too, for the first face set that has an experiment on it.
    """
    rows, lines = known(), []
    for asked, names in ASKED.items():
        if not any(row["asked"] == asked for row in rows):
            faces = next(text for data, text in FACES.items() if set(names) & set(on(data)))
            lines.append(f"- **{asked}**, {faces}: *not measured yet*")
    for row in rows:
        gains = " and ".join(f"{told_gain(*found)} on {s}" for s, found in row["gains"].items())
        lines.append(
            f"- **{row['asked']}**, {row['faces']}, {row['labelled']} with labels: error reduction "
            f"{gains}: *{row['word']}*"
        )
    return "\n".join(lines)


def in_short() -> str:
    """The answers to the questions of the course, a sentence each, as a Markdown list."""
    rows, lines = known(), []
    for asked in ASKED:
        subject, reference = asked.split(" against ")
        of_word = {}
        for row in rows:
            if row["asked"] == asked:
                side = "worse" if sides(row["gains"].values()) == {-1} else "better"
                of_word.setdefault((row["word"], side), []).append(row["faces"].split(",")[0])
        for (said, side), faces in of_word.items():
            where = " and ".join(filter(None, (", ".join(faces[:-1]), faces[-1])))
            if said == "not known":
                lines.append(f"whether {subject} is better than {reference} is {said} on {where}.")
                lines += [
                    f"on {faces} the intervals against {reference} end far below a tenth."
                    for faces in _too_small(rows, asked)
                ]
            else:
                verb = {"shown": "is", "hinted": "seems"}[said]
                lines.append(f"{subject} {verb} {side} than {reference} on {where}: {said}.")
    if found := without_teacher():
        share, faces = found
        whose = "comes with L1, without a teacher"
        lines.append(f"on the {faces} of 300W {share:.0%} of the gain over L2 {whose}.")
    return "\n".join(f"- {line[0].upper()}{line[1:]}" for line in lines)


def _too_small(rows, asked):
    """The face sets on which all intervals, of enough seeds, end below half of a tenth."""
    return [
        row["faces"].split(",")[0]
        for row in rows
        if row["asked"] == asked and row["word"] == "not known"
        and all(n >= SEEDS_TOLD and gain.high < 0.05 for gain, n in row["gains"].values())
    ]  # fmt: skip


def without_teacher() -> tuple[float, str] | None:
    """The share of KD-Loss's gain over L2 on 300W that plain L1 has, and the faces it was measured
    on: test faces, if there are runs on them. None where there is no gain.
    """
    experiment, hand = on("300w")["paper"], stored("300w")
    kd, l2 = experiment.contrast
    plain, taught = (gains_of(experiment.comparing(arm, l2), hand) for arm in ("L1", kd))
    for faces in reversed(taught):
        if faces in plain and taught[faces][0].value > 0:
            return plain[faces][0].value / taught[faces][0].value, faces
    return None


def lessons() -> str:
    """What `LESSONS` came to, as a Markdown list."""
    log = stored("youtube-faces")
    return "\n".join(
        f"- **{title}.** {told(EXPERIMENTS[name].comparing(arm, reference), log)}"
        for title, (name, arm, reference) in LESSONS.items()
    )
