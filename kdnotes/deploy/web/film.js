// The film: one large picture with all frames side by side, and where the face's points truly are.

import {bitmapOf, fetched} from "./networks.js";

export class Film {
  static async load(about) {
    const [picture, points] = await Promise.all([fetched(about.file), fetched(about.points)]);
    const film = Object.assign(new Film(), {about, last: -1, began: null, points: new DataView(points)});
    film.sheet = await bitmapOf(new Blob([picture]));
    film.canvas = new OffscreenCanvas(about.width, about.height);
    return film;
  }

  frame(i) {
    const {width, height, columns} = this.about;
    const context = this.canvas.getContext("2d");
    context.drawImage(this.sheet, -(i % columns) * width, -Math.floor(i / columns) * height);
    return {image: this.canvas, width, height, index: i};
  }

  // The frame that is on now; null if it was given before.
  async next() {
    await new Promise(requestAnimationFrame);
    this.began ??= performance.now();
    const {rate, frames} = this.about;
    const i = Math.floor((performance.now() - this.began) / 1000 * rate) % frames;
    if (i === this.last) return null;
    this.last = i;
    return this.frame(i);
  }

  // The true points of a frame; null where the face is not wholly in the picture.
  truth(i) {
    const {width, height, frames, point_step: step} = this.about, points = [];
    const n = this.points.byteLength / 4 / frames; // two numbers of two bytes a point
    for (let at = 4 * n * i; at < 4 * n * (i + 1); at += 4) {
      points.push([0, 2].map(axis => this.points.getInt16(at + axis, true) * step));
    }
    const inside = ([x, y]) => x > 0 && y > 0 && x < width - 1 && y < height - 1;
    return points.every(inside) ? points : null;
  }

  close() {
    this.sheet.close();
  }
}
