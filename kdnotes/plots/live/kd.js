// KD-Loss of one coordinate, as `kdnotes.losses` has it: u = |p - g|, t = |T - g|.
//
// Settings are the fields of `losses.KDSettings`, written by Python.

export const NONE = 0, LOW = 1, NEGATIVE = 2, POSITIVE = 3;

export function region(u, t, how) {
  const better = u < how.beta * t ? LOW : NEGATIVE;
  if (how.low_influence === "ramp") return u >= t ? POSITIVE : better;
  if (!(t > 0)) return NONE;
  return u > t ? POSITIVE : better;
}

export function weight(u, t, how) {
  switch (region(u, t, how)) {
    case POSITIVE: return how.alpha_positive;
    case NEGATIVE: return how.alpha_negative;
    case LOW: return how.low_influence === "ramp" ? how.alpha_negative * (u / (how.beta * t)) : 0;
    default: return 0;
  }
}

export const assist = (u, t, how) => weight(u, t, how) * Math.abs(t - u);

// d assist / du
export function assistSlope(u, t, how) {
  const beside = Math.sign(u - t);
  switch (region(u, t, how)) {
    case POSITIVE: return how.alpha_positive * beside;
    case NEGATIVE: return how.alpha_negative * beside;
    case LOW:
      if (how.low_influence !== "ramp") return 0;
      return how.alpha_negative * (t - 2 * u) / (how.beta * t);
    default: return 0;
  }
}

export const main = (u, tau, slope) => (u <= tau ? slope * u : u * u + (slope - tau) * tau);
export const mainSlope = (u, tau, slope) => (u <= tau ? slope : 2 * u);

// The terms of the loss at `pred`, weights included, and their slopes along the axis.
export function kdLoss(pred, target, tough, tolerant, settings) {
  const u = Math.abs(pred - target), side = Math.sign(pred - target);
  const tau = settings.tau ?? Math.abs(target - tolerant);
  const terms = { main: settings.main_weight * main(u, tau, settings.slope) };
  const slopes = { main: settings.main_weight * side * mainSlope(u, tau, settings.slope) };
  const regions = {}, weights = {};
  for (const [name, teacher] of [["tough", tough], ["tolerant", tolerant]]) {
    const t = Math.abs(teacher - target), how = settings[name];
    terms[name] = settings[`${name}_weight`] * assist(u, t, how);
    slopes[name] = settings[`${name}_weight`] * side * assistSlope(u, t, how);
    regions[name] = region(u, t, how);
    weights[name] = weight(u, t, how);
  }
  terms.total = terms.main + terms.tough + terms.tolerant;
  slopes.total = slopes.main + slopes.tough + slopes.tolerant;
  return { terms, slopes, regions, weights };
}

// The slopes of the losses of a race in one coordinate; `settings` holds PAPER and perhaps RELEASED.
export const slopesOfRace = (settings) => ({
  L2: (p, g) => 2 * (p - g),
  L1: (p, g) => Math.sign(p - g),
  ...Object.fromEntries(Object.entries(settings).map(([name, constants]) => [
    `KD-Loss, ${name}`, (p, g, a, b) => kdLoss(p, g, a, b, constants).slopes.total])),
  "L1 to the Tough teacher": (p, g, a) => Math.sign(p - a),
});

// Plain gradient descent in the plane: places [x, y], the start first.
export function descent(slope, start, truth, tough, tolerant, rate, steps) {
  const places = [start];
  for (let n = 0; n < steps; n++) {
    const last = places[n];
    places.push(last.map((p, k) => p - rate * slope(p, truth[k], tough[k], tolerant[k])));
  }
  return places;
}
