// What the live figures share: a drawing that follows a model, handles that can be dragged or moved
// with the arrow keys, sliders, buttons, axes and colours.
//
// Handles and sliders change the model, and the figure is drawn from the model, at most once a frame.
// The model is anywidget's, or the stand-in of a page without a kernel.

const SVG = "http://www.w3.org/2000/svg";

// The colours of `kdnotes.plots`. What is black there has the colour of the text around the figure.
export const COLOURS = {
  hard: "currentColor", soft: "#CC79A7", tough: "#0072B2", tolerant: "#E69F00", student: "#009E73",
  plain: "#B2182B", main: "currentColor", total: "#009E73", mean: "#56B4E9",
};

const STYLE = `
.kd-live { max-width: 760px; font: 14px/1.45 system-ui, sans-serif; color: inherit; }
.kd-live svg { display: block; width: 100%; overflow: visible; touch-action: pan-y pinch-zoom; user-select: none; }
.kd-live text { fill: currentColor; font-size: 12px; }
.kd-live .axis { stroke: currentColor; stroke-opacity: .45; fill: none; }
.kd-live .grid { stroke: currentColor; stroke-opacity: .15; }
.kd-live .curve { fill: none; stroke-width: 1.8; }
.kd-live .ghost { opacity: .35; }
.kd-live .handle { cursor: grab; outline: none; touch-action: none; }
.kd-live .handle:active { cursor: grabbing; }
.kd-live .handle .mark { stroke: currentColor; stroke-width: 1; }
.kd-live .handle .hit { fill: transparent; }
.kd-live .handle:focus-visible .hit { stroke: Highlight; stroke-width: 2.5; }
.kd-live .controls { display: flex; flex-wrap: wrap; gap: .35em 1.2em; align-items: center; margin: .5em 0; }
.kd-live label { display: inline-flex; gap: .5em; align-items: center; min-height: 28px; }
.kd-live input[type=range] { width: 9em; max-width: 50vw; accent-color: #0072B2; }
.kd-live button, .kd-live select { font: inherit; min-height: 32px; padding: 0 .8em; }
.kd-live .legend { display: flex; flex-wrap: wrap; gap: .1em 1.2em; margin: .2em 0; padding: 0; list-style: none; font-size: 13px; }
.kd-live .legend li { display: inline-flex; gap: .4em; align-items: center; }
.kd-live .legend svg { width: 30px; height: 14px; }
.kd-live .hint { margin: .2em 0; font-size: 13px; opacity: .85; }
.kd-live .status { margin: .3em 0; font-variant-numeric: tabular-nums; }
`;

const HINT = "Drag a mark, or reach it with the Tab key and press the arrow keys.";

export function svg(tag, attributes = {}, parent = null) {
  const node = document.createElementNS(SVG, tag);
  put(node, attributes);
  parent?.append(node);
  return node;
}

export function html(tag, attributes = {}, parent = null, text = "") {
  const node = document.createElement(tag);
  put(node, attributes);
  if (text) node.textContent = text;
  parent?.append(node);
  return node;
}

export function put(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
}

export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// A number as the figures write it: a real minus sign, and a plus where asked for.
export function number(value, digits = 2, plus = false) {
  const text = Math.abs(value).toFixed(digits);
  const zero = Number(text) === 0;
  return (value < 0 && !zero ? "−" : plus && !zero ? "+" : "") + text;
}

// From numbers to pixels and back.
export function scale([a, b], [from, to]) {
  const place = (value) => from + ((value - a) / (b - a)) * (to - from);
  place.back = (pixel) => a + ((pixel - from) / (to - from)) * (b - a);
  place.domain = [a, b];
  place.range = [from, to];
  return place;
}

// A path through points [x, y]; a NaN leaves a gap.
export function line(points) {
  let text = "", pen = "M";
  for (const [x, y] of points) {
    if (Number.isFinite(x) && Number.isFinite(y)) {
      text += `${pen}${x.toFixed(2)},${y.toFixed(2)}`;
      pen = "L";
    } else pen = "M";
  }
  return text;
}

