// The live page: a picture in, landmarks out, drawn over it.
//
// All that depends on the network (its input side, margin, lines to draw, shape model, files and
// their hashes) stands in student.json. Where it names a detector, faces are looked for; else the
// whole picture is looked at, or a box drawn by hand.

import {boxOf, wholeOf} from "./geometry.js";
import {Detector, Track, lookTwice, overlap, strangeness} from "./faces.js";
import {Network, Trouble, fetched, hasSimd, loadRuntime} from "./networks.js";
import {Place} from "./places.js";
import {OneEuro} from "./steady.js";

const $ = id => document.getElementById(id);
const COLOURS = {student: "#4fd0a8", plain: "#ff9a66", tough: "#7cc4f2"};
const LARGEST = 1280; // photos are shown with at most this many pixels on their longer side

// `turn` grows with everything that is begun: what comes back from a wait looks whether it is still
// its turn, and if not, lets what was begun later have the page.
const page = {about: null, networks: {}, detector: null, place: null, source: null, photo: null, turn: 0};

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

function drawLandmarks(context, points, colour, width) {
  const {edges, names} = page.about;
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
  if ($("show-names").checked) drawNames(context, points, names);
}

// Each name beside its point, inside the picture; 13 pixels of the screen high.
function drawNames(context, points, names) {
  const {canvas} = context, size = 13 * canvas.width / canvas.getBoundingClientRect().width;
  const mirrored = $("stage").classList.contains("mirrored");
  Object.assign(context, {font: `${size}px system-ui, sans-serif`, strokeStyle: "#000", lineWidth: size / 5});
  names.forEach((name, i) => {
    const [x, y] = points[i], shown = mirrored ? canvas.width - x : x;
    const ends = shown + size / 2 + context.measureText(name).width > canvas.width;
    context.save();
    context.translate(x + 0.5, y + 0.5);
    if (mirrored) context.scale(-1, 1); // the stage turns it back
    context.textAlign = ends ? "right" : "left";
    context.strokeText(name, (ends ? -1 : 1) * size / 2, -size / 4);
    context.fillText(name, (ends ? -1 : 1) * size / 2, -size / 4);
    context.restore();
  });
}

// All faces' answers over the picture, and for tests an event with the same.
function show(frame, faces, more = {}) {
  const overlay = $("overlay"), context = overlay.getContext("2d");
  context.clearRect(0, 0, overlay.width, overlay.height);
  for (const answers of faces) {
    const side = Math.max(...Object.values(boxOf(Object.values(answers)[0])).slice(2));
    for (const [name, points] of Object.entries(answers).reverse()) { // the student on top
      if ($(`show-${name}`).checked) {
        drawLandmarks(context, points, COLOURS[name], Math.max(1, side / 160));
      }
    }
  }
  page.place?.draw(context);
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
    if ($(`show-${name}`)?.checked) answers[name] = await (await network(name, "fp16")).look(frame, crop);
  }
  return answers;
}

// A length of the thing itself: the distance of the eyes, or the side of its box.
function lengthIn(points) {
  if (!page.about.rules.eyes) {
    const {width, height} = boxOf(points);
    return Math.sqrt(width * height) || page.place.crop.side;
  }
  const [left, right] = page.about.rules.eyes.map(i => points[i]);
  return Math.hypot(left[0] - right[0], left[1] - right[1]);
}

// A moving source: one frame after the other, each when the one before is done.
class Live {
  constructor(name, next) {
    Object.assign(this, {name, next, track: page.place ?? new Track(), filter: new OneEuro()});
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
      if (!$("steady").checked) this.filter.last = null;
      else points = this.filter.filter(points, (began - this.before) / 1000, lengthIn(points));
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
    const seen = track.says(points);
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
  if (page.place) page.place.box = null; // of another picture
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

// The photo, with the networks that are chosen now: every face, or the thing where it is.
async function readPhoto() {
  const {photo} = page, mine = ++page.turn, net = await student(), began = performance.now();
  const faces = page.place ? [await readThing(photo.frame, net)] : await readFaces(photo, net);
  if (mine !== page.turn) return;
  show(photo.frame, faces, {took: performance.now() - began});
  const text = page.place ? page.place.says() : faces.length === 0 ? "No face was found in this photo."
    : faces.length === 1 ? "One face." : `${faces.length} faces.`;
  say(text, faces.length === 0);
  $("picture").setAttribute("aria-label", `Photo. ${text}`);
  $("numbers").textContent = "";
}

async function readThing(frame, net) {
  return {student: await page.place.step(frame, net), ...await others(frame, page.place.crop)};
}

async function readFaces(photo, net) {
  const {frame} = photo, {rules} = page.about, faces = [];
  if (!photo.boxes) {
    const boxes = [];
    for (const size of rules.photo) boxes.push(...await page.detector.find(frame, wholeOf(frame), size));
    photo.boxes = boxes.sort((a, b) => b.score - a.score);
  }
  const known = box => faces.some(face => overlap(box, boxOf(face.student)) > 0.3);
  for (const box of photo.boxes) {
    if (known(box)) continue;
    const {points, crop} = await lookTwice(frame, box, net);
    if (known(boxOf(points)) || strangeness(points, crop, rules.shapes, rules.eyes) > rules.strange) continue;
    faces.push({student: points, ...await others(frame, crop)});
  }
  return faces;
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
  for (const id of ["precision", "show-student", "show-plain", "show-tough", "show-names"]) {
    if ($(id)) $(id).oninput = again;
  }
  for (const id of ["camera", "file"]) $(id).disabled = false;
  $("film").disabled = !page.about.film;
  const redraw = () => {
    if (!page.photo) return;
    const overlay = $("overlay"), context = overlay.getContext("2d");
    context.clearRect(0, 0, overlay.width, overlay.height);
    page.place.draw(context);
  };
  page.place?.listen($("overlay"), () => $("stage").classList.contains("mirrored"), redraw, again);
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
  $("show-names").closest("label").hidden = !about.names.length;
  if (about.title) {
    document.title = $("title").textContent = about.title;
    $("lead").textContent = about.lead;
  }
  for (const id of ["film", "rendered"]) $(id).hidden = !about.film;
}

async function begin() {
  listenForDrops();
  if (!hasSimd()) throw new Trouble("This browser lacks WebAssembly with SIMD; any current one has it.");
  const response = await fetch("student.json", {cache: "no-cache"}).catch(() => null);
  if (!response?.ok) throw new Trouble("student.json is missing: build the page again.");
  page.about = await response.json();
  await loadRuntime(page.about.runtime);
  if (page.about.detector) page.detector = await Detector.load(page.about.detector);
  else page.place = new Place();
  offer();
  await student();
  listen();
  say(`Ready: start the camera, or take a photo${page.about.film ? " or the film" : ""}.`);
  document.documentElement.dataset.ready = "yes";
  if (navigator.serviceWorker) navigator.serviceWorker.register("sw.js").catch(console.warn);
}

begin().catch(sayTrouble);
