// Files that are the right ones, and networks that run in onnxruntime-web.

import {cut} from "./geometry.js";

export class Trouble extends Error {}

// The content of a file, if it is the one that student.json means.
export async function fetched({url, sha256}) {
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

export async function bitmapOf(blob) {
  return createImageBitmap(blob).catch(() => {
    throw new Trouble("This file is not a picture that the browser can read.");
  });
}

export let ort; // onnxruntime-web

export async function loadRuntime({module, wasm}) {
  const code = new Blob([await fetched(module)], {type: "text/javascript"});
  const url = URL.createObjectURL(code);
  ort = await import(url);
  URL.revokeObjectURL(url);
  ort.env.wasm.numThreads = 1; // more would need headers that a plain static site does not send
  ort.env.wasm.wasmBinary = await fetched(wasm);
}

// A few bytes of WebAssembly with one SIMD instruction.
const SIMD = [0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11];
export const hasSimd = () => typeof WebAssembly === "object" && WebAssembly.validate(new Uint8Array(SIMD));

export class Network {
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
