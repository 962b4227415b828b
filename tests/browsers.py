"""Which browser the tests use."""

import contextlib
import re
import shutil
import subprocess

#: Debian's name first, then those of Google's packages, which GitHub's machines have.
NAMES = ("chromium", "google-chrome", "google-chrome-stable", "chrome", "chromium-browser")


def find() -> str | None:
    """Path of the first browser that tells its version.

    Ubuntu's `chromium-browser` is a script that asks for a snap instead; it is passed over.
    """
    for path in filter(None, map(shutil.which, NAMES)):
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            asked = subprocess.run(
                [path, "--version"], capture_output=True, text=True, timeout=60, check=False
            )
            if asked.returncode == 0 and re.search(r"Chrom\w+ \d+\.\d+", asked.stdout):
                return path
    return None
