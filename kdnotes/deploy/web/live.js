// The live page: a picture in, landmarks out, drawn over it.
//
// Points are [x, y] in pixels of the frame, counted from the middle of its first pixel; a crop is
// {cx, cy, side} in the same pixels. All that depends on the network (its input side, margin,
// lines to draw, shape model, files and their hashes) stands in student.json.

// --- geometry: as in kdnotes/data/crops.py ---------------------------------------------------------

export function boxOf(points) {
  const xs = points.map(p => p[0]), ys = points.map(p => p[1]);
  const left = Math.min(...xs), top = Math.min(...ys);
  return {x: left, y: top, width: Math.max(...xs) - left, height: Math.max(...ys) - top};
}

export function squareAround(box, margin) {
  return {
    cx: box.x + box.width / 2,
    cy: box.y + box.height / 2,
    side: Math.max(box.width, box.height) * margin,
  };
}

// Weights of Pillow's bicubic filter, which averages where it shrinks: for each of `size` places
// the first pixel that it looks at, and the weights from there on.
function bicubic(start, side, size) {
  const scale = side / size, wide = Math.max(scale, 1), reach = 2 * wide, places = [];
  const curve = t => {
    t = Math.abs(t);
    if (t < 1) return (1.5 * t - 2.5) * t * t + 1;
    return t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
  };
  for (let i = 0; i < size; i++) {
    const middle = start + (i + 0.5) * scale;
    const first = Math.floor(middle - reach + 0.5), last = Math.floor(middle + reach + 0.5);
    const weights = [];
    for (let j = first; j < last; j++) weights.push(curve((j - middle + 0.5) / wide));
    const sum = weights.reduce((a, b) => a + b);
    places.push({first, weights: weights.map(w => w / sum)});
  }
  return places;
}

// The content of a crop as size × size × 3 bytes. It may reach outside the frame, whose border
// pixels are then repeated.
export function cut(frame, crop, size) {
  const {data, width, height} = frame;
  const columns = bicubic(crop.cx + 0.5 - crop.side / 2, crop.side, size);
  const rows = bicubic(crop.cy + 0.5 - crop.side / 2, crop.side, size);
  const inside = (value, end) => Math.min(Math.max(value, 0), end - 1);
  const top = rows[0].first, bottom = rows[size - 1].first + rows[size - 1].weights.length;
  const lines = new Uint8ClampedArray((bottom - top) * size * 3);
  for (let y = top; y < bottom; y++) {
    const line = inside(y, height) * width;
    for (let i = 0; i < size; i++) {
      const {first, weights} = columns[i];
      let red = 0, green = 0, blue = 0;
      for (let k = 0; k < weights.length; k++) {
        const at = 4 * (line + inside(first + k, width)), w = weights[k];
        red += w * data[at];
        green += w * data[at + 1];
        blue += w * data[at + 2];
      }
      const to = 3 * ((y - top) * size + i);
      lines[to] = red;
      lines[to + 1] = green;
      lines[to + 2] = blue;
    }
  }
  const found = new Uint8ClampedArray(size * size * 3);
  for (let j = 0; j < size; j++) {
    const {first, weights} = rows[j];
    for (let i = 0; i < 3 * size; i++) {
      let value = 0;
      for (let k = 0; k < weights.length; k++) value += weights[k] * lines[3 * size * (first - top + k) + i];
      found[3 * size * j + i] = value;
    }
  }
  return new Uint8Array(found.buffer);
}

// --- shapes: as in kdnotes/asm.py ---------------------------------------------------------------

