// The boxes and points that an answer claims: drawn over the pictures, and as a list with how far the maps agree.

import { create } from "./dom.js";
import { oneLineText } from "./text.js";

/** @import { Claim, ClaimActions, Selection, Span, View } from "./types.js" */

/**
 * The answer's tokens whose map a claim was compared with: its label's, or else its coordinates'.
 * @param {Claim} claim
 * @returns {Span}
 */
export function spanOf({ tokens, coordinateTokens }) {
  const used = tokens.length > 0 ? tokens : coordinateTokens;
  return { from: used[0], to: used[used.length - 1] };
}

/**
 * Whether a selection holds a token of the claim.
 * @param {Claim} claim
 * @param {Selection | null} selection
 */
export function isChosen({ tokens, coordinateTokens }, selection) {
  return (
    selection?.kind === "answer" &&
    [...tokens, ...coordinateTokens].some((token) => token >= selection.from && token <= selection.to)
  );
}

/**
 * What the answer calls it.
 * @param {Claim} claim
 */
export function nameOf({ label, box }) {
  return label.trim() === "" ? (isPoint(box) ? "point" : "box") : oneLineText(label).trim();
}

/**
 * A claim is drawn in another way where its evidence does not lie in it. This says so in words.
 * @param {Claim} claim
 */
export function warningOf({ evidence }) {
  return { inside: "", elsewhere: "evidence elsewhere", nowhere: "no evidence" }[evidence];
}

/**
 * How far the map agrees with the claim.
 * @param {Claim} claim
 */
export function scoresOf({ iou, pointing }) {
  return [...(iou === null ? [] : [`IoU ${iou.toFixed(2)}`]), pointing >= 0.5 ? "peak inside" : "peak outside"].join(
    ", ",
  );
}

/** @param {Claim["box"]} box */
export function isPoint([left, top, right, bottom]) {
  return left === right && top === bottom;
}

/**
 * The list under the pictures.
 * @param {ClaimActions} actions
 */
export function buildClaims(actions) {
  const element = create("section", { class: "claims", "aria-label": "What the answer says is where" });
  /** @type {Claim[][]} */
  let shown = [];
  /** @type {{ claim: Claim, row: HTMLElement }[]} */
  let rows = [];

  /** @param {Claim} claim */
  function buildRow(claim) {
    const warning = warningOf(claim);
    const row = create(
      "button",
      {
        type: "button",
        class: "row",
        onclick: () => actions.select(claim),
        onpointerenter: () => actions.preview(claim),
        onpointerleave: () => actions.preview(null),
      },
      create("bdi", "token-text", nameOf(claim)),
      create("span", "scores", scoresOf(claim)),
      create("span", warning === "" ? "place" : "place warning", warning === "" ? "evidence inside" : warning),
      ...(claim.isClamped ? [create("span", "note", "reaches beyond the picture")] : []),
    );
    rows.push({ claim, row });
    return row;
  }

  return {
    element,
    /** @param {View} view */
    show(view) {
      const wanted = view.claims;
      const isSame = wanted.length === shown.length && wanted.every((claims, i) => claims === shown[i]);
      if (!isSame) {
        shown = wanted;
        rows = [];
        const lists = wanted.flatMap((claims, layer) =>
          claims.length === 0
            ? []
            : [
                create("h3", "", wanted.length > 1 ? view.names[layer] : summaryOf(claims)),
                create("div", "rows", ...claims.map(buildRow)),
              ],
        );
        element.replaceChildren(...lists);
        element.hidden = lists.length === 0;
      }
      for (const { claim, row } of rows) {
        row.setAttribute("aria-pressed", String(isChosen(claim, view.selection)));
      }
    },
  };
}

/** @param {Claim[]} claims */
function summaryOf(claims) {
  const marked = claims.filter((claim) => warningOf(claim) !== "").length;
  const names = claims.every(({ box }) => isPoint(box)) ? "Points" : "Boxes";
  return marked === 0
    ? `${names} in the answer`
    : `${names} in the answer: ${marked} of ${claims.length} without evidence there`;
}
