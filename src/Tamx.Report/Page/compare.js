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
 * How far the two runs' maps of a token or word agree, over all pictures: Pearson's correlation of the cells,
 * intersection over union of the regions above each map's Otsu threshold, and the mean difference of the cells, each
 * map on its own scale from 0 to 1. They are null where a run has no map, or does not vary.
 * @param {ComparedRuns} runs
 * @param {Span} span of the answer
 * @returns {Agreement}
 */
export function agreementOf(runs, { from, to }) {
  const ofRuns = known.get(runs) ?? new Map();
  known.set(runs, ofRuns);
  const agreement = ofRuns.get(`${from}-${to}`) ?? compute(runs, { from, to });
  ofRuns.set(`${from}-${to}`, agreement);
  return agreement;
}

/** @type {WeakMap<ComparedRuns, Map<string, Agreement>>} */
const known = new WeakMap();

/**
 * What two runs come to, in a sentence or two.
 * @param {ComparedRuns} runs
 */
export function summaryOf(runs) {
  const { report, other, comparison } = runs;
  const words = report.words.map((span) => ({ span, ...agreementOf(runs, span) }));
  const compared = words.filter(({ difference }) => difference !== null);
  /** @param {(number | null)[]} values */
  const mean = (values) => {
    const there = values.filter((value) => value !== null);
    return there.length === 0 ? null : there.reduce((sum, value) => sum + value, 0) / there.length;
  };
  const [correlation, difference] = [
    mean(words.map((one) => one.correlation)),
    mean(compared.map((one) => one.difference)),
  ];
  const most = compared.toSorted((a, b) => (b.difference ?? 0) - (a.difference ?? 0))[0];
  const sentences = [
    difference === null || most === undefined
      ? "No word has a map in both runs."
      : `Over ${compared.length} words the maps differ by ${difference.toFixed(3)} on average` +
        `${correlation === null ? "" : ` and correlate with ${correlation.toFixed(3)}`}; most at ` +
        `\u201C${report.answerText(most.span).trim()}\u201D (${most.difference?.toFixed(3)}).`,
  ];
  const [one, two] = [meanLogProbability(report), meanLogProbability(other)];
  if (one !== null && two !== null) {
    const [first, second] = comparison.names;
    sentences.push(
      Math.abs(one - two) < 0.0005
        ? "Both find the answer equally likely."
        : `${one > two ? first : second} finds the answer likelier: ln p ${Math.max(one, two).toFixed(3)} per token, ` +
            `against ${Math.min(one, two).toFixed(3)}.`,
    );
  }
  return sentences.join(" ");
}

/** @param {Report} report */
function meanLogProbability(report) {
  const values = report.answer.map(({ explained: [own] }) => own.probability);
  return values.length === 0 || values.some((value) => value === null)
    ? null
    : values.reduce((/** @type {number} */ sum, value) => sum + Math.log(Math.max(value ?? 0, 1e-30)), 0) /
        values.length;
}

/**
 * @param {ComparedRuns} runs
 * @param {Span} span
 * @returns {Agreement}
 */
function compute({ report, other, comparison }, span) {
  const pair = pairOf(comparison, span);
  const none = { correlation: null, iou: null, difference: null };
  if (pair === null) {
    return none;
  }
  const [one, two] = [report.maps({ kind: "answer", ...span }, 0), other.maps(pair, 0)];
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
  return first.length === 0
    ? none
    : {
        correlation: correlationOf(first, second),
        iou: iouOf(first, second),
        difference: differenceOf(first, second),
      };
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

/** @param {number[]} values */
function extentOf(values) {
  return values.reduce(([min, max], value) => [Math.min(min, value), Math.max(max, value)], [Infinity, -Infinity]);
}

/**
 * @param {number[]} a
 * @param {number[]} b
 */
function differenceOf(a, b) {
  const [one, two] = [a, b].map((values) => {
    const [low, high] = extentOf(values);
    return high > low ? values.map((value) => (value - low) / (high - low)) : values.map(() => 0);
  });
  return one.reduce((sum, value, i) => sum + Math.abs(value - two[i]), 0) / one.length;
}

/**
 * @param {number[]} a
 * @param {number[]} b
 */
function iouOf(a, b) {
  const [limitA, limitB] = [a, b].map((values) => {
    const [low, high] = extentOf(values);
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
