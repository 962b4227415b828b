// KD-Loss along one coordinate: truth, student and both teachers can be dragged. Below each other:
// the teachers' weights, the loss with its terms, and its slope.
import { Axes, COLOURS, Clipped, Stage, clamp, line, mark, number, put, scale, svg } from "./stage.js";
import { kdLoss } from "./kd.js";

const LEFT = -1, RIGHT = 1, POINTS = 241, RATE = 0.01;
const WORDS = ["a perfect teacher, no assistance", "nearly there, let go",
  "ahead of the teacher, pushed on", "behind the teacher, pulled in"];
const NAMED = {
  target: ["truth", "diamond", COLOURS.hard], pred: ["student", "circle", COLOURS.student],
  tough: ["Tough teacher", "square", COLOURS.tough],
  tolerant: ["Tolerant teacher", "triangle", COLOURS.tolerant],
};
const CURVES = {
  total: ["", 2.4], main: ["6 3", 1.4], tough: ["2 3", 1.6], tolerant: ["8 3 2 3", 1.6],
};

// The settings with their constants multiplied, as the sliders say.
export function scaled(model) {
  const chosen = model.get("settings")[model.get("setting")];
  const how = (name) => Object.fromEntries(Object.entries(chosen[name]).map(
    ([key, value]) => [key, typeof value === "number" ? value * model.get(key) : value]));
  return { ...chosen, tough: how("tough"), tolerant: how("tolerant"),
    main_weight: chosen.main_weight * model.get("main_weight") };
}

export function lossHere(model) {
  const [pred, target, tough, tolerant] =
    ["pred", "target", "tough", "tolerant"].map((name) => model.get(name));
  return kdLoss(pred, target, tough, tolerant, scaled(model));
}

export function words({ terms, slopes, regions }) {
  const parts = ["main", "tough", "tolerant"].map((name) => `${name} ${number(terms[name], 3, true)}`);
  return `loss ${number(terms.total, 3, true)} = ${parts.join(" ")}; slope ` +
    `${number(slopes.total, 2, true)}. Tough: ${WORDS[regions.tough]}. ` +
    `Tolerant: ${WORDS[regions.tolerant]}.`;
}

// Where the curves are computed: evenly, and on both sides of every border, where they jump.
function places(target, tough, tolerant, settings) {
  const xs = Array.from({ length: POINTS }, (_, i) => LEFT + ((RIGHT - LEFT) * i) / (POINTS - 1));
  const borders = [0];
  for (const [teacher, how] of [[tough, settings.tough], [tolerant, settings.tolerant]]) {
    const t = Math.abs(teacher - target);
    borders.push(t, how.beta * t);
  }
  for (const u of borders) for (const d of [-1e-7, 1e-7]) xs.push(target + u + d, target - u + d);
  return xs.filter((p) => p >= LEFT && p <= RIGHT).sort((a, b) => a - b);
}

