// What if a region of the picture were hidden, or all that there is: the same answer read again, or the question
// answered anew. Or the next answer looks there.

import { signed } from "./report/asked.js";
import { create } from "./report/dom.js";
import { formatPercent, oneLineText } from "./report/text.js";

/** @import { ChangedToken, ReadToken, RegionRequest, WhatIf } from "./types.js" */
/** @import { Region, Report } from "./report/types.js" */

const MOST_CHANGES = 6;
const MOST_ALPHA = 60;

/**
 * Builds the strip that asks it.
 * @param {(what: WhatIf) => void} ask
 * @param {(run: string) => void} open shows a run's report
 */
export function buildWhatIf(ask, open) {
  const anew = create("input", { type: "checkbox", name: "anew" });
  /** @type {(name: string, use: WhatIf["use"]) => HTMLButtonElement} */
  const button = (name, use) =>
    create(
      "button",
      {
        type: "button",
        class: "quiet",
        onclick: () => ask({ use, isAnew: anew.checked || use === "lookAt", alpha: Number(alpha.value) }),
      },
      name,
    );
  const look = button("Look here", "lookAt");
  const strength = create("output");
  /** @type {HTMLInputElement} */
  const alpha = create("input", {
    type: "range",
    name: "alpha",
    min: "0",
    max: String(MOST_ALPHA),
    step: "5",
    value: "0",
    title: "How strongly the next answer is steered to the region",
    "aria-label": "Alpha: how strongly to look",
    oninput: showAlpha,
  });
  function showAlpha() {
    const value = Number(alpha.value);
    look.disabled = value === 0;
    look.title = value === 0 ? "Choose first how strongly" : "";
    strength.textContent = value === 0 ? "off" : alpha.value;
  }
  showAlpha();
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
      create("span", "look", look, create("label", "field", "\u03B1", alpha, strength)),
    ),
    result,
  );
  /** @param {string} run */
  const openButton = (run) =>
    create("button", { type: "button", class: "quiet open", onclick: () => open(run) }, "Open its report");
  return {
    element,
    /** @param {boolean} isPossible whether there is a place to ask about */
    show(isPossible) {
      element.hidden = !isPossible;
      result.replaceChildren();
    },
    /**
     * Shows what became of the answer's tokens.
     * @param {WhatIf["use"]} use
     * @param {ChangedToken[]} changed
     * @param {string} run
     */
    changed(use, changed, run) {
      const sum = changed.reduce((total, one) => total + one.change, 0);
      const most = changed.toSorted((a, b) => Math.abs(b.change) - Math.abs(a.change)).slice(0, MOST_CHANGES);
      result.replaceChildren(
        create("p", "", `${use === "hide" ? "Hidden" : "Alone"}: ln p of the answer changes by ${signed(sum)}.`),
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
        openButton(run),
      );
    },
    /**
     * Shows both answers.
     * @param {string} before
     * @param {string} now
     * @param {string} run
     */
    answered(before, now, run) {
      result.replaceChildren(
        create(
          "dl",
          "answers",
          create("dt", "", "As it is"),
          create("dd", "", create("bdi", "", before)),
          create("dt", "", "Changed"),
          create("dd", "", create("bdi", "", now)),
        ),
        openButton(run),
      );
    },
  };
}

/**
 * A region as the server takes it: cells become parts of the picture's sides.
 * @param {Report} report
 * @param {Region} region
 * @param {WhatIf} what
 * @returns {RegionRequest}
 */
export function regionRequest(report, { media, frame, left, top, right, bottom }, { use, alpha }) {
  const { rows, columns } = report.media[media].frames[frame];
  return {
    use,
    picture: report.media[media].pictureIndex ?? 0,
    box: [left / columns, top / rows, (right + 1) / columns, (bottom + 1) / rows],
    ...(use === "lookAt" ? { alpha } : {}),
  };
}

/**
 * How the probabilities of an answer's tokens change, as far as the other run has the same tokens.
 * @param {Report} report
 * @param {ReadToken[]} tokens of the other run
 * @param {number[]} changes of ln p, by token of the other run
 * @returns {ChangedToken[]}
 */
export function changesOf(report, tokens, changes) {
  /** @type {ChangedToken[]} */
  const changed = [];
  for (const [i, { text, probability }] of tokens.entries()) {
    if (report.answer[i]?.explained[0].text !== text || changes[i] === undefined) {
      break;
    }
    const after = probability ?? 0;
    changed.push({ index: i, text, after, before: Math.min(1, after * Math.exp(-changes[i])), change: changes[i] });
  }
  return changed;
}
