// KD-Loss in the plane: the pull everywhere, two teachers to drag, and a race of losses.
import { Axes, COLOURS, Clipped, Stage, clamp, line, mark, number, put, scale, svg } from "./stage.js";
import { descent, kdLoss, slopesOfRace } from "./kd.js";

const REACH = 0.6, ARROWS = 15, RATE = 0.004, STEPS = 250;
const TRUTH = [0, 0], NEAR = 0.02; // a racer that comes as near has arrived
const TEACHERS = {
  tough: ["Tough teacher", "square", COLOURS.tough],
  tolerant: ["Tolerant teacher", "triangle", COLOURS.tolerant],
};
const RACERS = [
  ["L2", "#CC79A7", "", "circle"], ["L1", "currentColor", "6 3", "square"],
  ["KD-Loss, PAPER", "#009E73", "", "upended"], ["KD-Loss, RELEASED", "#888888", "8 3 2 3", "diamond"],
  ["L1 to the Tough teacher", "#0072B2", "2 3", "triangle"],
];

const place = (model, name) => [model.get(`${name}_x`), model.get(`${name}_y`)];

// The pull at a place: minus the gradient, coordinate by coordinate.
export function pull(p, tough, tolerant, settings) {
  return p.map((value, k) => -kdLoss(value, TRUTH[k], tough[k], tolerant[k], settings).slopes.total);
}

// The largest difference that mirrored teachers make to the pull, anywhere on the grid.
export function changeByMirror(tough, tolerant, settings) {
  let most = 0;
  for (const a of grid()) for (const b of grid()) {
    const one = pull([a, b], tough, tolerant, settings);
    const two = pull([a, b], tough.map((v) => -v), tolerant.map((v) => -v), settings);
    most = Math.max(most, Math.abs(one[0] - two[0]), Math.abs(one[1] - two[1]));
  }
  return most;
}

const grid = () => Array.from({ length: ARROWS }, (_, i) => REACH * ((2 * i + 1) / ARROWS - 1));

export function race(model) {
  const [start, tough, tolerant] = ["pred", "tough", "tolerant"].map((name) => place(model, name));
  const slopes = slopesOfRace(model.get("settings"));
  return Object.fromEntries(racers(model).map(([name]) => [
    name, descent(slopes[name], start, TRUTH, tough, tolerant, RATE, STEPS)]));
}

// Those of the settings that the figure has.
const racers = (model) => RACERS.filter(([name]) => name in slopesOfRace(model.get("settings")));