function render({ model, el }) {
  const stage = new Stage({ model, el }, "KD-Loss along one coordinate");
  const panels = ["weight of each teacher", "loss", "slope of the loss"].map((label, i) => {
    const axes = new Axes(stage.svg, { label });
    const names = i === 0 ? ["tough", "tolerant"] : Object.keys(CURVES);
    const clip = new Clipped(stage.svg), group = clip.group;
    const curves = Object.fromEntries(names.map((name) => [name, svg("path", {
      class: "curve", stroke: COLOURS[name], "stroke-dasharray": CURVES[name][0],
      "stroke-width": CURVES[name][1],
    }, group)]));
    const dot = svg("circle", { r: 4.5, fill: COLOURS.student, stroke: "Canvas" }, group);
    return { axes, clip, curves, dot };
  });
  const rail = svg("path", { class: "axis", "stroke-width": 2 }, stage.svg);
  const stems = svg("path", { class: "axis", "stroke-dasharray": "2 3" }, stage.svg);
  const trail = svg("path", { class: "curve ghost", stroke: COLOURS.student, "stroke-width": 3 }, stage.svg);
  const mirrors = ["tough", "tolerant"].map((name) => svg("path", {
    d: mark(NAMED[name][1], 5), fill: "none", stroke: NAMED[name][2], "stroke-width": 1.5,
  }, stage.svg));
  const step = svg("path", { class: "curve", stroke: COLOURS.student, "stroke-width": 2.5 }, stage.svg);
  let x = scale([LEFT, RIGHT], [0, 1]), began = null;
  const set = (name, value) => stage.set({ [name]: Math.round(clamp(value, LEFT, RIGHT) * 1000) / 1000 });
  const railY = 22;
  for (const [name, [label, shape, colour]] of Object.entries(NAMED)) {
    stage.handle({
      label, shape, colour,
      place: () => [x(model.get(name)), railY],
      moved: (pixel) => { began = null; set(name, x.back(pixel)); },
      nudged: (d) => { began = null; set(name, model.get(name) + 0.01 * d); },
      now: () => model.get(name), min: () => LEFT, max: () => RIGHT,
      text: () => `${label} at ${number(model.get(name))}`,
    });
    stage.legend(label, { colour, shape });
  }
  for (const [name, [dash, width]] of Object.entries(CURVES)) {
    stage.legend(name === "total" ? "whole loss" : name === "main" ? "main term" : `${NAMED[name][0]}'s term`,
      { colour: COLOURS[name], dash, width });
  }

  const take = () => {
    const { slopes } = lossHere(model);
    const pred = clamp(model.get("pred") - RATE * slopes.total, LEFT, RIGHT);
    const moved = Math.abs(pred - model.get("pred"));
    stage.set({ pred });
    return moved > 1e-4;
  };
  // Until it rests, or goes back and forth at the truth.
  const descend = () => {
    began = model.get("pred");
    let left = 300, last = Infinity, before = Infinity;
    return () => {
      const going = take(), now = model.get("pred"), turns = Math.abs(now - before) < 2e-3 && now !== last;
      [before, last, left] = [last, now, left - 1];
      return going && !(turns && Math.abs(now - model.get("target")) < 0.05) && left > 0;
    };
  };
  stage.choice({ label: "setting", name: "setting", options: Object.keys(model.get("settings")) });
  stage.button("One step", () => { began ??= model.get("pred"); take(); });
  stage.player("Gradient descent", descend);
  for (const [name, label, max] of [["alpha_positive", "α⁺ ×", 2], ["alpha_negative", "α⁻ ×", 2],
    ["beta", "β ×", 2.4], ["main_weight", "main weight ×", 2]]) {
    stage.slider({ label, name, min: name === "beta" ? 0.1 : 0, max, step: 0.05 });
  }

  stage.drawnBy((width) => {
    const left = 44, right = width - 12, heights = [70, 150, 110], settings = scaled(model);
    x = scale([LEFT, RIGHT], [left, right]);
    const [target, tough, tolerant, pred] =
      ["target", "tough", "tolerant", "pred"].map((name) => model.get(name));
    const xs = places(target, tough, tolerant, settings);
    const all = xs.map((p) => kdLoss(p, target, tough, tolerant, settings));
    const here = kdLoss(pred, target, tough, tolerant, settings);
    put(rail, { d: `M${left},${railY}H${right}` });
    put(mirrors[0], { transform: `translate(${x(2 * target - tough)},${railY})` });
    put(mirrors[1], { transform: `translate(${x(2 * target - tolerant)},${railY})` });
    let top = 62;
    const bottoms = [];
    const steep = "RELEASED" in model.get("settings"), [loss, slope] = steep ? [4, 9] : [2, 6];
    [["weights", [-1, 2]], ["terms", [-0.5, loss]], ["slopes", [-slope, slope]]].forEach(([key, domain], i) => {
      const { axes, clip, curves, dot } = panels[i], bottom = top + heights[i];
      const y = scale(domain, [bottom, top]);
      clip.to(x, y);
      axes.draw(x, y, { labelX: i === 2 });
      for (const [name, curve] of Object.entries(curves)) {
        put(curve, { d: line(xs.map((p, k) => [x(p), y(all[k][key][name])])) });
      }
      const value = i === 0 ? here.weights.tough : here[key].total;
      put(dot, { cx: x(pred), cy: y(value) });
      bottoms.push(bottom);
      top = bottom + (i === 2 ? 30 : 34);
    });
    put(stems, { d: [target, pred].map((p) => `M${x(p)},${railY + 8}V${bottoms[2]}`).join("") });
    const goal = clamp(pred - 0.08 * here.slopes.total, LEFT, RIGHT), tip = x(goal), from = x(pred);
    const far = Math.abs(tip - from) > 10, back = Math.sign(from - tip) * 6;
    put(step, { d: far ? `M${from},${railY}H${tip}m${back},-4l${-back},4l${back},4` : "" });
    put(trail, { d: began === null ? "" : `M${x(began)},${railY}H${from}` });
    stage.say(words(here));
    return top;
  });
  return () => stage.destroy();
}

export default { render };
