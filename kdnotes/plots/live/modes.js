// A shape model to play with: sliders for its modes, a landmark that takes the others along, and a
// face's soft landmarks for more or less variance.
import { COLOURS, Stage, mark, number, put, svg } from "./stage.js";
import { clamped, coefficients, dragged, limits, shape } from "./shapes.js";

const SLIDERS = 4;

// The coefficients that are used: those of the modes that the chosen share of variance keeps.
export function used(model) {
  const shapes = model.get("shapes"), k = model.get("counts")[model.get("share")];
  const face = model.get("faces")[model.get("face")];
  const b = face ? clamped(shapes, coefficients(shapes, face)) : model.get("b");
  return b.map((value, i) => (i < k ? value : 0));
}

// The mean distance of points from other points, in the unit of both.
export function meanDistance(one, two) {
  let sum = 0;
  for (let j = 0; j < one.length; j += 2) sum += Math.hypot(one[j] - two[j], one[j + 1] - two[j + 1]);
  return (2 * sum) / one.length;
}

function render({ model, el }) {
  const stage = new Stage({ model, el }, "A shape model of faces");
  const shapes = model.get("shapes"), edges = model.get("edges"), n = shapes.mean.length / 2;
  const wall = limits(shapes), names = Object.keys(model.get("counts"));
  const hardLines = svg("path", { class: "axis" }, stage.svg);
  const hardDots = svg("path", { fill: COLOURS.hard }, stage.svg);
  const lines = svg("path", { class: "curve", stroke: COLOURS.soft }, stage.svg);
  const dots = svg("path", { fill: COLOURS.soft }, stage.svg);
  const rubber = svg("path", { stroke: "currentColor", "stroke-dasharray": "2 3" }, stage.svg);
  let x = null, y = null, pulled = null;

  // From here on the shape is the reader's, not a face's.
  const free = (b) => stage.set({ b: clamped(shapes, b), face: "none" });
  const drag = (px, py) => {
    const target = [x.back(px), y.back(py)];
    const k = model.get("counts")[model.get("share")];
    const kept = { ...shapes, components: shapes.components.slice(0, k), variances: shapes.variances.slice(0, k) };
    const b = dragged(kept, used(model).slice(0, k), model.get("landmark"), ...target);
    free(wall.map((_, i) => b[i] ?? 0));
    return target;
  };
  const chosen = () => {
    const now = shape(shapes, used(model)), i = model.get("landmark");
    return [now[2 * i], now[2 * i + 1]];
  };
  // Any landmark can be taken hold of: the nearest one becomes the handle's.
  const found = (px, py) => {
    const now = shape(shapes, used(model));
    const far = Array.from({ length: n }, (_, i) => Math.hypot(x(now[2 * i]) - px, y(now[2 * i + 1]) - py));
    const landmark = far.indexOf(Math.min(...far));
    if (far[landmark] > 14) return false;
    stage.set({ landmark });
    stage.drawNow();
    return true;
  };
  stage.handle({
    label: "landmark", shape: "circle", colour: COLOURS.soft, both: true, found,
    place: () => { const [a, b] = chosen(); return [x(a), y(b)]; },
    moved: (px, py) => { pulled = drag(px, py); },
    nudged: (dx, dy) => { const [a, b] = chosen(); drag(x(a) + 3 * dx, y(b) - 3 * dy); },
    now: () => chosen()[0], min: () => -0.5, max: () => 0.5,
    text: () => {
      const [a, b] = chosen();
      return `landmark ${model.get("landmark")} at x ${number(a, 3)}, y ${number(b, 3)}`;
    },
  });
  stage.legend("the model's shape", { colour: COLOURS.soft, shape: "circle", dash: "" });
  stage.legend("the face itself, hard landmarks", { colour: COLOURS.hard, shape: "circle", dash: "" });
  stage.choice({ label: "face", name: "face", options: ["none", ...Object.keys(model.get("faces"))] });
  stage.choice({ label: "variance kept", name: "share", options: names });
  for (let i = 0; i < Math.min(SLIDERS, wall.length); i++) {
    const box = stage.slider({ label: `mode ${i + 1}`, name: "b", min: -shapes.n_std, max: shapes.n_std, step: 0.1,
      value: () => used(model)[i] / Math.sqrt(shapes.variances[i]),
      changed: (value) => free(used(model).map((v, j) => (j === i ? value * Math.sqrt(shapes.variances[i]) : v))),
      text: (value) => `${number(value, 1, true)} √λ`,
      enabled: () => i < model.get("counts")[model.get("share")] });
    box.style.width = "8em";
  }
  stage.slider({ label: "landmark", name: "landmark", min: 0, max: n - 1, step: 1, text: (v) => number(v, 0) });
  stage.button("Mean shape", () => free(wall.map(() => 0)));

  const path = (points) => edges.map(([i, j]) =>
    `M${x(points[2 * i]).toFixed(1)},${y(points[2 * i + 1]).toFixed(1)}L${x(points[2 * j]).toFixed(1)},${y(points[2 * j + 1]).toFixed(1)}`).join("");
  const spots = (points, r) =>
    Array.from({ length: n }, (_, i) => mark("circle", r, x(points[2 * i]), y(points[2 * i + 1]))).join("");

  stage.drawnBy((width) => {
    const size = Math.min(width, 420) * 1.5, middle = width / 2;
    x = (v) => middle + size * v;
    y = (v) => 0.34 * size + size * v;
    x.back = (p) => (p - middle) / size;
    y.back = (p) => (p - 0.34 * size) / size;
    const b = used(model), now = shape(shapes, b), face = model.get("faces")[model.get("face")];
    put(lines, { d: path(now) });
    put(dots, { d: spots(now, 2.4) });
    put(hardLines, { d: face ? path(face) : "" });
    put(hardDots, { d: face ? spots(face, 1.8) : "" });
    const [a, c] = chosen();
    if (!stage.dragged) pulled = null;
    put(rubber, { d: pulled ? `M${x(a)},${y(c)}L${x(pulled[0])},${y(pulled[1])}` : "" });
    const walls = b.flatMap((v, i) => (Math.abs(v) >= wall[i] * (1 - 1e-9) ? [`mode ${i + 1}`] : []));
    const from = face ? "its hard landmarks" : "the mean shape";
    const away = 100 * meanDistance(now, face ?? shapes.mean);
    stage.say(`${model.get("counts")[model.get("share")]} modes keep ${model.get("share")} of the variance. ` +
      `The points lie ${number(away)} % of the image width from ${from}.` +
      (walls.length ? ` At the wall of ±${shapes.n_std} √λ: ${walls.join(", ")}.` : ""));
    return 0.68 * size;
  });
  return () => stage.destroy();
}

export default { render };
