"""The browser of the tests, Chromium or Chrome, driven by playwright, which is in the extra dev.
A test module that imports this is skipped where one of them is not there.
"""

import browsers
import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="needs playwright: the extra dev")
BROWSER = browsers.find()
if not BROWSER:
    pytest.skip(
        "needs Chromium or Chrome in the PATH (Debian: apt install chromium)",
        allow_module_level=True,
    )

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
