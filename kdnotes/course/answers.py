"""The answer to a question of a notebook: folded away until it is asked for, with the numbers of
the run at hand.

A cell that begins with the line `TITLE` is an answer. Jupyter, Colab, the web book and the HTML
copies hide its code, see `kdnotes.publish.tidy`.
"""

from IPython.display import Markdown

SUMMARY = "What you should have seen"

#: The first line of a cell that answers. Colab shows it in place of the code.
TITLE = f"# @title {SUMMARY}"


def answer(text: str) -> Markdown:
    """A folded text.

    Args:
        text: Markdown, with formulas where needed.

    Examples:
        >>> print(answer("**No.** It is 3 % higher.").data)
        <details><summary>What you should have seen</summary>
        <BLANKLINE>
        **No.** It is 3 % higher.
        <BLANKLINE>
        </details>
    """
    return Markdown(f"<details><summary>{SUMMARY}</summary>\n\n{text}\n\n</details>")
