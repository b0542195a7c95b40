// What a state shows. It is computed once per change, and the page's parts only draw it.

import { colormaps, differences } from "./colormaps.js";
import { gridOf, pairOf, resample } from "./compare.js";
import { WEAK, sumOf } from "./report.js";

/**
 * @import {
 *   ActivationMap, Extent, Finding, Layer, Media, Region, Report, Runs, Selection, Shade, State, View
 * } from "./types.js"
 */

/**
 * The view of a state.
 * @param {Runs} runs
 * @param {State} state
 * @returns {View}
 */
export function viewOf(runs, state) {
  const reports = state.method === null ? runs.methods : [runs.methods[state.method]];
  const [report] = reports;
  const selection = state.preview ?? state.selection;
  const isOne = selection?.kind === "answer" && selection.from === selection.to;
  const token = isOne ? report.answer[selection.from] : null;
  const candidate = state.preview === null ? state.candidate : null;
  const explainedIndex = token !== null && candidate !== null ? token.candidates[candidate] : 0;
  const found = state.region === null ? null : ranked(report, state, state.region);
  return {
    selection,
    isPreview: state.preview !== null,
    token,
    explainedIndex,
    reports,
    names: namesOf(runs, reports),
    layers:
      selection !== null && reports.some((one) => one.hasMaps(selection))
        ? layersOf(runs, reports, state, selection, explainedIndex)
        : [],
    claims: runs.other === null ? reports.map((one) => one.claims) : [report.claims, runs.other.claims, []],
    shade: shadeOf(report, state, selection, explainedIndex, found),
    found,
  };
}

/**
 * The frames of a picture or video of a layer, as sums of what is above zero.
 * @param {Layer} layer
 * @param {Media} media
 */
export function frameSums(layer, media) {
  return media.frames.map((_, frame) => {
    const grid = layer.grid(media.index, frame);
    return grid === null ? null : sumOf(grid.values);
  });
}

/**
 * @param {Runs} runs
 * @param {Report[]} reports
 */
function namesOf(runs, reports) {
  if (runs.other !== null) {
    return [...runs.comparison.names, "Difference"];
  }
  return runs.methods.length > 1 ? reports.map((report) => methodNames(runs)[runs.methods.indexOf(report)]) : [""];
}

/**
 * How each of a run's maps was made. Methods of one name differ in other options.
 * @param {Runs} runs
 */
export function methodNames({ methods }) {
  const names = methods.map(({ method }) => method.name);
  return names.map((name, i) => (names.indexOf(name) === i ? name : `${name} (${i + 1})`));
}

/**
 * @param {Runs} runs
 * @param {Report[]} reports
 * @param {State} state
 * @param {Selection} selection
 * @param {number} explainedIndex
 * @returns {Layer[]}
 */
function layersOf(runs, reports, state, selection, explainedIndex) {
  if (runs.other === null) {
    const names = namesOf(runs, reports);
    return reports.map((report, i) => runLayer(report, names[i] || undefined, selection, explainedIndex, state));
  }
  const [firstName, name] = runs.comparison.names;
  const first = runLayer(runs.report, firstName, selection, explainedIndex, state);
  const pair = selection.kind === "answer" ? pairOf(runs.comparison, selection) : null;
  const second = pair && runLayer(runs.other, name, pair, 0, state);
  return [
    first,
    second ?? { ...first, name, strength: null, grid: () => null },
    differenceLayer(runs.report.media, first, second, state),
  ];
}

/**
 * @param {Report} report
 * @param {string | undefined} name
 * @param {Selection} selection
 * @param {number} explainedIndex
 * @param {State} state
 * @returns {Layer}
 */
function runLayer(report, name, selection, explainedIndex, state) {
  const maps = report.hasMaps(selection) ? report.maps(selection, explainedIndex) : report.blocks.map(() => null);
  const strength = maps.some((map) => map !== null) ? report.strengthOf(maps) : null;
  return {
    name,
    strength,
    look: {
      smooth: state.drawn === "smooth",
      opacity: (state.opacity / 100) * (state.scale === "token" ? fadeOf(strength ?? 0) : 1),
      contour: state.contour,
      colours: colormaps[state.map],
      range: state.scale === "all" ? report.commonRange() : ownRange(maps),
    },
    grid: (media, frame) => gridOf(report, maps, report.media[media].frames[frame]),
  };
}

/**
 * The part of its colours that something of some strength keeps.
 * @param {number} strength as a part of the strongest
 */
