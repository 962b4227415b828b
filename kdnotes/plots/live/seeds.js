// What a gain looks like to whoever has a few seeds and a few people: draw them again and again.
import { Axes, COLOURS, Clipped, Stage, number, put, scale, svg } from "./stage.js";

// Random numbers that a test can repeat (mulberry32).
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function normal(uniform) {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

const mean = (v) => v.reduce((a, b) => a + b, 0) / v.length;
const variance = (v) => {
  const m = mean(v);
  return v.reduce((sum, x) => sum + (x - m) ** 2, 0) / (v.length - 1);
};

// An interval from the means of seeds and of people, each with its own quantile of Student's t
// (`kdnotes.metrics.mean_interval`).
export function interval(seeds, people, quantiles) {
  const part = (v) => quantiles[v.length - 1] ** 2 * variance(v) / v.length;
  const half = Math.sqrt(part(seeds) + part(people)), middle = mean(seeds) + mean(people);
  return [middle, middle - half, middle + half];
}

// The naive one: the range of the seeds, which is the most that a bootstrap of seeds can say.
export const range = (seeds, people) => {
  const middle = mean(people);
  return [mean(seeds) + middle, Math.min(...seeds) + middle, Math.max(...seeds) + middle];
};

// One repetition of the whole experiment: the seeds' and the people's parts of the gain.
export function experiment(uniform, { truth, seed_sd, person_sd, n_seeds, n_people }) {
  const seeds = Array.from({ length: n_seeds }, () => truth + seed_sd * normal(uniform));
  const people = Array.from({ length: n_people }, () => person_sd * normal(uniform));
  return [seeds, people];
}

const SHOWN = 40;

export function repetitions(model) {
  const uniform = random(model.get("draw"));
  const given = Object.fromEntries(["truth", "seed_sd", "person_sd", "n_seeds", "n_people"].map((k) => [k, model.get(k)]));
  return Array.from({ length: model.get("drawn") }, () => {
    const [seeds, people] = experiment(uniform, given);
    const middle = mean(people), gains = seeds.map((seed) => seed + middle);
    return { gains, ends: model.get("method") === "Student's t" ? interval(seeds, people, model.get("quantiles")) : range(seeds, people) };
  });
}

function render({ model, el }) {
  const stage = new Stage({ model, el }, "Intervals of a gain, experiment by experiment");
  const axes = new Axes(stage.svg, { label: "experiments, one below the other; gain in %" });
  const clip = new Clipped(stage.svg);
  const truth = svg("path", { class: "axis", "stroke-dasharray": "6 3" }, clip.group);
  const zero = svg("path", { class: "axis", "stroke-width": 2 }, clip.group);
  const holding = svg("path", { stroke: COLOURS.tough, "stroke-width": 2 }, clip.group);
  const missing = svg("path", { stroke: COLOURS.plain, "stroke-width": 3, "stroke-dasharray": "5 2" }, clip.group);
  const dots = svg("path", { fill: COLOURS.student }, clip.group);
  stage.legend("interval that holds the true gain", { colour: COLOURS.tough, dash: "" });
  stage.legend("interval that misses it", { colour: COLOURS.plain, dash: "5 2", width: 3 });
  stage.legend("gain of one seed", { colour: COLOURS.student, shape: "circle" });
  stage.choice({ label: "interval", name: "method", options: ["range of the seeds", "Student's t"] });
  const again = { drawn: 1 };
  stage.slider({ label: "seeds", name: "n_seeds", min: 2, max: 12, step: 1, text: (v) => number(v, 0),
    changed: (v) => stage.set({ n_seeds: v, ...again }) });
  stage.slider({ label: "people", name: "n_people", min: 5, max: 120, step: 1, text: (v) => number(v, 0),
    changed: (v) => stage.set({ n_people: v, ...again }) });
  stage.slider({ label: "true gain, %", name: "truth", min: 0, max: 15, step: 0.5, text: (v) => number(v, 1),
    changed: (v) => stage.set({ truth: v, ...again }) });
  stage.button("One more experiment", () => stage.set({ drawn: model.get("drawn") + 1 }));
  stage.button("A thousand", () => stage.set({ drawn: model.get("drawn") + 1000 }));
  stage.button("Begin anew", () => stage.set({ drawn: 1, draw: model.get("draw") + 1 }));

  stage.drawnBy((width) => {
    const all = repetitions(model), goal = model.get("truth");
    const x = scale([-20, 30], [24, width - 12]), bottom = 330, y = scale([SHOWN, 0], [bottom, 26]);
    axes.draw(x, scale([0, 1], [bottom, 26]));
    axes.texts.querySelectorAll("[text-anchor=end]").forEach((text) => text.remove());
    put(axes.grid, { d: "" });
    clip.to(x, y);
    put(truth, { d: `M${x(goal)},26V${bottom}` });
    put(zero, { d: `M${x(0)},26V${bottom}` });
    let holds = "", misses = "", spots = "";
    all.slice(-SHOWN).forEach(({ ends: [, low, high], gains }, row) => {
      const at = y(row + 0.5), d = `M${x(low).toFixed(1)},${at}H${x(high).toFixed(1)}`;
      if (low <= goal && goal <= high) holds += d;
      else misses += d;
      for (const gain of gains) spots += `M${(x(gain) - 2).toFixed(1)},${at}a2,2 0 1,0 4,0a2,2 0 1,0 -4,0`;
    });
    put(holding, { d: holds });
    put(missing, { d: misses });
    put(dots, { d: spots });
    const held = all.filter(({ ends: [, low, high] }) => low <= goal && goal <= high).length;
    const better = all.filter(({ ends: [, low] }) => low > 0).length;
    const share = (n) => `${n} of ${all.length}, ${number((100 * n) / all.length, 1)} %`;
    stage.say(`${model.get("n_seeds")} seeds, ${model.get("n_people")} people. The interval holds the true gain of ` +
      `${number(goal, 1)} % in ${share(held)}. It claims “better” in ${share(better)}.`);
    return bottom + 28;
  });
  return () => stage.destroy();
}

export default { render };
