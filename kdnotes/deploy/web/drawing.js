// Landmarks over a picture.

export const COLOURS = {student: "#4fd0a8", plain: "#ff9a66", tough: "#7cc4f2", truth: "#ffffff"};

// Lines and points of one network, in pixels of the picture; no lines: points alone.
export function drawLandmarks(context, points, edges, colour, width) {
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

// Each name beside its point, inside the picture; 13 pixels of the screen high.
export function drawNames(context, points, names, colour, mirrored) {
  const {canvas} = context, size = 13 * canvas.width / canvas.getBoundingClientRect().width;
  const font = `${size}px system-ui, sans-serif`;
  Object.assign(context, {font, fillStyle: colour, strokeStyle: "#000", lineWidth: size / 5});
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
