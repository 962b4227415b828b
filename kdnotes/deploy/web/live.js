// The live page: a picture in, landmarks out, drawn over it.
//
// All that depends on the network (its input side, margin, lines to draw, shape model, files and
// their hashes) stands in student.json. Where it names a detector, faces are looked for; else the
// whole picture is looked at, or a box drawn by hand.

import {Camera} from "./camera.js";
import {COLOURS, drawLandmarks, drawNames} from "./drawing.js";
import {boxOf, holds, wholeOf} from "./geometry.js";
import {Detector, Track, lookTwice, overlap, strangeness} from "./faces.js";
import {Film} from "./film.js";
import {Magnifier} from "./magnifier.js";
import {Network, Trouble, bitmapOf, fetched, hasSimd, loadRuntime} from "./networks.js";
import {Place} from "./places.js";
import {Scores} from "./scores.js";
import {OneEuro} from "./steady.js";

const $ = id => document.getElementById(id);
const LARGEST = 1280; // photos are shown with at most this many pixels on their longer side

// `turn` grows with everything that is begun: what comes back from a wait looks whether it is still
// its turn, and if not, lets what was begun later have the page.
const page = {about: null, networks: {}, detector: null, place: null, source: null, photo: null, turn: 0};
Object.assign(page, {kinds: [], shown: {faces: [], truth: null}, glass: null, away: false});

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

// All faces' answers over the picture, and for tests an event with the same.
function show(frame, faces, {truth = null, ...more} = {}) {
  const overlay = $("overlay"), context = overlay.getContext("2d");
  page.shown = {faces, truth};
  context.clearRect(0, 0, overlay.width, overlay.height);
  paint(context);
  page.place?.draw(context);
  page.glass?.draw();
  document.dispatchEvent(new CustomEvent("landmarks", {detail: {frame, faces, ...more}}));
}

// What is to be seen of the answers; in the magnifier with lines of its own width.
function paint(context, width = null) {
  const {edges, names} = page.about, {faces, truth} = page.shown;
  const mirrored = $("stage").classList.contains("mirrored");
  for (const answers of faces) {
    const side = Math.max(...Object.values(boxOf(Object.values(answers)[0])).slice(2));
    const wide = width ?? Math.max(1, side / 160);
    for (const [name, points] of Object.entries(answers).reverse()) { // the student on top
      if (!$(`show-${name}`).checked) continue;
      drawLandmarks(context, points, edges, COLOURS[name], wide);
      if ($("show-names").checked && !width) drawNames(context, points, names, COLOURS[name], mirrored);
    }
    if (truth && $("show-truth").checked) drawLandmarks(context, truth, [], COLOURS.truth, wide);
  }
}

function wipe() {
  const overlay = $("overlay");
  page.shown = {faces: [], truth: null};
  overlay.getContext("2d").clearRect(0, 0, overlay.width, overlay.height);
}

// The box of what was found, or the whole picture.
function boxNow() {
  const [answers] = page.shown.faces, {width, height} = $("picture");
  const box = answers ? boxOf(answers.student) : {};
  return box.width > 0 && box.height > 0 ? box : {x: 0, y: 0, width, height};
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
  constructor(name, source) {
    Object.assign(this, {name, source, track: page.place ?? new Track(), filter: new OneEuro()});
    Object.assign(this, {running: true, before: 0, times: [], frames: 0});
    if (source.truth) this.scores = new Scores(page.about.rules.eyes);
  }

  async run() {
    while (this.running) {
      const drawable = await this.source.next();
      if (!this.running) return;
      if (document.hidden || page.away || !drawable) continue;
      await this.frame(drawable);
    }
  }

  async frame({image, width, height, index}) {
    const began = performance.now();
    const frame = grab(image, width, height);
    const net = await student();
    let points = await this.track.step(frame, net, page.detector, page.about.rules);
    const took = performance.now() - began;
    const faces = [], truth = this.source.truth?.(index);
    if (points) {
      const more = await others(frame, this.track.crop);
      if (truth && holds(this.track.crop, truth)) {
        this.scores.add(index, truth, {student: points, ...more}, net.about.precision);
      }
      if (!$("steady").checked) this.filter.last = null;
      else points = this.filter.filter(points, (began - this.before) / 1000, lengthIn(points));
      faces.push({student: points, ...more});
    } else {
      this.filter.last = null;
    }
    this.before = began;
    if (!this.running) return;
    show(frame, faces, {truth, took});
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
      $("numbers").textContent = `${rate.toFixed(0)} frames a second · ${mean.toFixed(0)} ms for each · `
        + `looks at ${net.about.size} × ${net.about.size} pixels`;
      if (this.scores) tellErrors(this.scores);
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
    this.source.close();
  }
}

// One line for each network that is shown: its mean error in the film. No scores: no film, no lines.
function tellErrors(scores) {
  const names = scores ? page.kinds.filter(name => $(`show-${name}`).checked) : [];
  const {frames, errors} = scores ? scores.means(names) : {errors: []};
  for (const name of page.kinds) {
    const error = errors[names.indexOf(name)];
    $(`error-${name}`).textContent = error === undefined ? "" : `${(100 * error).toFixed(2)} %`;
  }
  if (frames) $("frames").textContent = frames === 1 ? "one frame" : `${frames} frames`;
  $("errors").hidden = !errors.length;
}

