// The shape model of `kdnotes.asm`: shape = mean + b·P, each b held to ±n_std·√λ.
//
// A model is {mean: [2L], components: [k][2L], variances: [k], n_std}, as the package writes it.

export const limits = (model) => model.variances.map((v) => model.n_std * Math.sqrt(v));

export function shape(model, b) {
  return model.mean.map((m, j) => b.reduce((sum, value, i) => sum + value * model.components[i][j], m));
}

export function coefficients(model, points) {
  return model.components.map((row) => row.reduce((sum, p, j) => sum + p * (points[j] - model.mean[j]), 0));
}

export function clamped(model, b) {
  return limits(model).map((limit, i) => Math.min(limit, Math.max(-limit, b[i])));
}

export const soften = (model, points) => shape(model, clamped(model, coefficients(model, points)));

// The coefficients nearest to b, each in its own standard deviation, that bring point `index` to
// (x, y); held to the wall afterwards. A small ridge keeps far places from exploding.
export function dragged(model, b, index, x, y, ridge = 1e-6) {
  const rows = [2 * index, 2 * index + 1], now = shape(model, b);
  const wanted = [x - now[rows[0]], y - now[rows[1]]];
  const at = (i, r) => model.components[i][rows[r]];
  const sum = (r, s) => model.variances.reduce((total, v, i) => total + v * at(i, r) * at(i, s), 0);
  const a = sum(0, 0) + ridge, d = sum(1, 1) + ridge, c = sum(0, 1), det = a * d - c * c;
  const pull = [(d * wanted[0] - c * wanted[1]) / det, (a * wanted[1] - c * wanted[0]) / det];
  return clamped(model, b.map((value, i) => value + model.variances[i] * (at(i, 0) * pull[0] + at(i, 1) * pull[1])));
}
