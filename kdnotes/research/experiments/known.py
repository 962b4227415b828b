"""What is known of the two questions of the course, on every face set, from the logs that ship."""

from kdnotes.research.experiments import on
from kdnotes.research.experiments.log import stored
from kdnotes.research.experiments.results import gains_of, signed, word

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
    "a teacher labels the rest, against L1 on the labels alone": ("few-labels-5", "few-labels-50"),
}


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
        gains = " and ".join(f"{signed(gain)} on {s}" for s, (gain, _) in row["gains"].items())
        lines.append(
            f"- **{row['asked']}**, {row['faces']}, {row['labelled']} with labels: error reduction "
            f"{gains}: *{row['word']}*"
        )
    return "\n".join(lines)
