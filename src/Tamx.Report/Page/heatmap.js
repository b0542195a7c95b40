// Draws a map: colours on a small canvas that the style sheet stretches over the picture, and the region's contour.

import { contextOf } from "./dom.js";
import { cellContour, enlarge, otsuThreshold, smoothContour, smoothSteps } from "./field.js";

/** @import { ActivationMap, Look } from "./types.js" */

// Where a map is low the picture shines through. This part of the opacity is left at the low end of the scale.
const LEAST_COVER = 0.35;

/**
 * Draws values on a canvas. Signed ones let the picture shine through at zero.
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} values row-major
 * @param {number} rows
 * @param {number} columns
 * @param {Look} look
 */
export function drawMap(canvas, values, rows, columns, look) {
  const steps = look.smooth ? smoothSteps(rows, columns) : 1;
  const pixels = steps === 1 ? values : enlarge(values, rows, columns, steps);
  const image = new ImageData(columns * steps, rows * steps);
  const target = new Uint32Array(image.data.buffer);
  const shades = shadesOf(look);
  const [low, high] = look.range;
  const factor = high > low ? 255 / (high - low) : 0;
  const offset = 0.5 - low * factor;
  for (let i = 0; i < pixels.length; i++) {
    const level = (pixels[i] * factor + offset) | 0;
    target[i] = shades[level < 0 ? 0 : level > 255 ? 255 : level];
  }
  if (canvas.width !== image.width || canvas.height !== image.height) {
    canvas.width = image.width;
    canvas.height = image.height;
  }
  canvas.classList.toggle("cells", !look.smooth);
  contextOf(canvas).putImageData(image, 0, 0);
}

/**
 * The contour of the region above Otsu's threshold of a whole map, on one frame of it; an SVG path in cells.
 * @param {ActivationMap} map
 * @param {Float32Array} values
 * @param {number} rows
 * @param {number} columns
 * @param {boolean} smooth
 */
export function regionContour(map, values, rows, columns, smooth) {
  const threshold = otsuThreshold(map.values, map.minimum, map.maximum);
  if (!smooth) {
    return cellContour(values, rows, columns, threshold);
  }
  const steps = Math.min(4, smoothSteps(rows, columns));
  return smoothContour(enlarge(values, rows, columns, steps), rows, columns, steps, threshold);
}

/**
 * The 256 colours of a look with their opacity, each as the 32 bits that a canvas's memory holds.
 * @param {Look} look
 */
function shadesOf({ colours, opacity, isSigned }) {
  const bytes = new Uint8ClampedArray(4 * 256);
  for (let i = 0; i < 256; i++) {
    const height = isSigned ? Math.abs(2 * i - 255) / 255 : i / 255;
    const cover = LEAST_COVER + (1 - LEAST_COVER) * Math.min(1, 2 * height);
    bytes.set([colours[3 * i], colours[3 * i + 1], colours[3 * i + 2], 255 * opacity * cover], 4 * i);
  }
  return new Uint32Array(bytes.buffer);
}