// Shapes tell networks apart without colours.
const OUTLINES = {
  circle: (r) => [-r, 0, `a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0`],
  square: (r) => [-r, -r, `h${2 * r}v${2 * r}h${-2 * r}z`],
  triangle: (r) => [0, -1.2 * r, `l${1.15 * r},${2.1 * r}h${-2.3 * r}z`],
  upended: (r) => [0, 1.2 * r, `l${1.15 * r},${-2.1 * r}h${-2.3 * r}z`],
  diamond: (r) => [0, -1.3 * r, `l${1.3 * r},${1.3 * r}l${-1.3 * r},${1.3 * r}l${-1.3 * r},${-1.3 * r}z`],
};

// The path of a mark around (x, y).
export function mark(shape, r, x = 0, y = 0) {
  const [dx, dy, outline] = OUTLINES[shape](r);
  return `M${(x + dx).toFixed(1)},${(y + dy).toFixed(1)}${outline}`;
}

export class Stage {
  constructor({ model, el }, label) {
    this.model = model;
    this.cleanups = [];
    this.root = html("div", { class: "kd-live", role: "group", "aria-label": label }, el);
    html("style", {}, this.root, STYLE);
    this.svg = svg("svg", {}, this.root);
    this.key = html("ul", { class: "legend" }, this.root);
    this.controls = html("div", { class: "controls" }, this.root);
    this.status = html("p", { class: "status" }, this.root);
    this.updates = [];
    this.handles = [];
    this.svg.addEventListener("pointerdown", (event) => this.take(event));
    this.still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.request = this.request.bind(this);
    this.inView = true;
    const seen = new IntersectionObserver(([entry]) => (this.inView = entry.isIntersecting));
    seen.observe(this.root);
    const sized = new ResizeObserver(this.request);
    sized.observe(this.root);
    this.cleanups.push(() => seen.disconnect(), () => sized.disconnect());
  }

  // The figure's drawing function; it is called with the width in pixels.
  drawnBy(draw) {
    this.draw = draw;
    this.model.on("change", this.request);
    this.cleanups.push(() => this.model.off("change", this.request));
    this.drawNow();
    put(this.status, { role: "status", "aria-live": "polite" }); // from now on changes are read out
  }

