// What a state shows, computed once per change; the page's parts only draw it.

import { colormaps, differences } from "./colormaps.js";
import { gridOf, pairOf, resample } from "./compare.js";
import { sumOf } from "./report.js";

/**
 * The view of a state.
 * @param runs { report, other, comparison }: the run, and in a comparison the second one and how the two fit together.
 * @returns {object} selection, isPreview; token (of a selection of one answer token), explainedIndex; layers (maps drawn over the
 *   pictures, none without a selection in the answer); shade { kind, values: token index to number, highest }; found (region look-up)
 */
export function viewOf(runs, state) {
  const { report } = runs;
  const selection = state.preview ?? state.selection;
  const isAnswer = selection?.kind === "answer";
  const token = isAnswer && selection.from === selection.to ? report.answer[selection.from] : null;
  const isOwn = state.preview === null && token !== null && state.candidate !== null;
  const explainedIndex = isOwn ? token.candidates[state.candidate] : 0;
  const found = state.region === null ? null : ranked(report, state);
  const look = { smooth: state.drawn === "smooth", opacity: state.opacity / 100, contour: state.contour };
  return {
    selection,
    isPreview: state.preview !== null,
    token,
    explainedIndex,
    layers:
      selection !== null && report.hasMaps(selection) ? layersOf(runs, state, selection, explainedIndex, look) : [],
    look,
    shade: shadeOf(report, state, selection, explainedIndex, found),
    found,
  };
}

/** The frames of a picture or video of a layer, as sums of what is above zero. */
export function frameSums(layer, media) {
  return media.frames.map((_, frame) => {
    const grid = layer.grid(media.index, frame);
    return grid === null ? null : sumOf(grid.values);
  });
}

function layersOf(runs, state, selection, explainedIndex, look) {
  const colours = colormaps[state.map];
  const first = runLayer(runs.report, runs.comparison?.names[0], selection, explainedIndex, state, {
    ...look,
    colours,
  });
  if (!runs.other) {
    return [first];
  }
  const pair = selection.kind === "answer" ? pairOf(runs.comparison, selection) : null;
  const second = pair && runLayer(runs.other, runs.comparison.names[1], pair, 0, state, { ...look, colours });
  return [
    first,
    second ?? emptyLayer(first, runs.comparison.names[1]),
    differenceLayer(runs.report.media, first, second, state, look),
  ];
}

function runLayer(report, name, selection, explainedIndex, state, look) {
  const maps = report.maps(selection, explainedIndex);
  return {
    name,
    look: { ...look, range: state.scale === "all" ? report.commonRange() : ownRange(maps) },
    grid: (media, frame) => gridOf(report, maps, report.media[media].frames[frame]),
  };
}

function emptyLayer(like, name) {
  return { name, look: like.look, grid: () => null };
}

// Differences of a hundredth of the scale fill the colours at most: smaller ones are the rounding of maps kept in 8 bits, and must not look like findings.
const LEAST_DIFFERENCE = 0.01;

// Each run's values over its own scale, the first less the second, on the first one's cells.
function differenceLayer(media, first, second, state, look) {
  const grid = (mediaIndex, frame) => {
    const [one, two] = [first.grid(mediaIndex, frame), second?.grid(mediaIndex, frame) ?? null];
    if (one === null || two === null) {
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
    grid,
    look: { ...look, contour: false, colours: differences, isSigned: true, range: [-limit, limit] },
  };
}

function part(value, [low, high]) {
  return high > low ? Math.max(0, Math.min(1, (value - low) / (high - low))) : 0;
}

function ownRange(maps) {
  const present = maps.filter((map) => map !== null);
  return present.length === 0
    ? [0, 0]
    : [Math.min(...present.map((map) => map.minimum)), Math.max(...present.map((map) => map.maximum))];
}

function ranked(report, state) {
  const { media, frame, top, left, bottom, right } = state.region;
  const place = report.media[media].frames[frame];
  const region = { block: place.block, frame: place.frame, top, left, bottom, right };
  const tokens = report.lookUp(
    region,
    report.answer.map(({ index }) => ({ from: index, to: index })),
  );
  const spans = state.unit === "word" ? report.lookUp(region, report.words) : tokens;
  return { tokens, ranking: spans.toSorted((a, b) => b[state.rank] - a[state.rank]) };
}

function shadeOf(report, state, selection, explainedIndex, found) {
  let kind = "from";
  let values = new Map();
  if (found !== null) {
    kind = "region";
    values = new Map(found.tokens.map((one) => [report.answer[one.span.from].token, one[state.rank]]));
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
  return { kind, values, highest };
}
