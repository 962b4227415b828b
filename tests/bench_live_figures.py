"""How many frames a second the live figures reach while something is dragged.

    python tests/bench_live_figures.py

Each figure is dragged 200 times, once a frame, and so is an empty canvas that is cleared in each
frame. What is told is the median over these frames. The last line is the time that a page with all
figures spends in scripts until it has drawn them. Needs what the browser tests need.
"""

import statistics
import threading
from pathlib import Path
from tempfile import TemporaryDirectory

import live_samples
from chromium import started
from tqdm import tqdm

from kdnotes.deploy import serve
from kdnotes.plots import live

#: Drags a handle or a slider once a frame, and returns the milliseconds between frames.
DRAG = """async () => {
  const frame = () => new Promise(requestAnimationFrame), times = [];
  const [handle, canvas] = [".handle", "canvas"].map((name) => document.querySelector(name));
  const steps = ({ min, max, step }) => (max - min) / step;
  const slider = [...document.querySelectorAll("input[type=range]")]
    .sort((a, b) => steps(b) - steps(a))[0]; // the finest
  const at = handle?.getBoundingClientRect();
  const point = (type, dx) => handle.dispatchEvent(new PointerEvent(type, {
    pointerId: 1, bubbles: true,
    clientX: at.x + at.width / 2 + dx, clientY: at.y + at.height / 2 + dx / 2,
  }));
  if (handle) { handle.ownerSVGElement.setPointerCapture = () => {}; point("pointerdown", 0); }
  let last = await frame(), moved = 0, before = "";
  for (let n = 0; n < 200; n++) {
    const away = 40 * Math.sin(n / 10);
    if (canvas) canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    else if (handle) point("pointermove", away);
    else {
      slider.value = Number(slider.min) + (slider.max - slider.min) * (0.5 + away / 100);
      slider.dispatchEvent(new Event("input", { bubbles: true }));
    }
    const now = await frame();
    times.push(now - last);
    const drawn = document.querySelector(".kd-live svg")?.innerHTML;
    moved += drawn !== before;
    before = drawn;
    last = now;
  }
  if (!canvas && moved < 100) throw Error(`drawn anew ${moved} times in 200 frames`);
  return times;
}"""


def main():
    pages = {name: live.page(name, figure.state(), name) for name, figure in
             live_samples.make().items()}  # fmt: skip
    empty = '<canvas width="760" height="500"></canvas>'
    everything = {"empty canvas": empty, **pages, "all": "".join(pages.values())}
    with TemporaryDirectory() as folder, started() as browser:
        for name, page in everything.items():
            text = f'<!doctype html><meta charset="utf-8">{page}'
            (Path(folder) / f"{name}.html").write_text(text, encoding="utf-8")
        with serve.server(Path(folder)) as running:
            threading.Thread(target=running.serve_forever, daemon=True).start()
            report(browser, f"http://127.0.0.1:{running.server_port}", ["empty canvas", *pages])
            running.shutdown()


def report(browser, address, names):
    reached = {}
    for name in tqdm(names):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{address}/{name}.html")
        page.wait_for_timeout(500)
        reached[name] = 1000 / statistics.median(page.evaluate(DRAG))
        page.close()
    for name, frames in reached.items():
        share = frames / reached["empty canvas"]
        size = "" if name == "empty canvas" else f", {len(live.bundle(name)) / 1000:.1f} kB"
        print(f"{name:12} {frames:5.1f} frames a second, {share:4.0%} of an empty canvas{size}")
    page = browser.new_page()
    profile = page.context.new_cdp_session(page)
    profile.send("Performance.enable")
    page.goto(f"{address}/all.html")
    page.locator(".kd-live .status").nth(6).wait_for()
    found = {m["name"]: m["value"] for m in profile.send("Performance.getMetrics")["metrics"]}
    print(f"all on one page: {found['ScriptDuration']:.2f} s of scripting")


if __name__ == "__main__":
    main()
