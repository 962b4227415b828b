// The landmarks of @vladmandic/face-api for crops of 112 × 112 pixels, one thread of WebAssembly.
//
//   node face_api.mjs FOLDER_WITH_NODE_MODULES CROPS.raw ANSWERS.json face_landmark_68_model
//
// CROPS.raw holds the crops' RGB bytes one after the other. ANSWERS.json gets, for each, 68 points
// in pixels of the crop, as face-api gives them, and the milliseconds that they took.
import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const [folder, crops, answers, name] = process.argv.slice(2);
const require = createRequire(path.join(folder, 'package.json'));
const within = (file) => path.dirname(require.resolve(file));

require('@tensorflow/tfjs');
require('@tensorflow/tfjs-backend-wasm').setWasmPaths(within('@tensorflow/tfjs-backend-wasm') + '/');
const faceapi = require('@vladmandic/face-api/dist/face-api.node-wasm.js');
const tf = faceapi.tf;
await tf.setBackend('wasm');
await tf.ready();

const model = path.join(within('@vladmandic/face-api/package.json'), 'model', name);
const [{ weights }] = JSON.parse(fs.readFileSync(`${model}-weights_manifest.json`));
const bytes = fs.readFileSync(`${model}.bin`);
const net = name.includes('tiny') ? faceapi.nets.faceLandmark68TinyNet : faceapi.nets.faceLandmark68Net;
await net.loadFromWeightMap(
  tf.io.decodeWeights(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), weights));

const side = 112, each = side * side * 3, pixels = fs.readFileSync(crops);
const found = { landmarks: [], milliseconds: [] };
for (let start = 0; start < pixels.length; start += each) {
  const crop = tf.tensor3d(new Uint8Array(pixels.subarray(start, start + each)), [side, side, 3], 'int32');
  const began = performance.now();
  const { positions } = await net.detectLandmarks(crop);
  found.milliseconds.push(performance.now() - began);
  found.landmarks.push(positions.map(({ x, y }) => [x, y]));
  crop.dispose();
}
fs.writeFileSync(answers, JSON.stringify(found));
