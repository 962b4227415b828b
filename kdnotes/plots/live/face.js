// A face learns: scrub from the mean shape to the truth, or through the epochs of a stored run. Each
// coordinate shows its region of the assistive loss, each landmark the pull of the whole loss.
import { COLOURS, Clipped, Stage, mark, number, put, scale, svg } from "./stage.js";
import { LOW, NEGATIVE, NONE, POSITIVE, kdLoss } from "./kd.js";

// Region, name, colour, and half the length of the bar that stands for a coordinate in it: what is
// pulled is long, what is let go is short.
const REGIONS = [
  [POSITIVE, "pulled in", "#B2182B", 5.5], [NEGATIVE, "pushed on", "#009E73", 3.8],
  [LOW, "let go", "#56B4E9", 2.2], [NONE, "left alone, the teacher is perfect", "#999999", 1.4],
];
const LENGTH = Object.fromEntries(REGIONS.map(([region, , , length]) => [region, length]));
const TEACHERS = { tough: ["Tough teacher", "square"], tolerant: ["Tolerant teacher", "triangle"] };
const TRUTH_WAY = "mean shape to truth";

// The prediction that is shown: flat, x and y in turn, in crop widths.
export function prediction(model) {
  const at = model.get("position"), ways = model.get("ways");
  if (model.get("way") === TRUTH_WAY) {
    return model.get("mean").map((m, j) => m + at * (model.get("hard")[j] - m));
  }
  const epochs = ways[model.get("way")], place = at * (epochs.length - 1);
  const i = Math.min(epochs.length - 2, Math.floor(place)), share = place - i;
  return epochs[i].map((p, j) => p + share * (epochs[i + 1][j] - p));
}

// Regions of all coordinates by the chosen teacher, and the pull of the whole loss.
export function state(model) {
  const pred = prediction(model), [hard, tough, tolerant] = ["hard", "tough", "tolerant"].map((k) => model.get(k));
  const settings = model.get("settings")[model.get("setting")];
  const all = pred.map((p, j) => kdLoss(p, hard[j], tough[j], tolerant[j], settings));
  return { pred, regions: all.map((one) => one.regions[model.get("teacher")]), pull: all.map((one) => -one.slopes.total) };
}