// How far a face's points move when the shape model draws them again, in eye distances: a small
// number for a face in the middle of its crop, a large one for what is none.
export function strangeness(points, crop, model, eyes) {
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

// The one-euro filter (Casiez, Roussel, Vogel, CHI 2012): a low-pass filter that lets through more
// the faster a point moves. Lengths are measured in eye distances, so that a near face is treated
// like a far one.
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

// --- files and networks -------------------------------------------------------------------------

export class Trouble extends Error {}

// The content of a file, if it is the one that student.json means.
async function fetched({url, sha256}) {
  const hex = sha256.match(/../g).map(pair => parseInt(pair, 16));
  const integrity = "sha256-" + btoa(String.fromCharCode(...hex));
  for (const cache of ["default", "reload"]) { // the browser may have kept one of an older page
    const right = await fetch(url, {integrity, cache}).catch(() => null);
    if (right?.ok) return right.arrayBuffer();
  }
  const other = await fetch(url).catch(() => null); // the same without a look at its hash: why?
  if (!other) throw new Trouble(`${url} cannot be loaded: is the server still there?`);
  throw new Trouble(other.ok
    ? `${url} is not the file that this page was built with (wrong hash): build the page again.`
    : `${url} is missing (${other.status}): build the page again.`);
}

let ort; // onnxruntime-web

async function loadRuntime({module, wasm}) {
  const code = new Blob([await fetched(module)], {type: "text/javascript"});
  const url = URL.createObjectURL(code);
  ort = await import(url);
  URL.revokeObjectURL(url);
  ort.env.wasm.numThreads = 1; // more would need headers that a plain static site does not send
  ort.env.wasm.wasmBinary = await fetched(wasm);
}

// A few bytes of WebAssembly with one SIMD instruction.
const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
const hasSimd = () => typeof WebAssembly === "object" && WebAssembly.validate(new Uint8Array(SIMD));

class Network {
  static async load(about) {
    const session = await ort.InferenceSession.create(await fetched(about), {executionProviders: ["wasm"]});
    return Object.assign(new Network(), {about, session});
  }

  // Landmarks in frame pixels of what lies in the crop.
  async look(frame, crop) {
    const {size} = this.about;
    const crops = new ort.Tensor("uint8", cut(frame, crop, size), [1, size, size, 3]);
    const {landmarks} = await this.session.run({crops});
    const found = [];
    for (let i = 0; i < landmarks.data.length; i += 2) {
      found.push([crop.cx + crop.side * landmarks.data[i], crop.cy + crop.side * landmarks.data[i + 1]]);
    }
    return found;
  }
}

// --- finding faces ------------------------------------------------------------------------------

const sigmoid = x => 1 / (1 + Math.exp(-x));

export function overlap(a, b) {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  const shared = Math.max(width, 0) * Math.max(height, 0);
  return shared / (a.width * a.height + b.width * b.height - shared);
}

class Detector {
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

const wholeOf = ({width, height}) => ({
  cx: (width - 1) / 2, cy: (height - 1) / 2, side: Math.max(width, height),
});

// --- following a face ---------------------------------------------------------------------------

// How far a crop is from where it should be, in its own widths.
const strayed = (crop, right) => Math.max(
  Math.hypot(crop.cx - right.cx, crop.cy - right.cy), Math.abs(crop.side - right.side)) / crop.side;

// At a detector's box, and again at the box of what was found there.
async function lookTwice(frame, box, student) {
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
    this.attempt = this.age = this.misses = this.others = 0;
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
      Object.assign(this, {points, age: 0, misses: rules.misses - 1});
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
    if (fast || this.age++ % rules.checked === 0) {
      const square = {...this.crop, side: this.crop.side * rules.around};
      const seen = await detector.find(frame, square, rules.sizes.at(-1));
      const mine = boxOf(this.points);
      const there = seen.some(box => overlap(box, mine) > 0.3);
      this.misses = there ? 0 : this.misses + (fast ? rules.misses : 1);
    }
    if (this.misses >= rules.misses || !this.isShape(this.points, rules)) this.points = null;
  }

  isShape(points, rules) {
    const inside = points.every(p => Number.isFinite(p[0]) && Number.isFinite(p[1]));
    return inside && strangeness(points, this.crop, rules.shapes, rules.eyes) < rules.strange;
  }
}

// --- the page -----------------------------------------------------------------------------------

const $ = id => document.getElementById(id);
const COLOURS = {student: "#4fd0a8", plain: "#ff9a66", tough: "#7cc4f2"};
const LARGEST = 1280; // photos are shown with at most this many pixels on their longer side

// `turn` grows with everything that is begun: what comes back from a wait looks whether it is still
// its turn, and if not, lets what was begun later have the page.
const page = {about: null, networks: {}, detector: null, source: null, photo: null, turn: 0};

function say(text, bad = false) {
  $("status").textContent = text;
  $("status").classList.toggle("bad", bad);
}

function sayTrouble(error) {
  if (!(error instanceof Trouble)) console.warn(error);
  say(error instanceof Trouble ? error.message : `Something went wrong: ${error.message}`, true);
}

// The network of a kind and precision, loaded when it is first asked for.
async function network(name, precision) {
  const about = page.about.networks.find(n => n.name === name && n.precision === precision)
    ?? page.about.networks.find(n => n.name === name);
  const kept = page.networks;
  kept[about.url] ??= Network.load(about).catch(error => {
    delete kept[about.url];
    throw error;
  });
  return kept[about.url];
}

const precision = () => page.precisions[Number($("precision").value)];
const student = () => network("student", precision());

function drawLandmarks(context, points, colour, edges, width) {
  context.strokeStyle = context.fillStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  for (const [a, b] of edges) {
    context.moveTo(points[a][0] + 0.5, points[a][1] + 0.5);
    context.lineTo(points[b][0] + 0.5, points[b][1] + 0.5);
  }
  context.stroke();
  context.beginPath();
  for (const [x, y] of points) {
    context.moveTo(x, y);
    context.arc(x + 0.5, y + 0.5, 1.6 * width, 0, 7);
  }
  context.fill();
}

// All faces' answers over the picture, and for tests an event with the same.
function show(frame, faces, more = {}) {
  const overlay = $("overlay"), context = overlay.getContext("2d");
  context.clearRect(0, 0, overlay.width, overlay.height);
  for (const answers of faces) {
    const side = Math.max(...Object.values(boxOf(Object.values(answers)[0])).slice(2));
    for (const [name, points] of Object.entries(answers).reverse()) { // the student on top
      if ($(`show-${name}`).checked) {
        drawLandmarks(context, points, COLOURS[name], page.about.edges, Math.max(1, side / 160));
      }
    }
  }
  document.dispatchEvent(new CustomEvent("landmarks", {detail: {frame, faces, ...more}}));
}

function resize(width, height) {
  $("stage").style.setProperty("--shape", width / height);
  for (const canvas of [$("picture"), $("overlay")]) {
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, {width, height});
  }
}

