// Two runs of the same answer: which tokens belong together, how maps of different grids meet, how far they agree.

import { otsuThreshold } from "./field.js";

/**
 * @import {
 *   ActivationMap, Agreement, ComparedRuns, Comparison, FrameData, Grid, Report, Selection, Span
 * } from "./types.js"
 */

/**
 * The span of the second run that holds the text of a span of the first; null where there is none.
 * @param {Comparison} comparison
 * @param {Span} span
 * @returns {Selection | null}
 */
export function pairOf({ pairs }, { from, to }) {
  const found = pairs.slice(from, to + 1).filter((pair) => pair !== null);
  return found.length === 0 ? null : { kind: "answer", from: found[0][0], to: found[found.length - 1][1] };
}

/**
 * How far the two runs' maps of a token agree, over all pictures: Pearson's correlation of the cells, and intersection
 * over union of the regions above each map's Otsu threshold. Both are null where a run has no map, or does not vary.
 * @param {ComparedRuns} runs
 * @param {number} index of the answer's token
 * @returns {Agreement}
 */
export function agreementOf(runs, index) {
  const ofRuns = known.get(runs) ?? new Map();
  known.set(runs, ofRuns);
  const agreement = ofRuns.get(index) ?? compute(runs, index);
  ofRuns.set(index, agreement);
  return agreement;
}

/** @type {WeakMap<ComparedRuns, Map<number, Agreement>>} */
const known = new WeakMap();

/**
 * @param {ComparedRuns} runs
 * @param {number} index
 * @returns {Agreement}
 */
function compute({ report, other, comparison }, index) {
  const pair = pairOf(comparison, { from: index, to: index });
  const none = { correlation: null, iou: null };
  if (pair === null) {
    return none;
  }
  const [one, two] = [report.maps({ kind: "answer", from: index, to: index }, 0), other.maps(pair, 0)];
  /** @type {[number[], number[]]} */
  const [first, second] = [[], []];
  report.media.forEach((media, mediaIndex) =>
    media.frames.forEach((frame, frameIndex) => {
      const [a, b] = [gridOf(report, one, frame), gridOf(other, two, other.media[mediaIndex].frames[frameIndex])];
      if (a !== null && b !== null) {
        first.push(...a.values);
        second.push(...resample(b, a.rows, a.columns));
      }
    }),
  );
  return first.length === 0 ? none : { correlation: correlationOf(first, second), iou: iouOf(first, second) };
}

/**
 * The part of a run's maps that lies on a frame of a picture or video.
 * @param {Report} report
 * @param {(ActivationMap | null)[]} maps
 * @param {FrameData} frame
 * @returns {Grid | null}
 */
export function gridOf(report, maps, { block, frame }) {
  const { rows, columns } = report.blocks[block];
  const map = maps[block];
  const start = frame * rows * columns;
  return map === null ? null : { map, rows, columns, values: map.values.subarray(start, start + rows * columns) };
}

/**
 * Values on a grid of other cells: the mean over the area that each of them covers.
 * @param {{ values: Float32Array, rows: number, columns: number }} grid
 * @param {number} toRows
 * @param {number} toColumns
 */
export function resample({ values, rows, columns }, toRows, toColumns) {
  if (rows === toRows && columns === toColumns) {
    return values;
  }
  const [down, across] = [overlaps(rows, toRows), overlaps(columns, toColumns)];
  const result = new Float32Array(toRows * toColumns);
  down.forEach((rowParts, row) =>
    across.forEach((columnParts, column) => {
      for (const [sourceRow, height] of rowParts) {
        for (const [sourceColumn, width] of columnParts) {
          result[row * toColumns + column] += height * width * values[sourceRow * columns + sourceColumn];
        }
      }
    }),
  );
  return result;
}

/**
 * @param {number} from
 * @param {number} to
 * @returns {[cell: number, share: number][][]}
 */
function overlaps(from, to) {
  return Array.from({ length: to }, (_, i) => {
    const [start, end] = [(i * from) / to, ((i + 1) * from) / to];
    /** @type {[cell: number, share: number][]} */
    const parts = [];
    for (let cell = Math.floor(start); cell < Math.min(from, Math.ceil(end - 1e-9)); cell++) {
      parts.push([cell, (Math.min(end, cell + 1) - Math.max(start, cell)) / (end - start)]);
    }
    return parts;
  });
}

/**
 * @param {number[]} a
 * @param {number[]} b
 */
function correlationOf(a, b) {
  /** @param {number[]} values */
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [both, onlyA, onlyB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i] - meanA, b[i] - meanB];
    both += x * y;
    onlyA += x * x;
    onlyB += y * y;
  }
  return onlyA > 0 && onlyB > 0 ? both / Math.sqrt(onlyA * onlyB) : null;
}

/**
 * @param {number[]} a
 * @param {number[]} b
 */
function iouOf(a, b) {
  const [limitA, limitB] = [a, b].map((values) => {
    const [low, high] = values.reduce(
      ([min, max], value) => [Math.min(min, value), Math.max(max, value)],
      [Infinity, -Infinity],
    );
    return otsuThreshold(values, low, high);
  });
  let [both, either] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    const [inA, inB] = [a[i] > limitA, b[i] > limitB];
    both += inA && inB ? 1 : 0;
    either += inA || inB ? 1 : 0;
  }
  return either > 0 ? both / either : null;
}
