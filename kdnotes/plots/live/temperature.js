// Soft classes: what a teacher says of a digit, at one temperature after another.
import { COLOURS, Stage, number, put, svg } from "./stage.js";

// softmax(z / T)
export function softened(logits, temperature) {
  const most = Math.max(...logits), e = logits.map((z) => Math.exp((z - most) / temperature));
  const sum = e.reduce((a, b) => a + b, 0);
  return e.map((v) => v / sum);
}

// The entropy of a distribution, in bits.
export const entropy = (p) => -p.reduce((sum, v) => sum + (v > 0 ? v * Math.log2(v) : 0), 0);

function render({ model, el }) {
  const stage = new Stage({ model, el }, "Soft classes of a digit by temperature");
  const pixels = svg("g", { "shape-rendering": "crispEdges" }, stage.svg);
  const frame = svg("path", { class: "axis" }, stage.svg);
  const bars = Array.from({ length: 10 }, () => svg("rect", { fill: COLOURS.tough }, stage.svg));
  const shares = bars.map(() => svg("text", { "text-anchor": "start" }, stage.svg));
  const names = bars.map((_, i) => {
    const text = svg("text", { "text-anchor": "end" }, stage.svg);
    text.textContent = i;
    return text;
  });
  const ring = svg("rect", { fill: "none", stroke: "currentColor", "stroke-width": 2, rx: 3 }, stage.svg);
  stage.choice({ label: "digit", name: "digit", options: Object.keys(model.get("digits")) });
  const slider = stage.slider({ label: "temperature T", name: "temperature", min: 0, max: 1, step: 0.005,
    value: () => Math.log(model.get("temperature") / 0.25) / Math.log(80),
    changed: (v) => stage.set({ temperature: Math.round(250 * 80 ** v) / 1000 }),
    text: () => `${number(model.get("temperature"))}` });
  slider.style.width = "16em";
  stage.legend("the teacher's soft class", { colour: COLOURS.tough, shape: "square" });
  stage.legend("framed: the label", { colour: "currentColor", shape: null, dash: "" });

  stage.drawnBy((width) => {
    const { image, logits, label } = model.get("digits")[model.get("digit")];
    const p = softened(logits, model.get("temperature")), side = Math.min(150, width * 0.3);
    const n = image.length, cell = side / n, left = side + 42, long = Math.max(60, width - left - 60), row = 20;
    pixels.textContent = "";
    image.forEach((line, i) => line.forEach((v, j) => svg("rect", {
      x: j * cell, y: 10 + i * cell, width: cell + 0.5, height: cell + 0.5,
      fill: `rgb(${Array(3).fill(Math.round(255 - 255 * v)).join(",")})`,
    }, pixels)));
    put(frame, { d: `M0,10h${side}v${side}h${-side}z` });
    p.forEach((value, i) => {
      const y = 10 + i * row;
      put(bars[i], { x: left, y: y + 2, width: Math.max(0.5, long * value), height: row - 5 });
      put(names[i], { x: left - 8, y: y + row / 2 + 4 });
      put(shares[i], { x: left + long * value + 5, y: y + row / 2 + 4 });
      shares[i].textContent = value >= 0.0005 ? `${number(100 * value, 1)} %` : "";
    });
    put(ring, { x: left - 20, y: 11 + label * row, width: 16, height: row - 3 });
    const order = p.map((v, i) => [v, i]).sort((a, b) => b[0] - a[0]);
    stage.say(`Label ${label}. T = ${number(model.get("temperature"))}: most likely ${order[0][1]} with ` +
      `${number(100 * order[0][0], 1)} %, then ${order[1][1]} with ${number(100 * order[1][0], 1)} %. ` +
      `Entropy ${number(entropy(p))} bits; evenly spread it would be ${number(Math.log2(10))}.`);
    return Math.max(side + 20, 10 + 10 * row + 6);
  });
  return () => stage.destroy();
}

export default { render };
