// Points that do not tremble.

// The one-euro filter (Casiez, Roussel, Vogel, CHI 2012): a low-pass filter that lets through more
// the faster a point moves. Lengths are measured in a length of the thing itself, such as the distance
// of two eyes, so that what is near is treated like what is far.
export class OneEuro {
  constructor(calm = 1.5, lively = 6, slope = 1) {
    Object.assign(this, {calm, lively, slope, last: null});
  }

  static share(cutoff, seconds) {
    return 1 / (1 + 1 / (2 * Math.PI * cutoff * seconds));
  }

  filter(points, seconds, unit) {
    if (!this.last || !(seconds > 0) || seconds > 0.5) {
      this.last = {points, speeds: points.map(() => [0, 0])};
      return points;
    }
    const {points: before, speeds} = this.last, share = OneEuro.share(this.slope, seconds);
    const kept = points.map((p, i) => p.map((value, axis) => {
      const speed = (value - before[i][axis]) / unit / seconds;
      speeds[i][axis] += share * (speed - speeds[i][axis]);
      const cutoff = this.calm + this.lively * Math.abs(speeds[i][axis]);
      return before[i][axis] + OneEuro.share(cutoff, seconds) * (value - before[i][axis]);
    }));
    this.last = {points: kept, speeds};
    return kept;
  }
}
