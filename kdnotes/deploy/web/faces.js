// Faces: found by a detector, told from other things by their shape, followed from frame to frame.

import {boxOf, cut, squareAround, wholeOf} from "./geometry.js";
import {fetched, ort} from "./networks.js";

// How far a face's points move when the shape model draws them again, in eye distances: a small
// number for a face in the middle of its crop, a large one for what is none.
export function strangeness(points, crop, model, eyes) {
  if (!model) return 0; // nothing is known of their shape
  const x = points.flatMap(p => [(p[0] - crop.cx) / crop.side, (p[1] - crop.cy) / crop.side]);
  const soft = Float64Array.from(model.mean);
  model.components.forEach((component, i) => {
    let b = 0;
    for (let j = 0; j < x.length; j++) b += (x[j] - model.mean[j]) * component[j];
    const limit = model.n_std * Math.sqrt(model.variances[i]);
    b = Math.min(Math.max(b, -limit), limit);
    for (let j = 0; j < x.length; j++) soft[j] += b * component[j];
  });
  let far = 0;
  for (let j = 0; j < x.length; j += 2) far += Math.hypot(x[j] - soft[j], x[j + 1] - soft[j + 1]);
  const [left, right] = eyes;
  const apart = Math.hypot(x[2 * left] - x[2 * right], x[2 * left + 1] - x[2 * right + 1]);
  return far / (x.length / 2) / apart;
}

const sigmoid = x => 1 / (1 + Math.exp(-x));

export function overlap(a, b) {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const shared = Math.max(width, 0) * Math.max(height, 0);
  return shared / (a.width * a.height + b.width * b.height - shared);
}

export class Detector {
  static async load(about) {
    const session = await ort.InferenceSession.create(await fetched(about), {executionProviders: ["wasm"]});
    return Object.assign(new Detector(), {about, session});
  }

  // About where landmarks' boxes lie in a square of the frame, the surest first, seen with
  // `size` × `size` pixels; it finds faces of a sixth to two thirds of the square best.
  async find(frame, square, size) {
    const pixels = new ort.Tensor("uint8", cut(frame, square, size), [1, size, size, 3]);
    const {cells} = await this.session.run({pixels});
    const side = cells.dims[1], {anchors, larger, middle, least} = this.about, found = [];
    const left = square.cx - square.side / 2, top = square.cy - square.side / 2;
    for (let cell = 0; cell < side * side; cell++) {
      for (let k = 0; k < anchors.length; k++) {
        const [x, y, w, h, s] = cells.data.subarray(5 * (cell * anchors.length + k));
        const score = sigmoid(s);
        if (score < least) continue;
        const width = Math.exp(w) * anchors[k][0] / side * square.side / larger;
        const height = Math.exp(h) * anchors[k][1] / side * square.side / larger;
        const cx = left + (cell % side + sigmoid(x)) / side * square.side - middle[0] * width;
        const cy = top + (Math.floor(cell / side) + sigmoid(y)) / side * square.side - middle[1] * height;
        found.push({x: cx - width / 2, y: cy - height / 2, width, height, score});
      }
    }
    found.sort((a, b) => b.score - a.score);
    return found.filter((box, i) => !found.slice(0, i).some(other => overlap(box, other) > 0.3));
  }
}

// How far a crop is from where it should be, in its own widths.
const strayed = (crop, right) => Math.max(
  Math.hypot(crop.cx - right.cx, crop.cy - right.cy), Math.abs(crop.side - right.side)) / crop.side;

// At a detector's box, and again at the box of what was found there.
export async function lookTwice(frame, box, student) {
  const {margin} = student.about;
  const first = await student.look(frame, squareAround(box, margin));
  const crop = squareAround(boxOf(first), margin);
  return {crop, points: await student.look(frame, crop)};
}

// Where the face was in the last frame, the network looks in this one. Two things end a track: an
// answer that is no face's shape, and a detector that sees no face there, asked now and then.
export class Track {
  constructor() {
    this.points = null;
    this.attempt = this.checked = this.misses = this.others = 0;
  }

  async step(frame, student, detector, rules) {
    if (this.points) {
      await this.follow(frame, student, detector, rules);
    } else {
      await this.find(frame, student, detector, rules);
    }
    return this.points;
  }

  async find(frame, student, detector, rules) {
    const size = rules.sizes[this.attempt++ % rules.sizes.length];
    const boxes = await detector.find(frame, wholeOf(frame), size);
    this.others = Math.max(boxes.length - 1, 0);
    boxes.sort((a, b) => b.width * b.height - a.width * a.height);
    for (const box of boxes) {
      const {points, crop} = await lookTwice(frame, box, student);
      this.crop = crop;
      if (!this.isShape(points, rules)) continue;
      // A new track is on trial: the first look of the detector at it may not miss.
      Object.assign(this, {points, misses: rules.misses - 1});
      return;
    }
  }

  async follow(frame, student, detector, rules) {
    const {margin} = student.about;
    this.crop = squareAround(boxOf(this.points), margin);
    this.points = await student.look(frame, this.crop);
    const next = squareAround(boxOf(this.points), margin), step = strayed(this.crop, next);
    if (step > rules.moved) { // look again where it is now
      this.crop = next;
      this.points = await student.look(frame, next);
    }
    const fast = step > 2 * rules.moved; // or no face any more: do not wait to find out
    const now = performance.now();
    if (fast || this.misses > 0 || now - this.checked > rules.checked) {
      this.checked = now;
      const square = {...this.crop, side: this.crop.side * rules.around};
      const seen = await detector.find(frame, square, rules.sizes.at(-1));
      const mine = boxOf(this.points);
      const there = seen.some(box => overlap(box, mine) > 0.3);
      this.misses = there ? 0 : this.misses + (fast ? rules.misses : 1);
    }
    if (this.misses >= rules.misses || !this.isShape(this.points, rules)) this.points = null;
  }

  says(points) {
    if (!points) return "No face in sight: looking for one …";
    return this.others ? "Several faces: following one." : "Following a face.";
  }

  isShape(points, rules) {
    const inside = points.every(p => Number.isFinite(p[0]) && Number.isFinite(p[1]));
    return inside && strangeness(points, this.crop, rules.shapes, rules.eyes) < rules.strange;
  }
}
