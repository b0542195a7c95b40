// What was asked of a region of the picture: that it be hidden, kept alone or looked at, and what became of the words.

import { create } from "./dom.js";
import { oneLineText } from "./text.js";

/** @import { AskedRegion, Media, Report } from "./types.js" */

const MOST_WORDS = 8;

/** @type {Record<AskedRegion["use"], string>} */
export const USES = { hide: "hidden", keep: "kept alone", lookAt: "looked at" };

/**
 * What was asked, in words.
 * @param {Report} report
 * @param {AskedRegion} asked
 */
export function askedText(report, { use, picture, box, alpha }) {
  const [left, top, right, bottom] = box.map((edge) => `${Math.round(100 * edge)}\u2009%`);
  const name = askedMedia(report)?.name ?? `picture ${picture + 1}`;
  const strength = alpha === null ? "" : ` with alpha ${alpha}`;
  return `${USES[use]}${strength}: ${name}, ${left} to ${right} across, ${top} to ${bottom} down`;
}

/**
 * The picture with the region that was asked about; null for none.
 * @param {Report} report
 * @returns {Media | null}
 */
export function askedMedia(report) {
  const { asked } = report;
  return (asked && report.media.find((one) => one.pictureIndex === asked.picture)) ?? null;
}

/**
 * The answer's words with the change of their ln p, the greatest change first.
 * @param {Report} report
 * @param {number[]} changes by token
 */
export function changedWords(report, changes) {
  return report.words
    .map(({ from, to }) => ({
      text: oneLineText(report.answerText({ from, to })).trim() || "\u00B7",
      change: changes.slice(from, to + 1).reduce((sum, change) => sum + change, 0),
    }))
    .toSorted((a, b) => Math.abs(b.change) - Math.abs(a.change));
}

/**
 * A change of ln p, for shading by {@link Report.tokens}' indices.
 * @param {Report} report
 * @param {number[]} changes by token of the answer
 */
export function changesByToken(report, changes) {
  return new Map(changes.slice(0, report.answer.length).map((change, i) => [report.answer[i].token, change]));
}

/**
 * Builds the part about it; null where nothing was asked.
 * @param {Report} report
 * @param {(changes: Map<number, number> | null) => void} shade shades the words
 */
export function buildAsked(report, shade) {
  const { asked } = report;
  if (!asked) {
    return null;
  }
  const element = create(
    "section",
    { class: "asked-of", "aria-label": "What was asked of a region" },
    create("p", "", `A region was ${askedText(report, asked)}.`),
  );
  const { changes } = asked;
  if (changes !== null) {
    /** @type {HTMLInputElement} */
    const box = create("input", {
      type: "checkbox",
      name: "changes",
      onchange: () => shade(box.checked ? changesByToken(report, changes) : null),
    });
    element.append(
      create("p", "", `ln p of the answer changes by ${signed(sumOf(changes))} through it.`),
      wordList(changedWords(report, changes).slice(0, MOST_WORDS)),
      create("label", "check", box, "Shade the words by it"),
    );
  }
  return element;
}

/** @param {{ text: string, change: number }[]} words */
function wordList(words) {
  return create(
    "ul",
    "changes",
    ...words.map(({ text, change }) =>
      create("li", "", create("bdi", "token-text", text), " ", create("span", "number", signed(change))),
    ),
  );
}

/** @param {number[]} values */
function sumOf(values) {
  return values.reduce((sum, value) => sum + value, 0);
}

/** @param {number} value */
export function signed(value) {
  return `${value < 0 ? "\u2212" : "+"}${Math.abs(value).toFixed(2)}`;
}