  request() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      this.drawNow();
    });
  }

  drawNow() {
    const width = this.root.clientWidth || 640;
    const height = this.draw(width);
    put(this.svg, { width, height, viewBox: `0 0 ${width} ${height}` });
    for (const update of this.updates) update();
  }

  get(name) { return this.model.get(name); }

  // Where a pointer is, in pixels of the drawing; a slide may show it larger or smaller.
  at(event) {
    const box = this.svg.getBoundingClientRect(), size = box.width / this.svg.clientWidth || 1;
    return [(event.clientX - box.left) / size, (event.clientY - box.top) / size];
  }

  // Changes the model. The kernel, where there is one, hears of it a few times a second.
  set(values) {
    for (const [name, value] of Object.entries(values)) {
      if (!Number.isNaN(value)) this.model.set(name, value);
    }
    this.request();
    this.saving ??= setTimeout(() => {
      this.saving = null;
      this.model.save_changes();
    }, 80);
  }

  // A line of the legend: a mark, a stroke, or both.
  legend(text, { colour, shape = null, dash = null, width = 2, length = 28 }) {
    const item = html("li", {}, this.key);
    const sample = svg("svg", { viewBox: "0 0 30 14", "aria-hidden": "true" }, item);
    if (dash !== null) {
      svg("path", { d: `M${15 - length / 2},7h${length}`, stroke: colour, "stroke-dasharray": dash, "stroke-width": width }, sample);
    }
    if (shape) svg("path", { d: mark(shape, 5), fill: colour, transform: "translate(15,7)" }, sample);
    html("span", {}, item, text);
  }

  // The line below the figure. A screen reader hears it where things have come to rest.
  say(text) {
    const moving = Boolean(this.playing || this.dragged);
    if (this.moving && !moving) this.status.textContent = "";
    this.moving = moving;
    if (this.status.hasAttribute("aria-live")) put(this.status, { "aria-live": moving ? "off" : "polite" });
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  // A mark that can be dragged, along x or in both directions.
  //
  // `place()` says where it is in pixels, `moved(x, y)` is told where it was dragged to, and
  // `nudged(dx, dy)` of arrow keys; `text()` is what a screen reader says, `now()` a number between
  // `min` and `max`. `found(x, y)` may bring the handle to a place where somebody takes hold.
  handle({ label, shape, colour, place, moved, nudged, text, now, min, max, radius = 7, both = false,
    found = () => false }) {
    const group = svg("g", {
      class: "handle", tabindex: 0, role: "slider", "aria-label": label,
      "aria-roledescription": both ? "handle in the plane" : "handle",
    }, this.svg);
    svg("circle", { class: "hit", r: 20 }, group);
    svg("path", { class: "mark", d: mark(shape, radius), fill: colour }, group);
    this.updates.push(() => {
      const [x, y] = place();
      put(group, { transform: `translate(${x.toFixed(2)},${y.toFixed(2)})`, "aria-valuetext": text(),
        "aria-valuemin": min(), "aria-valuemax": max(), "aria-valuenow": number(now(), 3).replace("−", "-") });
    });
    if (!this.handles.length) {
      this.root.insertBefore(html("p", { class: "hint" }, null, HINT), this.key);
    }
    this.handles.push({ group, place, moved, found });
    group.addEventListener("keydown", (event) => {
      const by = event.shiftKey ? 10 : 1;
      const steps = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowDown: [0, -by], ArrowUp: [0, by],
        PageDown: [0, -10], PageUp: [0, 10], Home: [-1e6, 0], End: [1e6, 0] };
      const step = steps[event.key];
      if (!step) return;
      event.preventDefault();
      event.stopPropagation(); // JupyterLab would move to another cell
      this.stop();
      nudged(...(both ? step : [step[0] + step[1], 0]));
    });
    return group;
  }

  // Somebody presses a button or a finger on the drawing: the nearest handle is taken, and follows.
  take(event) {
    if (event.button) return;
    const [px, py] = this.at(event);
    const far = ({ place }) => Math.hypot(place()[0] - px, place()[1] - py);
    let handle = this.handles.find(({ found }) => found(px, py));
    handle ??= this.handles.filter((one) => far(one) < 22).sort((a, b) => far(a) - far(b))[0];
    if (!handle) return;
    event.preventDefault();
    this.stop();
    this.svg.setPointerCapture(event.pointerId);
    handle.group.focus({ preventScroll: true });
    const [x, y] = handle.place(), grip = [px - x, py - y];
    this.dragged = handle;
    const move = (e) => {
      if (e.pointerId !== event.pointerId) return;
      const [a, b] = this.at(e);
      handle.moved(a - grip[0], b - grip[1]);
    };
    const up = (e) => {
      if (e.pointerId !== event.pointerId) return;
      this.dragged = null;
      this.svg.removeEventListener("pointermove", move);
      for (const kind of ["pointerup", "pointercancel"]) this.svg.removeEventListener(kind, up);
      this.request();
    };
    this.svg.addEventListener("pointermove", move);
    for (const kind of ["pointerup", "pointercancel"]) this.svg.addEventListener(kind, up);
  }

  // A slider of a number of the model, or of what `value` and `changed` make of it; where it has
  // no effect, `enabled()` is false.
  slider({ label, name, min, max, step, text = (v) => number(v), value = () => this.get(name),
    changed = (v) => this.set({ [name]: v }), enabled = () => true }) {
    const box = html("label", {}, this.controls, label);
    const input = html("input", { type: "range", min, max, step }, box);
    const shown = html("output", {}, box);
    input.addEventListener("input", () => { this.stop(); changed(Number(input.value)); });
    input.addEventListener("keydown", (event) => event.stopPropagation());
    this.updates.push(() => {
      const now = value();
      if (Number(input.value) !== now) input.value = now;
      shown.textContent = text(now);
      input.disabled = !enabled();
      put(input, { "aria-valuetext": text(now) });
    });
    return input;
  }

  // Between several options; of one there is no choice.
  choice({ label, name, options }) {
    if (options.length < 2) return null;
    const box = html("label", {}, this.controls, label);
    const select = html("select", {}, box);
    for (const option of options) html("option", { value: option }, select, option);
    select.addEventListener("change", () => { this.stop(); this.set({ [name]: select.value }); });
    select.addEventListener("keydown", (event) => event.stopPropagation());
    this.updates.push(() => { select.value = this.get(name); });
    return select;
  }

  tick({ label, name }) {
    const box = html("label", {}, this.controls);
    const input = html("input", { type: "checkbox" }, box);
    box.append(label);
    input.addEventListener("change", () => this.set({ [name]: input.checked }));
    this.updates.push(() => { input.checked = this.get(name); });
    return input;
  }

  button(label, action) {
    const button = html("button", { type: "button" }, this.controls, label);
    button.addEventListener("click", () => { this.stop(); action(); });
    return button;
  }

  // A button that begins a motion, and stops it again. `begin()` gives the function of `play`.
  player(label, begin) {
    const button = html("button", { type: "button" }, this.controls, label);
    const name = () => { button.textContent = this.playing && this.player_ === button ? "Stop" : label; };
    button.addEventListener("click", () => {
      const mine = this.playing && this.player_ === button;
      this.stop();
      if (!mine) {
        this.player_ = button;
        this.play(begin());
      }
      this.request();
    });
    this.updates.push(name);
    return button;
  }

  // Calls `step` once a frame until it returns false; at once to the end for whoever wants no
  // motion. It pauses while the figure is out of view.
  play(step) {
    this.stop();
    if (this.still) {
      for (let n = 0; n < 10000 && step() !== false; n++);
      this.request();
      return;
    }
    const next = () => {
      this.playing = requestAnimationFrame(next);
      if (this.inView && step() === false) this.stop();
    };
    next();
  }

  stop() {
    if (!this.playing) return;
    cancelAnimationFrame(this.playing);
    this.playing = null;
    this.request();
  }

  destroy() {
    this.stop();
    cancelAnimationFrame(this.frame);
    if (this.saving) {
      clearTimeout(this.saving);
      this.model.save_changes();
    }
    for (const cleanup of this.cleanups) cleanup();
    this.root.remove();
  }
}

