"""The web book, a static site: the executed notebooks, a page of symbols, the package's own
documentation, and the live page. Needs the extra `book`.

    python -m kdnotes book
"""

import shutil
import subprocess
import sys
from pathlib import Path

from kdnotes.system.files import new_folder


def build(notebooks: Path, out: Path, cache: Path, live: bool = True) -> list[str]:
    """Builds the book into `out`, which is replaced.

    Args:
        notebooks: The folder of the notebooks of a checkout. They are shown as they are stored.
        out: The folder of the book.
        cache: Folder for parts that later builds use again, see also `site.build`.
        live: Include the live page.

    Returns:
        Notes on what could be better, a sentence each.

    Raises:
        RuntimeError: Sphinx reports a problem.
        ValueError: `out` holds something other than a book.
    """
    if out.exists() and any(out.iterdir()) and not (out / "searchindex.js").exists():
        raise ValueError(f"{out} is not empty and holds no book: choose another folder")
    notes = []
    with new_folder(out, replace=True) as part:
        command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
        command += ["-d", str(cache / "doctrees"), "-c", str(notebooks / "book")]
        command += ["-D", f"live_page={int(live)}", str(notebooks), str(part)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"Sphinx found something wrong:\n{done.stderr.strip()[-3000:]}")
        if live:
            from kdnotes.deploy import site

            notes = site.build(part / "live", cache=cache / "web-parts")
        shutil.rmtree(part / "_sources", ignore_errors=True)
    return notes
