"""The browser of the tests: Debian's Chromium (`apt install chromium`), driven by playwright, which
is in the extra dev. A test module that imports this is skipped where one of them is not there.
"""

import shutil

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: the extra dev")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
if not BROWSER:
    pytest.skip(
        "needs Chromium in the PATH (Debian: apt install chromium)", allow_module_level=True
    )

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
