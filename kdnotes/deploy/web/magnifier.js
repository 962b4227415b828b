// A magnifying glass over the picture. A mouse has it where it points; the button keeps it, for
// fingers and keys: it then stays at the same place of the face, and arrow keys or a touch move it.

const ZOOM = 3, STEP = 0.05; // as large as on the page; an arrow key's step, in sides of the face
const ARROWS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]};

export class Magnifier {
  // `paint(context, width)` draws landmarks with lines of that width; `boxNow()` is where the face is.
  constructor({stage, picture, glass, button}, {paint, boxNow, hovers}) {
    Object.assign(this, {stage, picture, glass, button, paint, boxNow});
    Object.assign(this, {kept: false, mouse: null, place: [0.5, 0.5]});
    stage.addEventListener("pointermove", event => {
      if (event.pointerType === "mouse" ? this.kept || hovers : this.kept) this.point(event);
    });
    stage.addEventListener("pointerdown", event => this.kept && this.point(event));
    stage.addEventListener("pointerleave", () => {
      this.mouse = null;
      this.draw();
    });
    button.onclick = () => this.keep(!this.kept);
    button.onkeydown = event => {
      if (!this.kept || !(event.key in ARROWS)) return;
      event.preventDefault(); // the page does not scroll
      const [x, y] = ARROWS[event.key], mirrored = this.mirrored() ? -1 : 1;
      this.place = [this.place[0] + STEP * x * mirrored, this.place[1] + STEP * y];
      this.draw();
    };
  }

  mirrored() {
    return this.stage.classList.contains("mirrored");
  }

  keep(kept) {
    Object.assign(this, {kept, place: [0.5, 0.5]});
    this.button.setAttribute("aria-pressed", kept);
    this.stage.classList.toggle("magnified", kept);
    this.draw();
  }

  // The glass goes to the pointer.
  point({clientX, clientY, pointerType}) {
    const {picture} = this, {left, top, width, height} = picture.getBoundingClientRect();
    const [shown, y] = [(clientX - left) / width, (clientY - top) / height];
    const x = this.mirrored() ? 1 - shown : shown, inside = Math.min(x, y) >= 0 && Math.max(x, y) <= 1;
    this.mouse = inside && pointerType === "mouse" ? [x, y] : null;
    if (inside && this.kept) {
      const box = this.boxNow();
      this.place = [(x * picture.width - box.x) / box.width, (y * picture.height - box.y) / box.height];
    }
    this.draw();
  }

  // Where it looks, in the picture; null: nowhere.
  looksAt() {
    const {width, height} = this.picture;
    if (!this.kept) return this.mouse && [this.mouse[0] * width, this.mouse[1] * height];
    const box = this.boxNow(), inside = (value, end) => Math.min(Math.max(value, 0), end);
    return [
      inside(box.x + this.place[0] * box.width, width),
      inside(box.y + this.place[1] * box.height, height),
    ];
  }

  // Draws what is under the glass again.
  draw() {
    const {glass, picture} = this, at = this.looksAt();
    glass.hidden = !at;
    if (!at) return;
    const shown = picture.getBoundingClientRect(), stage = this.stage.getBoundingClientRect();
    const scale = shown.width / picture.width, side = glass.clientWidth, dense = devicePixelRatio;
    const x = shown.left - stage.left + scale * (this.mirrored() ? picture.width - at[0] : at[0]);
    const y = shown.top - stage.top + scale * at[1];
    const near = (value, end) => Math.min(Math.max(value - side / 2, 0), end - side);
    Object.assign(glass.style, {left: `${near(x, stage.width)}px`, top: `${near(y, stage.height)}px`});
    glass.width = glass.height = side * dense;
    const context = glass.getContext("2d"), zoom = ZOOM * scale * dense;
    context.setTransform(zoom, 0, 0, zoom, glass.width / 2 - zoom * at[0], glass.height / 2 - zoom * at[1]);
    context.drawImage(picture, 0, 0);
    this.paint(context, 1.5 * dense / zoom);
  }
}
