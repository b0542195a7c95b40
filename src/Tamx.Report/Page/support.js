// Below the inspector: what the model's calibration says, where each word comes from, and checks of its map.

import { create, createSvg } from "./dom.js";
import { formatNumber, formatPercent } from "./text.js";

/** @import { Report, SupportBlock, WordCheck, WordSupport } from "./types.js" */

const COLUMNS = ["Word", "Verdict", "Gain", "Opposition", "Presence", "Concentration"];

/** @type {Record<string, string>} */
const VERDICTS = {
  seen: "seen: the picture makes it likelier",
  said: "said: it comes from the question or from language alone",
  unsupported: "unsupported: the picture speaks against it",
};

/**
 * Adds the section to a mounted report.
 * @param {HTMLElement} root the report's element
 * @param {Report} report
 * @param {SupportBlock} block
 */
export function mountSupport(root, report, block) {
  const chat = root.querySelector(".chat");
  if (chat === null) {
    return;
  }
  const section = create("section", { class: "support", tabindex: "0", "aria-label": "How far to trust this" });
  section.append(
    create("p", "note", block.calibration === null ? notCalibrated() : `This model is ${block.calibration}.`),
  );
  if (block.words.length > 0) {
    underline(chat, report, block.words);
    section.append(...legend(chat, block.words), wordTable(block.words));
  }
  for (const check of block.checks) {
    section.append(trial(check));
  }
  root.querySelector(".pane.left")?.append(section);
}

function notCalibrated() {
  return "Not calibrated: nobody measured which layer and method suit this model (tamx calibrate does).";
}

/**
 * Marks the answer's words by their verdicts.
 * @param {Element} chat
 * @param {Report} report
 * @param {WordSupport[]} words
 */
function underline(chat, report, words) {
  for (const word of words) {
    for (const index of word.tokens) {
      const element = chat.querySelector(`.token[data-item="${report.answer[index]?.token}"]`);
      if (word.verdict !== null) {
        element?.classList.add(`verdict-${word.verdict}`);
      }
    }
  }
}

/**
 * The verdicts' meanings and the filter; nothing without verdicts.
 * @param {Element} chat
 * @param {WordSupport[]} words
 */
function legend(chat, words) {
  const counts = Object.keys(VERDICTS).map((name) => words.filter((word) => word.verdict === name).length);
  if (counts.every((count) => count === 0)) {
    return [];
  }
  const box = create("input", { type: "checkbox" });
  box.onchange = () => chat.classList.toggle("only-unsupported", box.checked);
  return [
    create(
      "ul",
      { class: "verdicts", "aria-label": "Verdicts" },
      ...Object.entries(VERDICTS).map(([name, meaning], i) =>
        create("li", "", create("span", `verdict-${name}`, name), `${meaning.slice(name.length)} (${counts[i]})`),
      ),
    ),
    create("label", "filter", box, " Show what is unsupported"),
  ];
}

/** @param {WordSupport[]} words */
function wordTable(words) {
  return create(
    "details",
    "words",
    create("summary", "", "The numbers behind it"),
    create(
      "table",
      "",
      create("caption", "", "ln p of each word with the picture and with a neutral one"),
      create(
        "thead",
        "",
        create("tr", "", ...COLUMNS.map((text) => heading(text))),
      ),
      create(
        "tbody",
        "",
        ...words.map((word) =>
          create(
            "tr",
            "",
            create("th", { scope: "row" }, create("bdi", "", word.text)),
            create("td", "", word.verdict ?? "\u2013"),
            create("td", "", formatNumber(word.gain)),
            create("td", "", word.opposition === null ? "\u2013" : formatNumber(word.opposition)),
            create("td", "", word.presence === null ? "\u2013" : formatNumber(word.presence)),
            create("td", "", word.concentration === null ? "\u2013" : formatPercent(word.concentration)),
          ),
        ),
      ),
    ),
  );
}

/** @param {string} text */
function heading(text) {
  return create("th", { scope: "col" }, text);
}

/**
 * The finding in words, with both curves against a random order.
 * @param {WordCheck} check
 */
function trial(check) {
  return create(
    "div",
    "trial",
    create("p", "", check.sentence),
    curves("Hidden, the map's best first", check.deletion, check.randomDeletion),
    curves("Shown, the map's best first", check.insertion, check.randomInsertion),
  );
}

/**
 * @param {string} name
 * @param {number[]} values
 * @param {number[]} random
 */
function curves(name, values, random) {
  const spoken = (/** @type {number[]} */ line) => line.map((value) => formatPercent(value)).join(", ");
  const points = (/** @type {number[]} */ line) =>
    line.map((value, i) => `${(100 * i) / (line.length - 1)},${50 * (1 - value)}`).join(" ");
  const picture = createSvg(
    "svg",
    { viewBox: "-2 -2 104 54", role: "img", "aria-label": `${name}: ${spoken(values)}; at random ${spoken(random)}` },
    createSvg("polyline", { class: "random", points: points(random) }),
    createSvg("polyline", { points: points(values) }),
  );
  return create("div", "trial-curve", picture, create("span", "", name));
}