function render({ model, el }) {
  const stage = new Stage({ model, el }, "A face learns");
  const ways = [TRUTH_WAY, ...Object.keys(model.get("ways"))];
  // The face, and parts of it enlarged; a panel shows some of the landmarks.
  const everything = model.get("hard").flatMap((_, j) => (j % 2 ? [] : [j / 2]));
  const panels = [everything, ...model.get("insets")].map((members) => {
    const clip = new Clipped(stage.svg), group = clip.group;
    const picture = svg("image", { opacity: 0.45, preserveAspectRatio: "none" }, group);
    const paths = Object.fromEntries(["hard", "tough", "tolerant"].map((name) => [name, svg("path", {
      fill: "none", stroke: COLOURS[name], "stroke-width": name === "hard" ? 1.2 : 1.6,
    }, group)]));
    const arrows = svg("path", { class: "curve", stroke: "currentColor", "stroke-width": 1 }, group);
    const shadow = svg("path", { class: "axis", "stroke-opacity": 0.6, "stroke-width": 3.4 }, group);
    const bars = Object.fromEntries(REGIONS.map(([region, , colour]) => [region, svg("path", {
      stroke: colour, "stroke-width": 2.2, fill: "none",
    }, group)]));
    const frame = svg("rect", { class: "axis" }, stage.svg);
    return { members, clip, picture, paths, arrows, shadow, bars, frame };
  });
  const shares = REGIONS.map(([, , colour]) => svg("rect", { fill: colour, stroke: "currentColor", "stroke-width": 0.7 }, stage.svg));
  const shareTexts = shares.map(() => svg("text", { "text-anchor": "middle" }, stage.svg));
  for (const [, name, colour, length] of REGIONS) {
    stage.legend(`coordinate ${name}`, { colour, dash: "", width: 3, length: 4 * length });
  }
  stage.legend("truth", { colour: COLOURS.hard, shape: "circle" });
  for (const [name, [label, shape]] of Object.entries(TEACHERS)) stage.legend(label, { colour: COLOURS[name], shape });
  stage.choice({ label: "way", name: "way", options: ways });
  const slider = stage.slider({ label: "", name: "position", min: 0, max: 1, step: 0.01, text: (v) => {
    if (model.get("way") === TRUTH_WAY) return `${number(100 * v, 0)} % of the way`;
    return `epoch ${number(v * (model.get("ways")[model.get("way")].length - 1), 1)}`;
  } });
  slider.style.width = "14em";
  put(slider, { "aria-label": "way from the beginning to the end" });
  stage.player("Play", () => {
    if (model.get("position") >= 1) stage.set({ position: 0 });
    return () => {
      const position = Math.min(1, model.get("position") + 1 / 240);
      stage.set({ position });
      return position < 1;
    };
  });
  stage.choice({ label: "regions of the teacher", name: "teacher", options: ["tough", "tolerant"] });
  stage.choice({ label: "setting", name: "setting", options: Object.keys(model.get("settings")) });

  const dots = (points, x, y, r, members, shape = "circle") =>
    members.map((i) => mark(shape, r, x(points[2 * i]), y(points[2 * i + 1]))).join("");

  stage.drawnBy((width) => {
    const { pred, regions, pull } = state(model), narrow = width < 560 || panels.length < 3;
    const side = narrow ? Math.min(430, width) : Math.min(430, width - 250), inset = narrow ? (width - 12) / 2 : Math.min(width - side - 14, (side - 12) / 2);
    const places = narrow ? [[0, 0, side], [0, side + 12, inset], [inset + 12, side + 12, inset]]
      : [[0, 0, side], [side + 14, 0, inset], [side + 14, side - inset, inset]];
    const hard = model.get("hard");
    panels.forEach(({ members, clip, picture, paths, arrows, shadow, bars, frame }, k) => {
      const [left, top, size] = places[k];
      let cx = 0, cy = 0, reach = 1;
      if (k) {
        const xs = members.map((i) => hard[2 * i]), ys = members.map((i) => hard[2 * i + 1]);
        cx = (Math.min(...xs) + Math.max(...xs)) / 2;
        cy = (Math.min(...ys) + Math.max(...ys)) / 2;
        reach = 1.7 * Math.max(0.05, Math.max(...xs) - Math.min(...xs), Math.max(...ys) - Math.min(...ys));
      }
      const x = scale([cx - reach / 2, cx + reach / 2], [left, left + size]);
      const y = scale([cy + reach / 2, cy - reach / 2], [top + size, top]);
      clip.to(x, y);
      put(frame, { x: left, y: top, width: size, height: size });
      put(picture, { href: model.get("image"), x: x(-0.5), y: y(-0.5), width: size / reach, height: size / reach });
      const r = k ? 3 : 1.6;
      put(paths.hard, { d: dots(hard, x, y, r, members), fill: COLOURS.hard });
      for (const [name, [, shape]] of Object.entries(TEACHERS)) {
        const on = name === model.get("teacher");
        put(paths[name], { d: on ? dots(model.get(name), x, y, r, members, shape) : "" });
      }
      const strokes = Object.fromEntries(REGIONS.map(([region]) => [region, ""]));
      let d = "";
      const grow = k ? 1.6 : 1, long = k ? 6 : 3;
      for (const i of members) {
        const px = x(pred[2 * i]), py = y(pred[2 * i + 1]);
        const across = LENGTH[regions[2 * i]] * grow, down = LENGTH[regions[2 * i + 1]] * grow;
        strokes[regions[2 * i]] += `M${(px - across).toFixed(1)},${py.toFixed(1)}h${2 * across}`;
        strokes[regions[2 * i + 1]] += `M${px.toFixed(1)},${(py - down).toFixed(1)}v${2 * down}`;
        d += `M${px.toFixed(1)},${py.toFixed(1)}l${(long * pull[2 * i]).toFixed(1)},${(long * pull[2 * i + 1]).toFixed(1)}`;
      }
      put(arrows, { d, "stroke-opacity": 0.55 });
      put(shadow, { d: Object.values(strokes).join("") });
      for (const [region, path] of Object.entries(bars)) put(path, { d: strokes[region] });
    });
    const top = narrow && panels.length > 1 ? side + inset + 24 : side + 12;
    const count = REGIONS.map(([region]) => regions.filter((one) => one === region).length / regions.length);
    let left = 0;
    count.forEach((share, i) => {
      put(shares[i], { x: left, y: top, width: share * width, height: 16 });
      put(shareTexts[i], { x: left + (share * width) / 2, y: top + 31 });
      const name = share * width > 120 ? `${REGIONS[i][1]} ` : "";
      shareTexts[i].textContent = share > 0.06 ? `${name}${number(100 * share, 0)} %` : "";
      left += share * width;
    });
    const far = pred.reduce((sum, p, j) => (j % 2 ? sum : sum + Math.hypot(p - hard[j], pred[j + 1] - hard[j + 1])), 0) / (pred.length / 2);
    const words = REGIONS.map(([, name], i) => (count[i] ? `${name} ${number(100 * count[i], 0)} %` : "")).filter(Boolean);
    stage.say(`The points lie ${number(100 * far, 2)} % of the crop width from the truth. ` +
      `Coordinates, by the ${model.get("teacher") === "tough" ? "Tough" : "Tolerant"} teacher: ${words.join(", ")}.`);
    return top + 38;
  });
  return () => stage.destroy();
}

export default { render };