function grab(drawable, width, height) {
  resize(width, height);
  const context = $("picture").getContext("2d", {willReadFrequently: true});
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff"; // what is transparent, as in Python
  context.fillRect(0, 0, width, height);
  context.drawImage(drawable, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

// What the other networks say of the same crop.
async function others(frame, crop) {
  const answers = {};
  for (const name of ["plain", "tough"]) {
    if ($(`show-${name}`).checked) answers[name] = await (await network(name, "fp16")).look(frame, crop);
  }
  return answers;
}

// A moving source: one frame after the other, each when the one before is done.
class Live {
  constructor(name, next) {
    Object.assign(this, {name, next, track: new Track(), filter: new OneEuro()});
    Object.assign(this, {running: true, before: 0, times: [], frames: 0});
  }

  async run() {
    while (this.running) {
      const drawable = await this.next();
      if (!this.running) return;
      if (document.hidden || !drawable) continue;
      await this.frame(drawable);
    }
  }

  async frame({image, width, height}) {
    const began = performance.now();
    const frame = grab(image, width, height);
    const net = await student();
    let points = await this.track.step(frame, net, page.detector, page.about.rules);
    const took = performance.now() - began;
    const faces = [];
    if (points) {
      const more = await others(frame, this.track.crop);
      const [left, right] = page.about.rules.eyes.map(i => points[i]);
      const eyes = Math.hypot(left[0] - right[0], left[1] - right[1]);
      if (!$("steady").checked) this.filter.last = null;
      else points = this.filter.filter(points, (began - this.before) / 1000, eyes);
      faces.push({student: points, ...more});
    } else {
      this.filter.last = null;
    }
    this.before = began;
    if (!this.running) return;
    show(frame, faces, {took});
    this.report(took, points, net);
  }

  report(took, points, net) {
    this.frames += 1;
    this.times.push({at: performance.now(), took});
    while (this.times[0].at < this.times.at(-1).at - 2000) this.times.shift();
    const {times, track} = this, span = times.at(-1).at - times[0].at;
    const rate = span > 0 ? 1000 * (times.length - 1) / span : 0;
    const mean = times.reduce((sum, t) => sum + t.took, 0) / times.length;
    this.rate = rate;
    if (this.frames % 5 === 0) {
      $("numbers").textContent = `${rate.toFixed(0)} frames/s · ${mean.toFixed(0)} ms a frame · `
        + `${net.about.size} × ${net.about.size} pixels · ${(net.about.bytes / 1e6).toFixed(1)} MB`;
    }
    const seen = points
      ? track.others ? "Several faces: following one." : "Following a face."
      : "No face in sight: looking for one …";
    if (seen !== this.said) {
      this.said = seen;
      say(seen);
      $("picture").setAttribute("aria-label", `${this.name}. ${seen}`);
    }
  }

  stop() {
    this.running = false;
    this.end?.();
  }
}

function start(source, mirrored = false) {
  stop();
  Object.assign(page, {source, photo: null});
  $("stage").classList.toggle("mirrored", mirrored);
  $("stop").disabled = false;
  source.run().catch(error => {
    if (page.source !== source) return;
    stop();
    sayTrouble(error);
  });
}

function stop() {
  page.turn += 1;
  page.source?.stop();
  page.source = null;
  if (document.activeElement === $("stop")) $("camera").focus();
  $("stop").disabled = true;
  $("stage").classList.remove("mirrored");
}

const nextPaint = () => new Promise(requestAnimationFrame);

const REFUSED = {
  NotAllowedError: "The camera was not allowed. Allow it in the address bar, or take a photo or the film.",
  NotFoundError: "There is no camera here. Take a photo or the film.",
  NotReadableError: "The camera is used by another program. Close it and try again.",
};

async function startCamera() {
  stop();
  const mine = page.turn;
  if (!navigator.mediaDevices?.getUserMedia) {
    throw new Trouble("A browser gives the camera only to pages from https:// or this machine itself.");
  }
  say("Asking for the camera …");
  const wanted = {video: {width: {ideal: 640}, height: {ideal: 480}, facingMode: "user"}};
  const stream = await navigator.mediaDevices.getUserMedia(wanted).catch(error => {
    throw new Trouble(REFUSED[error.name] ?? `The camera did not start: ${error.message}`);
  });
  const release = () => stream.getTracks().forEach(track => track.stop());
  if (mine !== page.turn) return release();
  const video = document.createElement("video");
  Object.assign(video, {srcObject: stream, muted: true, playsInline: true});
  await video.play().catch(error => {
    release();
    throw error;
  });
  if (mine !== page.turn) return release();
  const next = () => new Promise(resolve => {
    const give = () => resolve({image: video, width: video.videoWidth, height: video.videoHeight});
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(give);
    else requestAnimationFrame(give);
  });
  const live = new Live("Camera", next);
  live.end = release;
  stream.getTracks()[0].addEventListener("ended", () => {
    if (page.source !== live) return;
    stop();
    say("The camera was taken away.", true);
  });
  start(live, true);
}

async function bitmapOf(blob) {
  return createImageBitmap(blob).catch(() => {
    throw new Trouble("This file is not a picture that the browser can read.");
  });
}

// The film is one large picture with all frames side by side.
async function startFilm() {
  stop();
  const mine = page.turn;
  const {file, width, height, columns, frames, rate} = page.about.film;
  const sheet = await bitmapOf(new Blob([await fetched(file)]));
  if (mine !== page.turn) return sheet.close();
  const canvas = new OffscreenCanvas(width, height), context = canvas.getContext("2d");
  const began = performance.now();
  let last = -1;
  const live = new Live("Film", async () => {
    await nextPaint();
    const i = Math.floor((performance.now() - began) / 1000 * rate) % frames;
    if (i === last) return null;
    last = i;
    context.drawImage(sheet, -(i % columns) * width, -Math.floor(i / columns) * height);
    return {image: canvas, width, height};
  });
  live.end = () => sheet.close();
  start(live);
}

async function showPhoto(blob) {
  stop();
  const mine = page.turn;
  say("Looking at the photo …");
  const bitmap = await bitmapOf(blob);
  if (mine !== page.turn) return bitmap.close();
  const factor = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map(n => Math.max(1, Math.round(n * factor)));
  page.photo = {frame: grab(bitmap, width, height)};
  bitmap.close();
  $("overlay").getContext("2d").clearRect(0, 0, width, height);
  await readPhoto();
}

// Every face of the photo, with the networks that are chosen now.
async function readPhoto() {
  const {photo} = page, {frame} = photo, {rules} = page.about, mine = ++page.turn;
  const net = await student();
  if (!photo.boxes) {
    const boxes = [];
    for (const size of rules.photo) boxes.push(...await page.detector.find(frame, wholeOf(frame), size));
    photo.boxes = boxes.sort((a, b) => b.score - a.score);
  }
  const began = performance.now(), faces = [];
  const known = box => faces.some(face => overlap(box, boxOf(face.student)) > 0.3);
  for (const box of photo.boxes) {
    if (known(box)) continue;
    const {points, crop} = await lookTwice(frame, box, net);
    if (known(boxOf(points)) || strangeness(points, crop, rules.shapes, rules.eyes) > rules.strange) continue;
    faces.push({student: points, ...await others(frame, crop)});
  }
  if (mine !== page.turn) return;
  show(frame, faces, {took: performance.now() - began});
  const text = faces.length === 0 ? "No face was found in this photo."
    : faces.length === 1 ? "One face." : `${faces.length} faces.`;
  say(text, faces.length === 0);
  $("picture").setAttribute("aria-label", `Photo. ${text}`);
  $("numbers").textContent = "";
}

// --- controls -----------------------------------------------------------------------------------

// What runs after a click: a mistake becomes a sentence.
const does = action => async (...args) => {
  try {
    await action(...args);
  } catch (error) {
    sayTrouble(error);
  }
};

function listen() {
  $("camera").onclick = does(startCamera);
  $("film").onclick = does(startFilm);
  $("stop").onclick = () => (stop(), say("Stopped."));
  $("file").onchange = does(async ({target}) => {
    const [file] = target.files;
    target.value = ""; // the same file may be chosen again
    if (file) await showPhoto(file);
  });
  const again = does(async () => {
    namePrecision();
    if (page.photo && !page.source) await readPhoto();
  });
  for (const id of ["precision", "show-student", "show-plain", "show-tough"]) $(id).oninput = again;
  for (const id of ["camera", "file"]) $(id).disabled = false;
  $("film").disabled = !page.about.film;
}

function listenForDrops() {
  const stage = $("stage");
  stage.ondragover = event => {
    event.preventDefault();
    stage.classList.add("dropping");
  };
  stage.ondragleave = () => stage.classList.remove("dropping");
  stage.ondrop = does(async event => {
    event.preventDefault();
    stage.classList.remove("dropping");
    const [file] = event.dataTransfer.files;
    if (!page.about) throw new Trouble("One moment, please: the network is not here yet.");
    if (!file) throw new Trouble("Drop a picture file here.");
    await showPhoto(file);
  });
}

const BITS = {fp32: "32", fp16: "16, computed in 32", int8: "8"};

function namePrecision() {
  const net = page.about.networks.find(n => n.name === "student" && n.precision === precision());
  const text = `${BITS[precision()]} (${(net.bytes / 1e6).toFixed(1)} MB)`;
  $("precision-name").textContent = text;
  $("precision").setAttribute("aria-valuetext", text);
}

function offer() {
  const {about} = page;
  page.precisions = about.networks.filter(n => n.name === "student").map(n => n.precision);
  Object.assign($("precision"), {max: page.precisions.length - 1, disabled: page.precisions.length < 2});
  $("precision").value = Math.max(0, page.precisions.indexOf("fp16"));
  namePrecision();
  about.samples.forEach((file, i) => {
    const button = document.createElement("button"), image = document.createElement("img");
    Object.assign(image, {src: file.url, alt: `rendered face ${i + 1}`});
    button.append(image);
    button.onclick = does(async () => showPhoto(new Blob([await fetched(file)])));
    $("samples").append(button);
  });
  for (const name of ["plain", "tough"]) {
    if (!about.networks.some(n => n.name === name)) $(`show-${name}`).closest("label").remove();
  }
  $("about").textContent = about.text;
}

async function begin() {
  listenForDrops();
  if (!hasSimd()) throw new Trouble("This browser lacks WebAssembly with SIMD; any current one has it.");
  const response = await fetch("student.json", {cache: "no-cache"}).catch(() => null);
  if (!response?.ok) throw new Trouble("student.json is missing: build the page again.");
  page.about = await response.json();
  await loadRuntime(page.about.runtime);
  page.detector = await Detector.load(page.about.detector);
  offer();
  await student();
  listen();
  say("Ready: start the camera, or take a photo or the film.");
  document.documentElement.dataset.ready = "yes";
  if (navigator.serviceWorker) navigator.serviceWorker.register("sw.js").catch(console.warn);
}

begin().catch(sayTrouble);
