// A scheme of landmarks made by clicking: points and their names, lines, partners in a mirror, and the
// two points whose distance divides errors.
import { Stage, html, mark, put, svg } from "./stage.js";
import { fit, toPicture, toScreen } from "./picture.js";

const STEPS = {
  points: "Click on the picture to add a point. Drag to move it. Names are in the list.",
  lines: "Click two points to join them; click them again to remove the line.",
  mirror: "Click on two points that change places in a mirror, such as the left and the right ear.",
  distance: "Click two points. Errors are divided by the distance between them, or by the size of the box if you choose none.",
};

const same = ([a, b], [c, d]) => (a === c && b === d) || (a === d && b === c);

// Beside the straight line, which may be drawn too.
const arc = ([x, y], [u, v]) => `M${x},${y}Q${(x + u) / 2 + (v - y) / 4},${(y + v) / 2 - (u - x) / 4} ${u},${v}`;

// Numbers after point `i` has been taken out: `null` where it was meant.
const without = (i) => (j) => (j === i ? null : j > i ? j - 1 : j);

// The state without point i.
export function removed({ points, names, edges, partners, pair }, i) {
  const now = without(i), rest = (list) => list.filter((_, j) => j !== i);
  return {
    points: rest(points), names: rest(names),
    edges: edges.map((edge) => edge.map(now)).filter((edge) => !edge.includes(null)),
    partners: rest(partners.map((j, k) => (j === i ? k : j))).map(now),
    pair: pair.includes(i) ? [] : pair.map(now),
  };
}

// Partners after a and b have been joined, or parted if they were partners.
export function joined(partners, a, b) {
  const alone = partners.map((j, k) => (k === a || k === b || j === a || j === b ? k : j));
  if (a === b || partners[a] === b) return alone;
  return alone.map((j, k) => (k === a ? b : k === b ? a : j));
}

// The scheme as `--scheme` reads it.
export function written({ names, edges, mirrored, partners, pair }) {
  return { n_points: names.length, names, edges, flip: mirrored ? partners : null,
    pair: pair.length === 2 ? pair.map((i) => [i]) : null };
}

