// Things that no detector knows: the network looks at the whole picture, or at a box drawn by hand.

import {boxOf, middleOf, squareAround} from "./geometry.js";

const CLICK = 8; // a shorter drag, in pixels of the screen, is a click

export class Place {
  constructor() {
    this.box = null;
  }

  cropIn(frame, {box, margin}) {
    if (this.box) return squareAround(this.box, margin);
    const {width, height} = frame, picture = {x: -0.5, y: -0.5, width, height};
    return box === "picture" ? squareAround(picture, margin) : middleOf(frame);
  }

  async step(frame, student) {
    this.crop = this.cropIn(frame, student.about);
    let points = await student.look(frame, this.crop);
    if (student.about.box !== "picture") { // again, where the thing turned out to be
      this.crop = squareAround(boxOf(points), student.about.margin);
      points = await student.look(frame, this.crop);
    }
    return points;
  }

  says() {
    return this.box ? "Looking at your box. Click on the picture to see it whole again."
      : "Looking at the whole picture. Drag across it to draw a box.";
  }

  draw(context) {
    if (!this.box) return;
    const {x, y, width, height} = this.box;
    for (const [colour, offset] of [["#000", 0], ["#fff", 6]]) {
      Object.assign(context, {strokeStyle: colour, lineWidth: 2, lineDashOffset: offset});
      context.setLineDash([6, 6]);
      context.strokeRect(x + 0.5, y + 0.5, width, height);
    }
    context.setLineDash([]);
  }

  // Lets a box be drawn on the canvas: `moved` while it grows, `done` when it is let go of.
  listen(canvas, mirrored, moved, done) {
    let from = null;
    const at = event => {
      const {left, top, width, height} = canvas.getBoundingClientRect();
      const x = (event.clientX - left) / width * canvas.width;
      const y = (event.clientY - top) / height * canvas.height;
      return [mirrored() ? canvas.width - x : x, y].map(value => value - 0.5);
    };
    canvas.style.touchAction = "none";
    canvas.onpointerdown = event => {
      canvas.setPointerCapture(event.pointerId);
      from = {point: at(event), x: event.clientX, y: event.clientY};
    };
    canvas.onpointermove = event => {
      if (!from) return;
      const far = Math.max(Math.abs(event.clientX - from.x), Math.abs(event.clientY - from.y));
      this.box = far < CLICK ? null : boxOf([from.point, at(event)]);
      moved();
    };
    canvas.onpointerup = event => {
      canvas.onpointermove(event);
      from = null;
      done();
    };
    canvas.onpointercancel = () => { from = null; };
  }
}
