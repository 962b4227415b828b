// Landmarks placed by hand: click to place, drag or arrow keys to correct, zoom, undo, next picture.
//
// Points are in pixels of the picture, counted from the middle of the first one. Every change is
// handed to the model at once; who stands behind it saves it.
import { Stage, clamp, html, number, put, svg } from "./stage.js";
import { fit, toPicture, toScreen, zoomed } from "./picture.js";

const MOST = 16; // screen pixels per picture pixel
const COLOURS_OF = { placed: "#0072B2", guess: "#56B4E9", unsure: "#E69F00", chosen: "#B2182B" };

// The first landmark from `start` on, counted around, that is not placed; -1 if all are.
export function nextOpen(points, start) {
  for (let n = 0; n < points.length; n++) {
    const i = (start + n) % points.length;
    if (!points[i]) return i;
  }
  return -1;
}

// Sentences about what may be a mistake.
export function remarks(points, names) {
  const found = [], places = new Map();
  points.forEach((point, i) => {
    if (!point) return;
    const key = point.map((v) => v.toFixed(2)).join();
    if (places.has(key)) found.push(`${names[places.get(key)]} and ${names[i]} are in one place.`);
    else places.set(key, i);
  });
  return found;
}

// What a button or a key does, for whoever looks for it.
const HELP = {
  Undo: "takes the last change back; Ctrl+Z, and Ctrl+Y to do it again",
  Hidden: "marks the chosen landmark as covered by something; H",
  Remove: "takes the chosen landmark away; Delete",
  "Confirm all": "makes labels of all that is guessed",
};
const KEYS = [
  ["click", "places the landmark that is named below the picture"],
  ["drag", "moves a landmark"],
  ["arrow keys", "move the chosen landmark by a pixel, with Shift by ten"],
  ["Enter", "places or confirms the chosen landmark"],
  ["N, P", "choose the next or the previous landmark"],
  ["wheel, + and −, 0", "zoom in and out, and show all"],
  ["Shift and drag, two fingers", "move the picture"],
  ["Page Down, Page Up", "next and previous picture"],
  ...Object.entries(HELP),
];

const hundredths = (v) => Math.round(100 * v) / 100;

