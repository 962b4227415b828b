// How far networks are from the film's true points.

// The mean distance of points from where they should be, in distances of the outer eye corners.
export function errorOf(points, truth, [left, right]) {
  const apart = Math.hypot(truth[left][0] - truth[right][0], truth[left][1] - truth[right][1]);
  const far = points.map(([x, y], i) => Math.hypot(x - truth[i][0], y - truth[i][1]));
  return far.reduce((sum, d) => sum + d, 0) / far.length / apart;
}

export class Scores {
  constructor(eyes) {
    Object.assign(this, {eyes, errors: {}, precision: null});
  }

  // Keeps what each network answered in a frame of the film, in place of what it answered before.
  add(index, truth, answers, precision) {
    if (precision !== this.precision) delete this.errors.student; // another student
    this.precision = precision;
    for (const [name, points] of Object.entries(answers)) {
      (this.errors[name] ??= new Map()).set(index, errorOf(points, truth, this.eyes));
    }
  }

  // The mean error of each of these networks, over the frames that all of them have answered.
  means(names) {
    const kept = names.map(name => this.errors[name] ?? new Map());
    const frames = [...kept[0]?.keys() ?? []].filter(i => kept.every(errors => errors.has(i)));
    const mean = errors => frames.reduce((sum, i) => sum + errors.get(i), 0) / frames.length;
    return {frames: frames.length, errors: frames.length ? kept.map(mean) : []};
  }
}
