// Where a picture is on the screen, and which place of it is where.
//
// Places in a picture are pixels, counted from the middle of the first one.

// A view of a picture: where its corner is on the screen, and screen pixels per picture pixel.
export function fit(width, height, room, most) {
  const size = Math.min(room / width, most / height);
  return { size, x: (room - size * width) / 2, y: 0 };
}

// The view with another size, in which the place (px, py) of the screen shows the same.
export function zoomed(view, size, px, py) {
  const k = size / view.size;
  return { size, x: px - k * (px - view.x), y: py - k * (py - view.y) };
}

// The middle of the first pixel is (0, 0); the picture's corner is half a pixel before it.
export const toPicture = (view, px, py) => [(px - view.x) / view.size - 0.5, (py - view.y) / view.size - 0.5];
export const toScreen = (view, x, y) => [view.x + (x + 0.5) * view.size, view.y + (y + 0.5) * view.size];