function render({ model, el }) {
  const stage = new Stage({ model, el }, "Landmarks of a picture, placed by hand");
  const names = model.get("names"), edges = model.get("edges"), n = names.length;
  stage.root.classList.add("labelling");
  html("style", {}, stage.root, `
    .labelling { max-width: 1100px; }
    .labelling svg.stage { touch-action: none; cursor: crosshair; background: #8882; }
    .labelling .list { display: flex; flex-wrap: wrap; gap: 2px; margin: .4em 0; padding: 0; list-style: none; }
    .labelling .list button { min-height: 26px; padding: 0 .5em; font-size: 12px; border: 1px solid #8888; background: none; color: inherit; }
    .labelling .list button[aria-current=true] { outline: 3px solid ${COLOURS_OF.chosen}; }
    .labelling .help dl { display: grid; grid-template-columns: max-content 1fr; gap: .1em 1em; margin: .4em 0; font-size: 13px; }
    .labelling .help dt { font-weight: 600; }
    .labelling .help dd { margin: 0; }
    .labelling .problem { color: #B30000; background: #fff; padding: 0 .3em; }`);
  stage.svg.classList.add("stage");
  put(stage.svg, { tabindex: 0, role: "application",
    "aria-label": "The picture. Arrow keys move the chosen landmark, Enter places it." });
  const scene = svg("g", {}, stage.svg), image = svg("image", { preserveAspectRatio: "none" }, scene);
  const lines = svg("path", { class: "curve", stroke: COLOURS_OF.placed, "stroke-opacity": 0.5 }, stage.svg);
  const marks = svg("g", {}, stage.svg);
  const problem = html("p", { class: "problem", role: "alert" }, stage.root);
  stage.root.insertBefore(problem, stage.status);
  const list = html("ol", { class: "list", "aria-label": "landmarks" });
  stage.root.insertBefore(list, stage.controls);
  let view = null, shownFor = "", shownFile = "", chosen = 0, past = [], future = [];

  const points = () => model.get("points");
  const change = (values) => {
    past.push({ points: points(), hidden: model.get("hidden"), guessed: model.get("guessed") });
    future = [];
    stage.set(values);
    model.save_changes(); // at once: nothing is lost by whatever comes next
  };
  const back = (from, to) => {
    const state = from.pop();
    if (!state) return;
    to.push({ points: points(), hidden: model.get("hidden"), guessed: model.get("guessed") });
    stage.set(state);
    model.save_changes();
  };
  const withValue = (name, i, value) => model.get(name).map((old, j) => (j === i ? value : old));
  const place = (i, x, y) => {
    const at = [clamp(x, -0.5, model.get("width") - 0.5), clamp(y, -0.5, model.get("height") - 0.5)];
    change({ points: withValue("points", i, at.map(hundredths)), guessed: withValue("guessed", i, false) });
  };
  const choose = (i) => { chosen = (i + n) % n; stage.request(); };
  const go = (step) => {
    const index = clamp(model.get("index") + step, 0, model.get("n_pictures") - 1);
    if (index === model.get("index")) return;
    stage.set({ index });
    model.save_changes();
  };
  const zoom = (factor, px = stage.svg.clientWidth / 2, py = stage.svg.clientHeight / 2) => {
    const least = fit(model.get("width"), model.get("height"), stage.svg.clientWidth, 640).size;
    const size = clamp(view.size * factor, least, MOST);
    view = size === least ? fit(model.get("width"), model.get("height"), stage.svg.clientWidth, 640)
      : zoomed(view, size, px, py);
    stage.request();
  };

  // One finger or the mouse places and drags, two fingers pan and zoom, the wheel zooms.
  const fingers = new Map();
  let dragged = null;
  const nearest = (px, py) => {
    let best = [14, -1];
    points().forEach((point, i) => {
      if (!point) return;
      const [x, y] = toScreen(view, ...point), d = Math.hypot(x - px, y - py);
      if (d < best[0]) best = [d, i];
    });
    return best[1];
  };
  stage.svg.addEventListener("pointerdown", (event) => {
    if (event.button > 1) return; // the right button is the browser's
    event.preventDefault();
    stage.svg.setPointerCapture(event.pointerId);
    stage.svg.focus({ preventScroll: true });
    const [px, py] = stage.at(event);
    fingers.set(event.pointerId, [px, py]);
    if (fingers.size > 1) { dragged = null; return; }
    const near = nearest(px, py);
    if (near >= 0) chosen = near;
    const [x, y] = near >= 0 ? points()[near] : toPicture(view, px, py);
    dragged = { near, px, py, x, y, moved: false, pan: event.button === 1 || event.shiftKey };
    stage.request();
  });
  stage.svg.addEventListener("pointermove", (event) => {
    if (!fingers.has(event.pointerId)) return;
    const [px, py] = stage.at(event), before = fingers.get(event.pointerId);
    if (fingers.size > 1) {
      const [other] = [...fingers].find(([id]) => id !== event.pointerId).slice(1);
      const apart = (a) => Math.hypot(a[0] - other[0], a[1] - other[1]);
      const k = apart([px, py]) / Math.max(1, apart(before));
      zoom(k, other[0], other[1]);
      fingers.set(event.pointerId, [px, py]);
      return;
    }
    fingers.set(event.pointerId, [px, py]);
    if (!dragged) return;
    if (Math.hypot(px - dragged.px, py - dragged.py) > 3) dragged.moved = true;
    if (dragged.pan) {
      view = { ...view, x: view.x + px - before[0], y: view.y + py - before[1] };
    } else if (dragged.near >= 0 && dragged.moved) {
      dragged.at = [dragged.x + (px - dragged.px) / view.size, dragged.y + (py - dragged.py) / view.size];
    }
    stage.request();
  });
  const lifted = (event) => {
    fingers.delete(event.pointerId);
    const done = dragged;
    dragged = null;
    if (!done || event.type === "pointercancel" || done.pan) { stage.request(); return; }
    if (done.near >= 0) {
      if (done.at) place(done.near, ...done.at);
    } else if (!done.moved && (!points()[chosen] || model.get("guessed")[chosen])) { // else: drag it
      place(chosen, ...toPicture(view, done.px, done.py));
      const open = nextOpen(points(), chosen + 1);
      if (open >= 0) chosen = open;
    }
    stage.request();
  };
  stage.svg.addEventListener("pointerup", lifted);
  stage.svg.addEventListener("pointercancel", lifted);
  stage.svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(Math.exp(-event.deltaY / 300), ...stage.at(event));
  }, { passive: false });

  const keys = {
    ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
  };
  const commands = {
    Enter: () => {
      const at = points()[chosen] ?? toPicture(view, stage.svg.clientWidth / 2, stage.svg.clientHeight / 2);
      place(chosen, ...at);
      const open = nextOpen(points(), chosen + 1);
      choose(open >= 0 ? open : chosen);
    },
    Delete: () => change({ points: withValue("points", chosen, null) }),
    Backspace: () => change({ points: withValue("points", chosen, null) }),
    h: () => change({ hidden: withValue("hidden", chosen, !model.get("hidden")[chosen]) }),
    n: () => choose(chosen + 1), p: () => choose(chosen - 1),
    PageDown: () => go(1), PageUp: () => go(-1),
    "+": () => zoom(1.5), "=": () => zoom(1.5), "-": () => zoom(1 / 1.5), 0: () => zoom(0),
  };
  stage.svg.addEventListener("keydown", (event) => {
    const step = keys[event.key], command = commands[event.key];
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      if (event.shiftKey) back(future, past);
      else back(past, future);
    } else if ((event.ctrlKey || event.metaKey) && event.key === "y") back(future, past);
    else if (step && points()[chosen]) {
      const by = event.shiftKey ? 10 : 1, [x, y] = points()[chosen];
      place(chosen, x + by * step[0], y + by * step[1]);
    } else if (command && !event.ctrlKey && !event.metaKey) command();
    else return;
    event.preventDefault();
    event.stopPropagation(); // JupyterLab has its own use for these keys
    stage.request();
  });

  stage.button("Previous", () => go(-1));
  stage.button("Next", () => go(1));
  const acts = { Undo: () => back(past, future), Hidden: commands.h, Remove: commands.Delete,
    "Confirm all": () => change({ guessed: names.map(() => false) }) };
  for (const [name, act] of Object.entries(acts)) put(stage.button(name, act), { title: HELP[name] });
  stage.button("−", () => zoom(1 / 1.5));
  stage.button("+", () => zoom(1.5));
  const help = html("details", { class: "help" }, stage.root), table = html("dl");
  html("summary", {}, help, "Mouse and keys");
  help.append(table);
  for (const [what, does] of KEYS) {
    html("dt", {}, table, what);
    html("dd", {}, table, does);
  }
  const entries = names.map((name, i) => {
    const button = html("button", { type: "button" }, html("li", {}, list));
    button.addEventListener("click", () => { choose(i); stage.svg.focus({ preventScroll: true }); });
    return button;
  });

  stage.drawnBy((width) => {
    const [w, h] = [model.get("width"), model.get("height")];
    const home = fit(w, h, width, 640), key = `${model.get("file")} ${width}`;
    if (key !== shownFor) { // another picture, or another width of the page
      if (shownFile !== model.get("file")) { past = []; future = []; }
      shownFile = model.get("file");
      const open = nextOpen(points(), 0);
      chosen = open >= 0 ? open : 0;
      view = home;
      shownFor = key;
    }
    put(image, { href: model.get("source"), width: w, height: h,
      style: view.size > 3 ? "image-rendering: pixelated" : "" });
    put(scene, { transform: `translate(${view.x},${view.y}) scale(${view.size})` });
    const now = points().map((point, i) => (dragged?.at && dragged.near === i ? dragged.at : point));
    put(lines, { d: edges.filter(([a, b]) => now[a] && now[b]).map(([a, b]) =>
      `M${toScreen(view, ...now[a])}L${toScreen(view, ...now[b])}`).join("") });
    marks.textContent = "";
    const [hidden, guessed, unsure] = ["hidden", "guessed", "unsure"].map((name) => model.get(name));
    now.forEach((point, i) => {
      const doubtful = guessed[i] && unsure[i];
      const sign = !point ? "" : doubtful ? " ??" : guessed[i] ? " ?" : " ✓";
      const words = [[!point, "not placed"], [doubtful, "guessed, unsure"], [guessed[i] && !doubtful, "guessed"],
        [hidden[i], "hidden"]].filter(([is]) => is).map(([, word]) => word);
      entries[i].textContent = `${i + 1} ${names[i]}${sign}${hidden[i] ? " ◌" : ""}`;
      put(entries[i], { "aria-current": String(i === chosen), "aria-label": [names[i], ...words].join(", ") });
      if (!point) return;
      const [x, y] = toScreen(view, ...point);
      const colour = COLOURS_OF[i === chosen ? "chosen" : doubtful ? "unsure" : guessed[i] ? "guess" : "placed"];
      const mark = svg("g", { transform: `translate(${x},${y})` }, marks);
      svg("circle", { r: i === chosen ? 7 : 4, fill: "none", stroke: "#fff", "stroke-width": 3.5 }, mark);
      svg("circle", { r: i === chosen ? 7 : 4, fill: "none", stroke: colour, "stroke-width": 2,
        "stroke-dasharray": guessed[i] || hidden[i] ? "3 2" : "" }, mark);
      svg("circle", { r: 1, fill: colour }, mark);
      if (i === chosen || view.size > 2) {
        const label = svg("text", { x: 9, y: -7, stroke: "#fff", "stroke-width": 3, "paint-order": "stroke", style: "fill:#000" }, mark);
        label.textContent = i === chosen ? names[i] : i + 1;
      }
    });
    problem.textContent = model.get("problem");
    const count = now.filter(Boolean).length, left = guessed.filter(Boolean).length;
    stage.say(`Picture ${model.get("index") + 1} of ${model.get("n_pictures")}, ${model.get("file")}: ` +
      `${count - left} of ${n} placed${left ? `, ${left} guessed` : ""}. ` +
      (count < n ? `Next: ${names[chosen]}. ` : left ? "Drag what is wrong, then press Confirm all. " : "All are placed. ") +
      `Pictures done: ${model.get("n_complete")}. ` +
      remarks(now, names).join(" ") + (view.size > home.size * 1.01 ? ` × ${number(view.size / home.size, 1)}` : ""));
    return Math.max(60, home.size * h);
  });
  return () => stage.destroy();
}

export default { render };
