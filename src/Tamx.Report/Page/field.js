// Grids of values: enlarging, Otsu's threshold, contours.

const MAX_PIXELS = 1 << 17;
const MAX_STEPS = 8;

/**
 * How many steps a cell has each way where a grid is drawn smoothly.
 * @param {number} rows
 * @param {number} columns
 */
export function smoothSteps(rows, columns) {
  return Math.max(1, Math.min(MAX_STEPS, Math.floor(Math.sqrt(MAX_PIXELS / (rows * columns)))));
}

/**
 * Enlarges row-major values by cubic interpolation (Catmull-Rom) through the cells' values at their centres, borders
 * repeated.
 * @param {Float32Array} values
 * @param {number} rows
 * @param {number} columns
 * @param {number} steps into how many steps a cell is cut each way
 */
export function enlarge(values, rows, columns, steps) {
  const width = columns * steps;
  const wide = new Float32Array(rows * width);
  const across = taps(columns, steps);
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let k = 4 * x; k < 4 * x + 4; k++) {
        sum += across.weights[k] * values[y * columns + across.cells[k]];
      }
      wide[y * width + x] = sum;
    }
  }

  const large = new Float32Array(rows * steps * width);
  const down = taps(rows, steps);
  for (let y = 0; y < rows * steps; y++) {
    const [a, b, c, d] = [0, 1, 2, 3].map((k) => down.cells[4 * y + k] * width);
    const [p, q, r, s] = down.weights.subarray(4 * y, 4 * y + 4);
    for (let x = 0; x < width; x++) {
      large[y * width + x] = p * wide[a + x] + q * wide[b + x] + r * wide[c + x] + s * wide[d + x];
    }
  }
  return large;
}

/**
 * Otsu's threshold of values over [minimum, maximum], in their unit. It is the one of 256 levels that separates two
 * classes with the greatest variance between them; values above it are the region.
 * @param {ArrayLike<number> & Iterable<number>} values
 * @param {number} minimum
 * @param {number} maximum
 */
export function otsuThreshold(values, minimum, maximum) {
  const histogram = new Float64Array(256);
  const factor = maximum > minimum ? 255 / (maximum - minimum) : 0;
  for (const value of values) {
    histogram[Math.round((value - minimum) * factor)]++;
  }
  const mean = histogram.reduce((sum, count, level) => sum + level * count, 0) / values.length;
  let [lowShare, lowSum, best, threshold] = [0, 0, 0, 0];
  for (let level = 0; level < 256; level++) {
    lowShare += histogram[level] / values.length;
    lowSum += (level * histogram[level]) / values.length;
    const highShare = 1 - lowShare;
    if (lowShare < 1e-7 || highShare < 1e-7) {
      continue;
    }
    const variance = lowShare * highShare * (lowSum / lowShare - (mean - lowSum) / highShare) ** 2;
    if (variance > best * (1 + 1e-12)) {
      [best, threshold] = [variance, level];
    }
  }
  return factor === 0 ? maximum : minimum + (threshold + 0.5) / factor;
}

/**
 * The border around the cells above a threshold, as an SVG path in cells.
 * @param {Float32Array} values
 * @param {number} rows
 * @param {number} columns
 * @param {number} threshold
 */
export function cellContour(values, rows, columns, threshold) {
  /** @type {(row: number, column: number) => boolean} */
  const inside = (row, column) =>
    row >= 0 && row < rows && column >= 0 && column < columns && values[row * columns + column] > threshold;
  let path = "";
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (inside(row, column)) {
        path += inside(row - 1, column) ? "" : `M${column} ${row}h1`;
        path += inside(row + 1, column) ? "" : `M${column} ${row + 1}h1`;
        path += inside(row, column - 1) ? "" : `M${column} ${row}v1`;
        path += inside(row, column + 1) ? "" : `M${column + 1} ${row}v1`;
      }
    }
  }
  return path;
}

/**
 * The line where enlarged values cross a threshold (marching squares), as an SVG path in cells; open at the picture's
 * border.
 * @param {Float32Array} large
 * @param {number} rows
 * @param {number} columns
 * @param {number} steps
 * @param {number} threshold
 */
export function smoothContour(large, rows, columns, steps, threshold) {
  const width = columns * steps;
  const height = rows * steps;
  /** @param {number} i */
  const place = (i) => ((i + 0.5) / steps).toFixed(2);
  let path = "";
  for (let y = 0; y < height - 1; y++) {
    for (let x = 0; x < width - 1; x++) {
      const at = y * width + x;
      const [a, b, c, d] = [large[at], large[at + 1], large[at + width + 1], large[at + width]];
      const kind =
        (a > threshold ? 1 : 0) | (b > threshold ? 2 : 0) | (c > threshold ? 4 : 0) | (d > threshold ? 8 : 0);
      if (kind === 0 || kind === 15) {
        continue;
      }
      /** @type {(from: number, to: number) => number} */
      const cut = (from, to) => (threshold - from) / (to - from);
      const edges = {
        top: () => `${place(x + cut(a, b))} ${place(y)}`,
        right: () => `${place(x + 1)} ${place(y + cut(b, c))}`,
        bottom: () => `${place(x + cut(d, c))} ${place(y + 1)}`,
        left: () => `${place(x)} ${place(y + cut(a, d))}`,
      };
      for (const [from, to] of LINES[kind]) {
        path += `M${edges[from]()}L${edges[to]()}`;
      }
    }
  }
  return path;
}

// The lines through a square, by its corners that are inside: 1 top left, 2 top right, 4 bottom right, 8 bottom left.
/** @type {["top" | "right" | "bottom" | "left", "top" | "right" | "bottom" | "left"][][]} */
const LINES = [
  [],
  [["left", "top"]],
  [["top", "right"]],
  [["left", "right"]],
  [["right", "bottom"]],
  [
    ["left", "top"],
    ["right", "bottom"],
  ],
  [["top", "bottom"]],
  [["left", "bottom"]],
  [["left", "bottom"]],
  [["top", "bottom"]],
  [
    ["top", "right"],
    ["left", "bottom"],
  ],
  [["right", "bottom"]],
  [["left", "right"]],
  [["top", "right"]],
  [["left", "top"]],
  [],
];

/**
 * For each place of the output, the four cells around it and their weights.
 * @param {number} count
 * @param {number} steps
 */
function taps(count, steps) {
  const cells = new Int32Array(4 * count * steps);
  const weights = new Float32Array(4 * count * steps);
  for (let i = 0; i < count * steps; i++) {
    const place = (i + 0.5) / steps - 0.5;
    const cell = Math.floor(place);
    const t = place - cell;
    weights.set(
      [
        ((2 - t) * t - 1) * t * 0.5,
        ((3 * t - 5) * t * t + 2) * 0.5,
        ((4 - 3 * t) * t + 1) * t * 0.5,
        (t - 1) * t * t * 0.5,
      ],
      4 * i,
    );
    for (let tap = 0; tap < 4; tap++) {
      cells[4 * i + tap] = Math.max(0, Math.min(count - 1, cell + tap - 1));
    }
  }
  return { cells, weights };
}
