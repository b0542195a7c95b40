// Draws a grid of values on a canvas. The canvas has few pixels and is stretched over the picture by the style sheet.

const SMOOTH_STEPS = 8;
const MAX_SMOOTH_PIXELS = 1 << 19;

/** Draws values (row-major) with colours over [low, high]. */
export function drawMap(canvas, values, rows, columns, [low, high], colours, smooth) {
  const steps = smooth ? Math.max(1, Math.min(SMOOTH_STEPS, Math.floor(Math.sqrt(MAX_SMOOTH_PIXELS / (rows * columns))))) : 1;
  const width = columns * steps;
  const height = rows * steps;
  const pixels = steps === 1 ? values : enlarge(values, rows, columns, steps);
  const image = new ImageData(width, height);
  const factor = high > low ? 255 / (high - low) : 0;
  for (let i = 0; i < pixels.length; i++) {
    const colour = 3 * Math.max(0, Math.min(255, Math.round((pixels[i] - low) * factor)));
    image.data[4 * i] = colours[colour];
    image.data[4 * i + 1] = colours[colour + 1];
    image.data[4 * i + 2] = colours[colour + 2];
    image.data[4 * i + 3] = 255;
  }
  canvas.width = width;
  canvas.height = height;
  canvas.classList.toggle("cells", !smooth);
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// Cubic (Catmull-Rom) in both directions: goes through the cells' values at their centres, borders repeated.
function enlarge(values, rows, columns, steps) {
  const wide = new Float32Array(rows * columns * steps);
  const columnTaps = taps(columns, steps);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columnTaps.length; x++) {
      let sum = 0;
      for (const [column, weight] of columnTaps[x]) {
        sum += weight * values[y * columns + column];
      }
      wide[y * columnTaps.length + x] = sum;
    }
  }

  const width = columns * steps;
  const large = new Float32Array(rows * steps * width);
  taps(rows, steps).forEach((rowTaps, y) => {
    for (const [row, weight] of rowTaps) {
      for (let x = 0; x < width; x++) {
        large[y * width + x] += weight * wide[row * width + x];
      }
    }
  });
  return large;
}

// Per output place the four cells around it with their weights.
function taps(count, steps) {
  return Array.from({ length: count * steps }, (_, i) => {
    const place = (i + 0.5) / steps - 0.5;
    const cell = Math.floor(place);
    const t = place - cell;
    const weights = [
      ((2 - t) * t - 1) * t * 0.5,
      ((3 * t - 5) * t * t + 2) * 0.5,
      ((4 - 3 * t) * t + 1) * t * 0.5,
      (t - 1) * t * t * 0.5,
    ];
    return weights.map((weight, tap) => [Math.max(0, Math.min(count - 1, cell + tap - 1)), weight]);
  });
}