// Marks the button of what is looked at.
function mark(chosen = null) {
  for (const button of document.querySelectorAll("#camera, #film, #samples button")) {
    button.setAttribute("aria-pressed", button === chosen);
  }
  $("file").parentNode.classList.toggle("chosen", chosen === $("file"));
}

function start(live, button, mirrored = false) {
  stop();
  Object.assign(page, {source: live, photo: null});
  mark(button);
  $("stage").classList.toggle("mirrored", mirrored);
  $("truth").hidden = !live.scores;
  if (live.scores) $("status").setAttribute("aria-live", "off"); // it would tell of each round of the film
  $("stop").disabled = false;
  live.run().catch(error => {
    if (page.source !== live) return;
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
  $("stop").disabled = $("truth").hidden = true;
  $("stage").classList.remove("mirrored");
  $("status").setAttribute("aria-live", "polite");
  mark();
  tellErrors(null);
}

async function startCamera() {
  stop();
  const mine = page.turn;
  say("Asking for the camera …");
  const camera = await Camera.open(() => mine === page.turn);
  if (!camera) return;
  const live = new Live("Camera", camera);
  camera.whenTakenAway(() => {
    if (page.source !== live) return;
    stop();
    say("The camera was taken away.", true);
  });
  start(live, $("camera"), true);
}

async function startFilm() {
  stop();
  const mine = page.turn;
  const film = await Film.load(page.about.film);
  if (mine !== page.turn) return film.close();
  start(new Live("Film", film), $("film"));
}

// The film's first frame, for those who want little motion.
async function showStill() {
  const mine = page.turn, film = await Film.load(page.about.film);
  if (mine === page.turn) {
    const {image, width, height} = film.frame(0);
    page.photo = {frame: grab(image, width, height), name: "The film's first frame"};
    await readPhoto();
    say("Ready. The film stands still, as you ask for little motion: its button runs it.");
  }
  film.close();
}

async function showPhoto(blob, button = $("file")) {
  stop();
  const mine = page.turn;
  say("Looking at the photo …");
  const bitmap = await bitmapOf(blob);
  if (mine !== page.turn) return bitmap.close();
  const factor = Math.min(1, LARGEST / Math.max(bitmap.width, bitmap.height));
  const [width, height] = [bitmap.width, bitmap.height].map(n => Math.max(1, Math.round(n * factor)));
  page.photo = {frame: grab(bitmap, width, height), name: "Photo"};
  bitmap.close();
  mark(button);
  wipe();
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
  $("picture").setAttribute("aria-label", `${photo.name}. ${text}`);
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
  for (const id of ["precision", "show-names", ...page.kinds.map(name => `show-${name}`)]) $(id).oninput = again;
  for (const id of ["camera", "file", "magnify"]) $(id).disabled = false;
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

const BITS = {fp32: "32 bits", fp16: "16 bits", int8: "8 bits"};
const COMPUTED = {
  fp32: "As it was trained.",
  fp16: "Stored with 16 bits, computed with 32.",
  int8: "Stored and computed with 8 bits: the points move a little.",
};

function namePrecision() {
  const net = page.about.networks.find(n => n.name === "student" && n.precision === precision());
  const text = `${BITS[precision()]} (${(net.bytes / 1e6).toFixed(1)} MB)`;
  $("precision-name").textContent = text;
  $("precision-hint").textContent = COMPUTED[precision()];
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
    button.onclick = does(async () => showPhoto(new Blob([await fetched(file)]), button));
    $("samples").append(button);
  });
  page.kinds = [...new Set(about.networks.map(n => n.name))];
  for (const name of ["plain", "tough"]) {
    if (!page.kinds.includes(name)) $(`show-${name}`).closest(".network").remove();
  }
  $("about").textContent = about.text;
  $("show-names").closest("label").hidden = !about.names.length;
  if (about.title) {
    document.title = $("title").textContent = about.title;
    $("lead").textContent = about.lead;
  }
  for (const id of ["film", "rendered"]) $(id).hidden = !about.film;
  if (about.course) Object.assign($("course"), {href: about.course, hidden: false});
  mark();
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
  page.glass = new Magnifier(
    {stage: $("stage"), picture: $("picture"), glass: $("glass"), button: $("magnify")},
    {paint, boxNow, hovers: !page.place}); // else the mouse draws boxes
  new IntersectionObserver(entries => { page.away = !entries.at(-1).isIntersecting; }).observe($("stage"));
  listen();
  if (!page.about.film) say("Ready: start the camera, or take a photo.");
  else await (matchMedia("(prefers-reduced-motion: reduce)").matches ? showStill : startFilm)().catch(sayTrouble);
  document.documentElement.dataset.ready = "yes";
  if (navigator.serviceWorker) navigator.serviceWorker.register("sw.js").catch(console.warn);
}

begin().catch(sayTrouble);