function fadeOf(strength) {
  return Math.min(1, strength / WEAK);
}

// The colours never span less than this part of the scale: smaller differences are the rounding of maps kept in 8 bits,
// and must not look like findings.
const LEAST_DIFFERENCE = 0.01;

/**
 * Each run's values over its own scale, the first less the second, on the first one's cells.
 * @param {Media[]} media
 * @param {Layer} first
 * @param {Layer | null} second
 * @param {State} state
 * @returns {Layer}
 */
function differenceLayer(media, first, second, state) {
  /** @type {Layer["grid"]} */
  const grid = (mediaIndex, frame) => {
    const one = first.grid(mediaIndex, frame);
    const two = second?.grid(mediaIndex, frame) ?? null;
    if (one === null || two === null || second === null) {
      return null;
    }
    const { rows, columns } = one;
    const resampled = resample(two, rows, columns);
    const values = one.values.map((value, i) => part(value, first.look.range) - part(resampled[i], second.look.range));
    return { map: { values, minimum: -1, maximum: 1 }, rows, columns, values };
  };
  let highest = 0;
  for (const { index, frames } of state.scale === "all" ? [] : media) {
    frames.forEach((_, frame) =>
      grid(index, frame)?.values.forEach((value) => (highest = Math.max(highest, Math.abs(value)))),
    );
  }
  const limit = state.scale === "all" ? 1 : Math.max(highest, LEAST_DIFFERENCE);
  return {
    name: "Difference",
    isDifference: true,
    strength: null,
    grid,
    look: {
      ...first.look,
      opacity: state.opacity / 100,
      contour: false,
      colours: differences,
      isSigned: true,
      range: [-limit, limit],
    },
  };
}

/**
 * @param {number} value
 * @param {Extent} range
 */
function part(value, [low, high]) {
  return high > low ? Math.max(0, Math.min(1, (value - low) / (high - low))) : 0;
}

/**
 * @param {(ActivationMap | null)[]} maps
 * @returns {Extent}
 */
function ownRange(maps) {
  const present = maps.filter((map) => map !== null);
  return present.length === 0
    ? [0, 0]
    : [Math.min(...present.map((map) => map.minimum)), Math.max(...present.map((map) => map.maximum))];
}

/**
 * @param {Report} report
 * @param {State} state
 * @param {Region} region
 */
function ranked(report, state, { media, frame, top, left, bottom, right }) {
  const place = report.media[media].frames[frame];
  const region = { block: place.block, frame: place.frame, top, left, bottom, right };
  const tokens = report.lookUp(
    region,
    report.answer.map(({ index }) => ({ from: index, to: index })),
  );
  const spans = state.unit === "word" ? report.lookUp(region, report.words) : tokens;
  // A share of next to nothing is next to nothing: weak tokens come after.
  /** @param {Finding} one */
  const height = (one) => (state.rank === "share" ? one.share * fadeOf(one.whole) : one.strength);
  return { tokens, ranking: spans.toSorted((a, b) => height(b) - height(a)) };
}

/**
 * @param {Report} report
 * @param {State} state
 * @param {Selection | null} selection
 * @param {number} explainedIndex
 * @param {View["found"]} found
 * @returns {Shade}
 */
function shadeOf(report, state, selection, explainedIndex, found) {
  /** @type {"from" | "to" | "region"} */
  let kind = "from";
  /** @type {Map<number, number>} */
  let values = new Map();
  if (found !== null) {
    kind = "region";
    values = new Map(
      found.tokens.map((one) => [
        report.answer[one.span.from].token,
        state.rank === "share" ? one.share * fadeOf(one.whole) : one.strength,
      ]),
    );
  } else if (selection?.kind === "text" || (selection !== null && state.direction === "to")) {
    kind = "to";
    values = new Map([...report.influence(selection)].map(([index, value]) => [report.answer[index].token, value]));
  } else if (selection !== null) {
    values = report.relevance(selection, explainedIndex);
  }
  let highest = 0;
  for (const value of values.values()) {
    highest = Math.max(highest, value);
  }
  // What it led to is relevance in other tokens' scales, in which 1 is the greatest.
  const strength = {
    from: () => (selection === null ? 0 : report.textStrength(selection, explainedIndex, highest)),
    to: () => highest,
    region: () => 1,
  }[kind]();
  return { kind, values, highest, strength, full: state.scale === "token" ? fadeOf(strength) : Math.min(1, strength) };
}
