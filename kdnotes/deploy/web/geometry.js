// Boxes, crops and their pixels, as in kdnotes/data/crops.py.
//
// Points are [x, y] in pixels of the frame, counted from the middle of its first pixel; a crop is
// {cx, cy, side} in the same pixels.

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

// Whether all points lie in a crop.
export function holds({cx, cy, side}, points) {
  return points.every(([x, y]) => Math.max(Math.abs(x - cx), Math.abs(y - cy)) < side / 2);
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

// The smallest square around a frame, and the largest in its middle.
export const wholeOf = ({width, height}) => ({
  cx: (width - 1) / 2, cy: (height - 1) / 2, side: Math.max(width, height),
});
export const middleOf = ({width, height}) => ({...wholeOf({width, height}), side: Math.min(width, height)});
