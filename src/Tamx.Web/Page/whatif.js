// What if a place of the picture were hidden, or all that there is: the same answer read again with a changed picture,
// or the question answered anew.

import { create } from "./report/dom.js";
import { formatPercent, oneLineText } from "./report/text.js";

/** @import { Attachment, ChangedToken, WhatIf } from "./types.js" */
/** @import { Frame, Region, Report } from "./report/types.js" */

const GREY = "rgb(128 128 128)";
const MOST_CHANGES = 6;

/**
 * Builds the strip that asks it.
 * @param {(what: WhatIf) => void} ask
 */
export function buildWhatIf(ask) {
  const anew = create("input", { type: "checkbox", name: "anew" });
  /** @type {(name: string, kind: WhatIf["kind"]) => HTMLElement} */
  const button = (name, kind) =>
    create("button", { type: "button", class: "quiet", onclick: () => ask({ kind, isAnew: anew.checked }) }, name);
  const result = create("div", { class: "result", role: "status" });
  const element = create(
    "section",
    { class: "what-if", "aria-label": "What if", hidden: true },
    create(
      "div",
      "line",
      create("b", "", "What if"),
      button("Hide this place", "hide"),
      button("Keep only it", "keep"),
      create("label", "check", anew, "answered anew"),
    ),
    result,
  );
  return {
    element,
    /** @param {boolean} isPossible whether there is a place to ask about */
    show(isPossible) {
      element.hidden = !isPossible;
      result.replaceChildren();
    },
    /**
     * Shows what became of the answer's tokens.
     * @param {WhatIf["kind"]} kind
     * @param {ChangedToken[]} changed
     */
    changed(kind, changed) {
      const sum = changed.reduce((total, one) => total + one.change, 0);
      const most = changed.toSorted((a, b) => Math.abs(b.change) - Math.abs(a.change)).slice(0, MOST_CHANGES);
      result.replaceChildren(
        create("p", "", `${kind === "hide" ? "Hidden" : "Alone"}: ln p of the answer changes by ${signed(sum)}.`),
        create(
          "ul",
          "",
          ...most.map(({ text, change, before, after }) =>
            create(
              "li",
              "",
              create("bdi", "token-text", oneLineText(text).trim() || "\u00B7"),
              ` ${signed(change)}, from ${formatPercent(before)} to ${formatPercent(after)}`,
            ),
          ),
        ),
      );
    },
    /**
     * Shows both answers.
     * @param {string} before
     * @param {string} now
     */
    answered(before, now) {
      result.replaceChildren(
        create(
          "dl",
          "answers",
          create("dt", "", "As it is"),
          create("dd", "", create("bdi", "", before)),
          create("dt", "", "Changed"),
          create("dd", "", create("bdi", "", now)),
        ),
      );
    },
  };
}

/**
 * A picture with a region in middle grey, or with all else in it. Its cells are the map's.
 * @param {Attachment} picture
 * @param {Frame} frame
 * @param {Region} region
 * @param {WhatIf["kind"]} kind
 */
export async function changedPicture({ file }, frame, region, kind) {
  const bitmap = await createImageBitmap(file);
  const { width, height } = bitmap;
  const [left, right] = [edgeOf(region.left, frame.columns, width), edgeOf(region.right + 1, frame.columns, width)];
  const [top, bottom] = [edgeOf(region.top, frame.rows, height), edgeOf(region.bottom + 1, frame.rows, height)];
  const canvas = new OffscreenCanvas(width, height);
  const context = /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.fillStyle = GREY;
  /** @type {[number, number, number, number]} */
  const place = [left, top, right - left, bottom - top];
  if (kind === "hide") {
    context.drawImage(bitmap, 0, 0);
    context.fillRect(...place);
  } else {
    context.fillRect(0, 0, width, height);
    context.drawImage(bitmap, ...place, ...place);
  }
  return new File([await canvas.convertToBlob({ type: "image/png" })], file.name, { type: "image/png" });
}

/**
 * The first pixel whose middle lies in a cell or after it.
 * @param {number} cell
 * @param {number} cells
 * @param {number} pixels
 */
export function edgeOf(cell, cells, pixels) {
  return Math.max(0, Math.min(pixels, Math.ceil((cell * pixels) / cells - 0.5)));
}

/**
 * How the probabilities of an answer's tokens change, as far as both runs have the same tokens.
 * @param {Report} report
 * @param {{ text: string, probability: number | null }[]} tokens of the other run
 * @returns {ChangedToken[]}
 */
export function changesOf(report, tokens) {
  /** @type {ChangedToken[]} */
  const changed = [];
  for (const [i, { text, probability }] of tokens.entries()) {
    const own = report.answer[i]?.explained[0];
    if (own === undefined || own.text !== text) {
      break;
    }
    if (own.probability !== null && probability !== null) {
      const [before, after] = [own.probability, probability];
      changed.push({ index: i, text, before, after, change: logOf(after) - logOf(before) });
    }
  }
  return changed;
}

/** @param {number} probability */
function logOf(probability) {
  return Math.log(Math.max(probability, 1e-30));
}

/** @param {number} value */
function signed(value) {
  return `${value < 0 ? "\u2212" : "+"}${Math.abs(value).toFixed(2)}`;
}
