// The numbers as text: a table of the answer's tokens, and one of the cells of what is selected.

import { agreementOf, gridOf } from "./compare.js";
import { create } from "./dom.js";
import { sumOf } from "./report.js";
import { formatNumber, formatPercent, oneLineText, spokenText } from "./text.js";

/** @import { ActivationMap, Report, Runs, View } from "./types.js" */

const PAGE = 500;

/**
 * The answer's tokens with their numbers and shares.
 * @param {Runs} runs
 * @param {Report} report the one whose maps are shown
 */
export function tokenTable(runs, report) {
  const shared = report.media.length > 1 ? report.media : [];
  const head = [
    "#",
    "Token",
    "Probability",
    "Logit",
    ...shared.map((media) => `${media.name}: share`),
    "Highest at",
    "Text it came from",
  ];
  if (runs.other) {
    head.push("Correlation", "IoU", "Difference");
  }
  const body = create("tbody");
  const more = create("button", { type: "button", class: "more", onclick: () => add() });
  let next = 0;
  const add = () => {
    const end = Math.min(report.answer.length, next + PAGE);
    for (; next < end; next++) {
      body.append(tokenRow(runs, report, next));
    }
    more.hidden = next === report.answer.length;
    more.textContent = `Show ${Math.min(PAGE, report.answer.length - next)} more of ${report.answer.length}`;
  };
  add();
  return create("div", "", tableOf("Tokens of the answer", head, body), more);
}

/**
 * The cells of the maps that are shown, in raw units: one table per frame that is in sight.
 * @param {Report} report
 * @param {View} view
 * @param {(media: number) => number} frameOf the frame that is in sight
 */
export function cellTables(report, view, frameOf) {
  const layers = view.layers.slice(0, view.reports.length);
  if (layers.length === 0) {
    return create("p", "note", "Select a token of the answer to see the values of its map.");
  }
  const places = layers.flatMap((layer) => report.media.map((media) => ({ layer, media })));
  const tables = places.map(({ layer, media }) => {
    const frame = frameOf(media.index);
    const grid = layer.grid(media.index, frame);
    const name = [
      media.name,
      ...(media.frames.length > 1 ? [`frame ${frame + 1}`] : []),
      ...(layers.length > 1 && layer.name ? [layer.name] : []),
    ].join(", ");
    if (grid === null) {
      return create("p", "note", `${name}: no map.`);
    }
    const rows = Array.from({ length: grid.rows }, (_, row) =>
      create(
        "tr",
        "",
        create("th", { scope: "row" }, String(row + 1)),
        ...Array.from(grid.values.subarray(row * grid.columns, (row + 1) * grid.columns), (value) =>
          create("td", "", formatNumber(value)),
        ),
      ),
    );
    return tableOf(
      name,
      ["Row", ...Array.from({ length: grid.columns }, (_, i) => String(i + 1))],
      create("tbody", "", ...rows),
    );
  });
  return create("div", "", ...tables);
}

/**
 * @param {Runs} runs
 * @param {Report} report
 * @param {number} index
 */
function tokenRow(runs, report, index) {
  const token = report.answer[index];
  const [own] = token.explained;
  const maps = report.maps({ kind: "answer", from: index, to: index }, 0);
  const sums = report.media.map((media) =>
    media.frames.reduce((sum, frame) => sum + sumOf(gridOf(report, maps, frame)?.values ?? []), 0),
  );
  const total = sums.reduce((a, b) => a + b, 0);
  const sources = [...report.relevance({ from: index, to: index }, 0)].sort((a, b) => b[1] - a[1]).slice(0, 3);
  const cells = [
    own.probability === null ? "\u2013" : formatPercent(own.probability),
    own.logit === null ? "\u2013" : own.logit.toFixed(2),
    ...(sums.length > 1 ? sums : []).map((sum) => (total > 0 ? formatPercent(sum / total) : "\u2013")),
    peakOf(report, maps),
    sources.map(([source, value]) => `${wordOf(report.tokens.text[source])} ${formatNumber(value)}`).join(", "),
  ];
  if (runs.other) {
    const { correlation, iou, difference } = agreementOf(runs, { from: index, to: index });
    cells.push(...[correlation, iou, difference].map((value) => value?.toFixed(3) ?? "\u2013"));
  }
  return create(
    "tr",
    "",
    create("td", "", String(index + 1)),
    create("th", { scope: "row" }, create("bdi", "", wordOf(own.text))),
    ...cells.map((text) => create("td", "", create("bdi", "", text))),
  );
}

/**
 * @param {Report} report
 * @param {(ActivationMap | null)[]} maps
 */
function peakOf(report, maps) {
  let highest = -Infinity;
  let where = "";
  for (const media of report.media) {
    media.frames.forEach((frame, index) => {
      gridOf(report, maps, frame)?.values.forEach((value, i) => {
        if (value > highest) {
          highest = value;
          where = [
            ...(report.media.length > 1 ? [media.name] : []),
            ...(media.frames.length > 1 ? [`frame ${index + 1}`] : []),
            `row ${Math.floor(i / frame.columns) + 1}`,
            `column ${(i % frame.columns) + 1}`,
          ].join(", ");
        }
      });
    });
  }
  return where === "" ? "\u2013" : `${formatNumber(highest)} at ${where}`;
}

/** @param {string} text */
function wordOf(text) {
  return text.trim() === "" ? spokenText(text) : oneLineText(text);
}

/**
 * @param {string} caption
 * @param {string[]} head
 * @param {HTMLElement} body
 */
function tableOf(caption, head, body) {
  const row = create("tr", "", ...head.map((name) => create("th", { scope: "col" }, name)));
  return create(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    create("table", "", create("caption", "", caption), create("thead", "", row), body),
  );
}
