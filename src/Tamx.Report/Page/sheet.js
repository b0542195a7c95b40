// What is printed after the page: a contact sheet, one small picture per word that has its evidence in a picture.

import { create } from "./dom.js";
import { drawMap } from "./heatmap.js";
import { formatNumber, isFunctionWord, oneLineText } from "./text.js";
import { frameSums, viewOf } from "./view.js";

/** @import { Picture, Runs, Span, State } from "./types.js" */

const MOST_WORDS = 24;

// What is counted has a tile of its own.
const COUNTS = new Set(["one", "two", "three", "four"]);

/**
 * Builds the sheet, which is empty until it is printed.
 * @param {Runs} runs
 * @param {(picture: Picture) => string} address
 */
export function buildSheet(runs, address) {
  const element = create("section", { class: "sheet", "aria-label": "Contact sheet" });
  return {
    element,
    /** @param {State} state */
    async fill(state) {
      const tiles = sheetWords(runs).map((span) => tileOf(runs, span, state, address));
      element.replaceChildren(...(tiles.length > 0 ? [create("h2", "", "Words of the answer"), ...tiles] : []));
    },
    empty: () => element.replaceChildren(),
  };
}

/**
 * The words of a contact sheet, in reading order: those with a strong map that are no function words, each once. Of
 * more than fit, the strongest.
 * @param {Runs} runs
 */
export function sheetWords({ report }) {
  /** @type {Set<string>} */
  const seen = new Set();
  return report.words
    .filter((span) => span.from >= report.thoughtTokens)
    .map((span) => ({ span, text: report.answerText(span).trim().toLowerCase() }))
    .filter(({ text }) => /\p{L}/u.test(text) && !/^<.*>$/.test(text) && !isFunctionWord(text) && !COUNTS.has(text))
    .filter(({ text }) => !seen.has(text) && seen.add(text))
    .map(({ span }) => ({ span, strength: report.strengthOf(report.maps({ kind: "answer", ...span }, 0)) }))
    .filter(({ strength }) => !report.isWeak(strength))
    .toSorted((a, b) => b.strength - a.strength)
    .slice(0, MOST_WORDS)
    .map(({ span }) => span)
    .toSorted((a, b) => a.from - b.from);
}

/**
 * @param {Runs} runs
 * @param {Span} span
 * @param {State} state
 * @param {(picture: Picture) => string} address
 */
function tileOf(runs, span, state, address) {
  const { report } = runs;
  /** @type {State} */
  const shown = { ...state, selection: { kind: "answer", ...span }, preview: null, candidate: null, region: null };
  const [layer] = viewOf(runs, shown).layers;
  // Of several pictures, the one that has most of the word.
  const places = report.media.flatMap((media) =>
    frameSums(layer, media).map((sum, frame) => ({ media, frame, sum: sum ?? -1 })),
  );
  const { media, frame } = places.reduce((best, place) => (place.sum > best.sum ? place : best));
  const grid = layer.grid(media.index, frame);
  const { picture, rows, columns } = media.frames[frame];
  const stage = create("div", "stage mapped");
  if (picture !== null) {
    stage.append(create("img", { src: address(picture), role: "presentation" }));
  }
  if (grid !== null) {
    const canvas = create("canvas");
    drawMap(canvas, grid.values, grid.rows, grid.columns, layer.look);
    stage.append(canvas);
  }
  const ratio = picture === null ? columns / rows : picture.width / picture.height;
  stage.style.setProperty("--ratio", String(ratio));
  const where = report.media.length > 1 ? `, ${media.name}` : "";
  const place = media.frames.length > 1 ? ` frame ${frame + 1}` : "";
  const peak = grid === null ? "" : ` ${formatNumber(grid.map.maximum)}`;
  return create(
    "figure",
    "",
    stage,
    create("figcaption", "", create("b", "", oneLineText(report.answerText(span)).trim()), `${peak}${where}${place}`),
  );
}
