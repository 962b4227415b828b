"""The browser of the tests, Chromium or Chrome, driven by playwright, which is in the extra dev.
A test module that imports this is skipped where one of them is not there.
"""

import contextlib
import io

import browsers
import numpy as np
import pytest
from PIL import Image

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


@contextlib.contextmanager
def started(*flags):
    """A running browser."""
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=BROWSER, args=[*FLAGS, *flags])
        yield browser
        browser.close()


_SIGN_OF_A_FRACTION = """root => {
  const tall = root.parentNode.appendChild(root.cloneNode());
  tall.innerHTML = "<mfrac><mi>a</mi><mi>b</mi></mfrac>";
  const left = node => node.getBoundingClientRect().left;
  const width = left(tall.firstElementChild) - left(tall);
  tall.remove();
  return width;
}"""

_FORMULAS = """() => [...document.querySelectorAll(".formula")].filter(
  box => box.checkVisibility()
).map(box => {
  const leaves = [...box.querySelectorAll("mi, mo, mn, mtext")].map(n => n.getBoundingClientRect());
  const start = box.getBoundingClientRect().left;
  return {
    text: box.textContent,
    cut: start - Math.min(...leaves.map(r => r.left)),
    end: Math.max(...leaves.map(r => r.right)) - start,
    room: getComputedStyle(box).overflowX == "auto" ? box.scrollWidth : box.clientWidth,
  };
})"""


def root_is_drawn(page, selector="msqrt"):
    """Whether the sign of a root is there: ink to the left of what is under it, and a larger sign
    for a fraction, which a font without a MATH table does not have."""
    page.evaluate("document.fonts.ready")
    root = page.locator(selector).first
    root.scroll_into_view_if_needed()
    box, content = root.bounding_box(), root.locator("> *").first.bounding_box()
    width = content["x"] - box["x"]
    if width < 2:
        return False
    picture = page.screenshot(clip=box | {"width": width})
    grey = np.asarray(Image.open(io.BytesIO(picture)).convert("L"), dtype=int)
    return np.ptp(grey) > 60 and root.evaluate(_SIGN_OF_A_FRACTION) > 1.2 * width


def unreachable_formulas(page):
    """What a reader cannot see of the formulas on a page, even by scrolling them."""
    page.evaluate("document.fonts.ready")
    return [
        formula
        for formula in page.evaluate(_FORMULAS)
        if formula["cut"] > 1 or formula["end"] > formula["room"] + 1
    ]


def settle(page):
    """Waits for two frames: what was asked for is drawn."""
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def moves(figure):
    """Whether text and picture of a live figure follow an arrow key; a slider may be at its end."""
    handle = figure.locator(".handle, input[type=range]:enabled").first
    handle.scroll_into_view_if_needed()
    handle.focus()
    text, picture = handle.get_attribute("aria-valuetext"), figure.screenshot()
    for key in ("ArrowLeft", "ArrowRight"):
        for _ in range(5):
            handle.press(key)
        settle(figure.page)
        if handle.get_attribute("aria-valuetext") != text:
            return figure.screenshot() != picture
    return False
