// One line over the pictures: what the colours show now.

import { create } from "./dom.js";
import { formatPercent, oneLineText, spokenText } from "./text.js";

/** @import { Report, View } from "./types.js" */

/**
 * What is shown, in words: before the word, the word, after it.
 * @param {Report} report
 * @param {View} view
 * @returns {[before: string, word: string, after: string]}
 */
export function captionOf(report, view) {
  const { selection, found, layers } = view;
  if (selection === null) {
    return found === null
      ? ["Point at a word to see where it came from", "", ""]
      : ["What came from the place that is marked", "", ""];
  }
  const explained = view.token?.explained[view.explainedIndex] ?? null;
  const isOther = explained !== null && view.explainedIndex !== 0;
  const word = wordOf(isOther ? explained.text : report.textOf(selection));
  const [{ strength } = { strength: null }] = layers;
  if (strength === null) {
    return selection.kind === "text" ? ["What ", word, " led to"] : ["No picture stands before ", word, ""];
  }
  return [
    "Where ",
    word,
    `${isOther ? " would have come" : " came"} from${report.isWeak(strength) ? `: ${weaknessOf(strength)}` : ""}`,
  ];
}

/**
 * What is wrong with a weak map, in words.
 * @param {number} strength
 */
export function weaknessOf(strength) {
  return strength > 0
    ? `weak, ${formatPercent(strength)} of the strongest word\u2019s`
    : "nowhere in the picture, its map is zero";
}

/** @param {Report} report */
export function buildCaption(report) {
  const element = create("p", "caption");
  return {
    element,
    /** @param {View} view */
    show(view) {
      const [before, word, after] = captionOf(report, view);
      element.replaceChildren(before, ...(word === "" ? [] : [create("b", "", create("bdi", "", word))]), after);
    },
  };
}

/** @param {string} text */
function wordOf(text) {
  return text.trim() === "" ? spokenText(text) : oneLineText(text).trim();
}
