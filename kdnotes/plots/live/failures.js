// Where does a network fail? Faces from best to worst, one of them large, with a magnifying glass.
import { COLOURS, Stage, clamp, html, mark, number, put, svg } from "./stage.js";

const SHAPES = { hard: "diamond", student: "circle", plain: "upended", tough: "square", tolerant: "triangle" };
const SMALL = 52;

// The faces' positions from the least to the largest error of the chosen network.
export function ranked(model) {
  const faces = model.get("faces"), by = model.get("network");
  return faces.map((_, i) => i).sort((a, b) => faces[a].errors[by] - faces[b].errors[by]);
}

function render({ model, el }) {
  const stage = new Stage({ model, el }, "Faces from best to worst");
  const faces = model.get("faces"), edges = model.get("edges"), names = Object.keys(faces[0].errors);
  const strip = html("div", { class: "strip", role: "group", "aria-label": "faces, best to worst" });
  stage.root.insertBefore(strip, stage.svg);
  html("style", {}, stage.root, `
    .kd-live .strip { display: flex; gap: 4px; overflow-x: auto; padding: 4px; }
    .kd-live .strip button { padding: 0; border: 3px solid transparent; background: none; min-height: 0; flex: none; line-height: 0; }
    .kd-live .strip button[aria-pressed=true] { border-color: Highlight; }
    .kd-live .strip img { width: ${SMALL}px; height: ${SMALL}px; object-fit: cover; }`);
  const id = `kd-scene-${Math.random().toString(36).slice(2)}`;
  const scene = svg("g", { id }, stage.svg);
  const picture = svg("image", { preserveAspectRatio: "none" }, scene);
  const shown = ["hard", ...names];
  const marks = Object.fromEntries(shown.map((name) => [name, [
    svg("path", { class: "curve", stroke: name === "hard" ? "#fff" : COLOURS[name], "stroke-width": 1 }, scene),
    svg("path", { fill: name === "hard" ? "#fff" : COLOURS[name], stroke: "#000", "stroke-width": 0.5 }, scene),
  ]]));
  const lensClip = svg("circle", { r: 62 }, svg("clipPath", { id: `${id}-lens` }, stage.svg));
  const lens = svg("g", { "clip-path": `url(#${id}-lens)`, "pointer-events": "none" }, stage.svg);
  const enlarged = svg("use", { href: `#${id}` }, lens);
  const rim = svg("circle", { r: 62, fill: "none", stroke: "currentColor", "stroke-width": 2 }, stage.svg);
  let side = 400;
  stage.handle({
    label: "magnifying glass", shape: "circle", colour: "transparent", both: true, radius: 3,
    place: () => [model.get("lens_x") * side, model.get("lens_y") * side],
    moved: (x, y) => stage.set({ lens_x: clamp(x / side, 0, 1), lens_y: clamp(y / side, 0, 1) }),
    nudged: (dx, dy) => stage.set({ lens_x: clamp(model.get("lens_x") + 0.01 * dx, 0, 1),
      lens_y: clamp(model.get("lens_y") - 0.01 * dy, 0, 1) }),
    now: () => 100 * model.get("lens_x"), min: () => 0, max: () => 100,
    text: () => `magnifying glass at ${number(100 * model.get("lens_x"), 0)} % across, ` +
      `${number(100 * model.get("lens_y"), 0)} % down`,
  });
  stage.choice({ label: "sorted by the error of", name: "network", options: names });
  stage.slider({ label: "best to worst", name: "rank", min: 0, max: faces.length - 1, step: 1,
    text: (v) => `${number(v + 1, 0)} of ${faces.length}` });
  for (const name of shown) stage.tick({ label: name, name: `show_${name}` });
  stage.slider({ label: "glass", name: "zoom", min: 1, max: 6, step: 0.5, text: (v) => `× ${number(v, 1)}` });
  for (const name of shown) {
    stage.legend(name === "hard" ? "hard, the truth: white" : name, {
      colour: name === "hard" ? "#777" : COLOURS[name], shape: SHAPES[name] ?? "circle" });
  }
  let sorted = null;

  // One of them is reached by the tabulator, the others with arrow keys.
  strip.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const rank = clamp(model.get("rank") + step, 0, faces.length - 1);
    stage.set({ rank });
    strip.children[rank].focus();
  });

  const fill = () => {
    if (sorted === model.get("network")) return;
    sorted = model.get("network");
    strip.textContent = "";
    ranked(model).forEach((face, rank) => {
      const button = html("button", { type: "button" }, strip);
      html("img", { src: faces[face].image, alt: `face ${rank + 1}, error ${number(100 * faces[face].errors[sorted], 1)} %` }, button);
      button.addEventListener("click", () => stage.set({ rank }));
    });
  };

  stage.drawnBy((width) => {
    fill();
    side = Math.min(width, 430);
    const face = faces[ranked(model)[model.get("rank")]];
    const x = (v) => side * (0.5 + v), y = x;
    put(picture, { href: face.image, width: side, height: side });
    for (const name of shown) {
      const [lines, dots] = marks[name], points = name === "hard" ? face.hard : face.points[name];
      const on = model.get(`show_${name}`);
      put(lines, { d: on ? edges.map(([i, j]) => `M${x(points[2 * i]).toFixed(1)},${y(points[2 * i + 1]).toFixed(1)}L${x(points[2 * j]).toFixed(1)},${y(points[2 * j + 1]).toFixed(1)}`).join("") : "" });
      const spots = points.flatMap((v, j) => (j % 2 ? [] : [mark(SHAPES[name] ?? "circle", 2, x(v), y(points[j + 1]))]));
      put(dots, { d: on ? spots.join("") : "" });
    }
    const lx = model.get("lens_x") * side, ly = model.get("lens_y") * side, zoom = model.get("zoom");
    const on = zoom > 1 ? "inline" : "none";
    put(lensClip, { cx: lx, cy: ly });
    put(rim, { cx: lx, cy: ly, display: on });
    put(lens, { display: on });
    put(enlarged, { transform: `translate(${lx * (1 - zoom)},${ly * (1 - zoom)}) scale(${zoom})` });
    [...strip.children].forEach((button, rank) => {
      const now = rank === model.get("rank");
      put(button, { "aria-pressed": String(now), tabindex: now ? 0 : -1 });
      if (now) {
        const room = strip.clientWidth - button.offsetWidth, left = button.offsetLeft - strip.offsetLeft;
        if (left < strip.scrollLeft || left > strip.scrollLeft + room) strip.scrollLeft = left - room / 2;
      }
    });
    stage.say(`Face ${model.get("rank") + 1} of ${faces.length} by the error of ${model.get("network")}. ` +
      names.map((name) => `${name}: NME ${number(100 * face.errors[name], 1)} %`).join(", ") + ".");
    return side + 6;
  });
  return () => stage.destroy();
}

export default { render };