// A group that shows nothing outside its panel.
export class Clipped {
  constructor(parent) {
    const id = `kd-clip-${Math.random().toString(36).slice(2)}`;
    this.box = svg("rect", {}, svg("clipPath", { id }, parent));
    this.group = svg("g", { "clip-path": `url(#${id})` }, parent);
  }
  to(x, y) {
    const [left, right] = x.range, [bottom, top] = y.range;
    put(this.box, { x: left, y: top, width: right - left, height: bottom - top });
  }
}

// An axis along the bottom or the left side of a panel, with round numbers.
export class Axes {
  constructor(parent, { label = "", ticks = 5 } = {}) {
    this.group = svg("g", {}, parent);
    this.grid = svg("path", { class: "grid" }, this.group);
    this.frame = svg("path", { class: "axis" }, this.group);
    this.texts = svg("g", {}, this.group);
    this.name = svg("text", { "font-weight": 600 }, this.group);
    this.name.textContent = label;
    this.ticks = ticks;
  }

  draw(x, y, { labelX = true } = {}) {
    const [left, right] = x.range, [bottom, top] = y.range;
    const xs = round(x.domain, this.ticks), ys = round(y.domain, 3);
    put(this.frame, { d: `M${left},${top}V${bottom}H${right}` });
    const across = ys.map((v) => `M${left},${y(v).toFixed(1)}H${right}`);
    put(this.grid, { d: across.join("") });
    this.texts.textContent = "";
    for (const v of ys) {
      const text = svg("text", { x: left - 6, y: y(v) + 4, "text-anchor": "end" }, this.texts);
      text.textContent = number(v, digitsOf(ys));
    }
    if (labelX) {
      for (const v of xs) {
        const text = svg("text", { x: x(v), y: bottom + 16, "text-anchor": "middle" }, this.texts);
        text.textContent = number(v, digitsOf(xs));
      }
    }
    put(this.name, { x: left, y: top - 6 });
  }
}

// About n round numbers in an interval.
export function round([a, b], n) {
  const rough = (b - a) / n, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((f) => f * power).find((s) => s >= rough * 0.999);
  const found = [];
  for (let v = Math.ceil(a / step - 1e-9) * step; v <= b + 1e-9 * step; v += step) found.push(v);
  return found;
}

const digitsOf = (values) =>
  values.length < 2 ? 1 : Math.max(0, Math.ceil(-Math.log10(values[1] - values[0]) - 1e-9));