function render({ model, el }) {
  const stage = new Stage({ model, el }, "A scheme of landmarks");
  stage.root.style.maxWidth = "1100px";
  html("style", {}, stage.root, `
    .scheme svg.stage { touch-action: none; cursor: crosshair; }
    .scheme ol { columns: 16em; padding-left: 2em; }
    .scheme ol input { font: inherit; width: 10em; }
    .scheme .problem { color: #B30000; background: #fff; padding: 0 .3em; }`);
  stage.root.classList.add("scheme");
  stage.svg.classList.add("stage");
  const image = svg("image", { preserveAspectRatio: "none" }, stage.svg);
  const lines = svg("path", { class: "curve", stroke: "#0072B2" }, stage.svg);
  const partners = svg("path", { class: "curve", stroke: "#E69F00", "stroke-dasharray": "4 3" }, stage.svg);
  const marks = svg("g", {}, stage.svg);
  const list = html("ol", { "aria-label": "points" });
  stage.root.insertBefore(list, stage.controls);
  const problem = html("p", { class: "problem", role: "alert" }, stage.root);
  let view = null, first = null, dragged = null, rows = -1;
  const all = () => Object.fromEntries(["points", "names", "edges", "mirrored", "partners", "pair"].map((k) => [k, model.get(k)]));
  const set = (values) => { stage.set(values); model.save_changes(); };

  stage.choice({ label: "what to do", name: "step", options: Object.keys(STEPS) })
    .addEventListener("change", () => { first = null; });
  stage.tick({ label: "pictures may be mirrored", name: "mirrored" });
  stage.button("Save the scheme", () => set({ scheme: written(all()), asked: model.get("asked") + 1 }));

  const near = (px, py) => model.get("points").findIndex((point) => {
    const [x, y] = toScreen(view, ...point);
    return Math.hypot(x - px, y - py) < 14;
  });
  const add = (x, y) => {
    const { points, names, partners: others } = all(), n = points.length;
    let number = n + 1;
    while (names.includes(`point ${number}`)) number += 1;
    set({ points: [...points, [x, y]], names: [...names, `point ${number}`], partners: [...others, n] });
  };
  const choose = (i) => {
    if (first === null) { first = i; return; }
    const { edges, pair, partners: others } = all(), step = model.get("step");
    if (step === "lines" && i !== first) {
      const kept = edges.filter((edge) => !same(edge, [first, i]));
      set({ edges: kept.length < edges.length ? kept : [...edges, [first, i]] });
    } else if (step === "mirror") set({ partners: joined(others, first, i), mirrored: true });
    else if (step === "distance" && i !== first) set({ pair: same(pair, [first, i]) ? [] : [first, i] });
    first = null;
  };
  stage.svg.addEventListener("pointerdown", (event) => {
    const [px, py] = stage.at(event), i = near(px, py);
    if (model.get("step") !== "points") {
      if (i >= 0) choose(i);
    } else if (i >= 0) {
      stage.svg.setPointerCapture(event.pointerId);
      dragged = i;
    } else add(...toPicture(view, px, py));
    stage.request();
  });
  stage.svg.addEventListener("pointermove", (event) => {
    if (dragged === null) return;
    const at = toPicture(view, ...stage.at(event));
    stage.set({ points: model.get("points").map((point, j) => (j === dragged ? at : point)) });
  });
  for (const kind of ["pointerup", "pointercancel"]) stage.svg.addEventListener(kind, () => { dragged = null; });

  const fill = () => {
    const { names } = all();
    if (rows === names.length) return;
    rows = names.length;
    list.textContent = "";
    names.forEach((name, i) => {
      const item = html("li", {}, list), input = html("input", { value: name, "aria-label": `name of point ${i + 1}` }, item);
      input.addEventListener("change", () => set({ names: model.get("names").map((old, j) => (j === i ? input.value.trim() : old)) }));
      input.addEventListener("keydown", (event) => event.stopPropagation());
      const button = html("button", { type: "button", "aria-label": `remove ${name}` }, item, "×");
      button.addEventListener("click", () => { rows = -1; first = null; set(removed(all(), i)); });
    });
  };

  stage.drawnBy((width) => {
    fill();
    const w = model.get("width"), h = model.get("height");
    view = fit(w, h, width, 560);
    put(image, { href: model.get("source"), x: view.x, y: view.y, width: w * view.size, height: h * view.size });
    const { points, names, edges, mirrored, partners: others, pair } = all();
    const at = points.map((point) => toScreen(view, ...point));
    put(lines, { d: edges.map(([a, b]) => `M${at[a]}L${at[b]}`).join("") });
    put(partners, { d: mirrored ? others.map((j, i) => (j > i ? `${arc(at[i], at[j])}` : "")).join("") : "" });
    marks.textContent = "";
    at.forEach(([x, y], i) => {
      const group = svg("g", { transform: `translate(${x},${y})` }, marks), inPair = pair.includes(i);
      svg("path", { d: mark(inPair ? "square" : "circle", i === first ? 8 : 5),
        fill: i === first ? "#B2182B" : inPair ? "#009E73" : "#0072B2", stroke: "#fff", "stroke-width": 1.5 }, group);
      const label = svg("text", { x: 9, y: -6, stroke: "#fff", "stroke-width": 3, "paint-order": "stroke", style: "fill:#000" }, group);
      label.textContent = names[i];
    });
    problem.textContent = model.get("problem");
    stage.say(`${STEPS[model.get("step")]} points: ${points.length}, lines: ${edges.length}, ` +
      (mirrored ? `mirrored pairs: ${others.filter((j, i) => j > i).length}, ` : "no mirror, ") +
      (pair.length ? `distance from ${names[pair[0]]} to ${names[pair[1]]}.` : "distance: the box of the points."));
    return Math.max(60, view.size * h);
  });
  return () => stage.destroy();
}

export default { render };