function render({ model, el }) {
  const stage = new Stage({ model, el }, "KD-Loss in the plane"), running = racers(model);
  const axes = new Axes(stage.svg, { label: "y against x, crop widths from the truth" }), clip = new Clipped(stage.svg);
  const borders = Object.keys(TEACHERS).map((name) => svg("path", {
    stroke: COLOURS[name], "stroke-dasharray": "2 3", "stroke-opacity": 0.8, fill: "none",
  }, clip.group));
  const arrows = svg("path", { class: "axis", "stroke-width": 1.2 }, clip.group);
  const trails = running.map(([, colour, dash]) => svg("path", {
    class: "curve", stroke: colour, "stroke-dasharray": dash, "stroke-width": 2.4,
  }, clip.group));
  const heads = running.map(([, colour, , shape]) => svg("path", {
    d: mark(shape, 5), fill: colour, stroke: "Canvas",
  }, clip.group));
  const truth = svg("path", { d: mark("diamond", 6), fill: COLOURS.hard }, stage.svg);
  let x = scale([-1, 1], [0, 1]), y = x;
  const set = (name, at) => {
    const [a, b] = at.map((v) => Math.round(clamp(v, -REACH, REACH) * 1000) / 1000);
    stage.set({ [`${name}_x`]: a, [`${name}_y`]: b, steps: 0 });
  };
  const all = { ...TEACHERS, pred: ["student", "circle", COLOURS.student] };
  for (const [name, [label, shape, colour]] of Object.entries(all)) {
    stage.handle({
      label, shape, colour, both: true,
      place: () => { const [a, b] = place(model, name); return [x(a), y(b)]; },
      moved: (a, b) => set(name, [x.back(a), y.back(b)]),
      nudged: (dx, dy) => set(name, [model.get(`${name}_x`) + 0.01 * dx, model.get(`${name}_y`) + 0.01 * dy]),
      now: () => model.get(`${name}_x`), min: () => -REACH, max: () => REACH,
      text: () => `${label} at x ${number(model.get(`${name}_x`))}, y ${number(model.get(`${name}_y`))}`,
    });
    stage.legend(label, { colour, shape });
  }
  stage.legend("truth", { colour: COLOURS.hard, shape: "diamond" });
  stage.legend("as far from the truth as a teacher, on either axis", { colour: COLOURS.tough, dash: "2 3" });
  for (const [name, colour, dash, shape] of running) stage.legend(name, { colour, dash, shape });
  stage.choice({ label: "setting", name: "setting", options: Object.keys(model.get("settings")) });
  let mirrored = false; // once somebody has asked, the figure answers
  stage.button("Mirror the teachers at the truth", () => {
    const moved = {};
    mirrored = true;
    for (const name of Object.keys(TEACHERS)) {
      for (const axis of ["x", "y"]) moved[`${name}_${axis}`] = -model.get(`${name}_${axis}`) || 0;
    }
    stage.set(moved);
  });
  stage.player("Race", () => {
    stage.set({ steps: 0 });
    return () => {
      const steps = Math.min(STEPS, model.get("steps") + 1);
      stage.set({ steps });
      return steps < STEPS;
    };
  });

  stage.drawnBy((width) => {
    const side = Math.min(width - 50, 440), left = 40, top = 24;
    x = scale([-REACH, REACH], [left, left + side]);
    y = scale([-REACH, REACH], [top + side, top]);
    axes.draw(x, y);
    clip.to(x, y);
    const [tough, tolerant, pred] = ["tough", "tolerant", "pred"].map((name) => place(model, name));
    const settings = model.get("settings")[model.get("setting")];
    const cell = side / ARROWS;
    let d = "";
    for (const a of grid()) for (const b of grid()) {
      const [dx, dy] = pull([a, b], tough, tolerant, settings), size = Math.hypot(dx, dy);
      if (size < 1e-9) continue;
      const long = cell * 0.8 * Math.min(1, size / 6), ux = dx / size, uy = -dy / size;
      const px = x(a), py = y(b), tx = px + long * ux, ty = py + long * uy;
      d += `M${px.toFixed(1)},${py.toFixed(1)}L${tx.toFixed(1)},${ty.toFixed(1)}` +
        `M${(tx - 3 * ux + 2.2 * uy).toFixed(1)},${(ty - 3 * uy - 2.2 * ux).toFixed(1)}` +
        `L${tx.toFixed(1)},${ty.toFixed(1)}` +
        `L${(tx - 3 * ux - 2.2 * uy).toFixed(1)},${(ty - 3 * uy + 2.2 * ux).toFixed(1)}`;
    }
    put(arrows, { d });
    [tough, tolerant].forEach(([a, b], i) => put(borders[i], {
      d: [-1, 1].map((s) => `M${x(s * a)},${top}V${top + side}M${left},${y(s * b)}H${left + side}`).join(""),
    }));
    const steps = model.get("steps"), runs = steps ? race(model) : {};
    running.forEach(([name], i) => {
      const way = (runs[name] ?? []).slice(0, steps + 1);
      put(trails[i], { d: line(way.map(([a, b]) => [x(a), y(b)])) });
      const [a, b] = way.at(-1) ?? [NaN, NaN];
      put(heads[i], Number.isFinite(a) ? { transform: `translate(${x(a)},${y(b)})`, display: "inline" } : { display: "none" });
    });
    put(truth, { transform: `translate(${x(0)},${y(0)})` });
    const here = pull(pred, tough, tolerant, settings);
    const far = running.map(([name]) => {
      const way = (runs[name] ?? []).slice(0, steps + 1).map((place) => Math.hypot(...place));
      const there = way.findIndex((distance) => distance < NEAR);
      return `${name} ${there < 0 ? number(way.at(-1) ?? 0, 3) : `there at step ${there}`}`;
    });
    stage.say(
      `pull at the student: x ${number(here[0], 2, true)}, y ${number(here[1], 2, true)}.` +
      (mirrored ? " With mirrored teachers the arrows differ by at most " +
        `${number(changeByMirror(tough, tolerant, settings), 3)}.` : "") +
      (steps ? ` After ${steps} steps, distance from the truth: ${far.join(", ")}.` : ""));
    return top + side + 28;
  });
  return () => stage.destroy();
}

export default { render };
