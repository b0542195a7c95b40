// Files made from what is shown: a picture of the overlay, and the current numbers as CSV and JSON.

import { nameOf, warningOf } from "./claims.js";
import { formatRange } from "./text.js";

/** @import { Claim, Look, OverlayFigure, Report, State, View } from "./types.js" */

const LONGEST_SIDE = 16000;
const GAP = 16;

/**
 * Draws the figures as they are shown, at the pictures' own resolution: a grid, with what it shows above, and each with
 * its legend and name.
 * @param {OverlayFigure[]} figures
 * @param {string[]} lines what it shows
 * @param {number} columns
 */
export async function overlayPicture(figures, lines, columns) {
  const tiles = await Promise.all(figures.map(tileOf));
  const wide = Math.min(columns, tiles.length);
  /** @type {(values: number[]) => number[]} */
  const starts = (values) => values.map((_, i) => values.slice(0, i).reduce((sum, value) => sum + value + GAP, 0));
  /** @type {(part: (tile: OffscreenCanvas) => number, line: (i: number) => number, count: number) => number[]} */
  const sizes = (part, line, count) =>
    Array.from({ length: count }, (_, k) => Math.max(...tiles.filter((__, i) => line(i) === k).map(part)));
  const widths = sizes(
    (tile) => tile.width,
    (i) => i % wide,
    wide,
  );
  const heights = sizes(
    (tile) => tile.height,
    (i) => Math.floor(i / wide),
    Math.ceil(tiles.length / wide),
  );
  const width = widths.reduce((sum, value) => sum + value + GAP, -GAP);
  const line = Math.max(20, Math.round(width * 0.032));
  const top = line * lines.length + 8;
  const height = heights.reduce((sum, value) => sum + value + GAP, top - GAP);
  const scale = Math.min(1, LONGEST_SIDE / width, LONGEST_SIDE / height);
  const canvas = new OffscreenCanvas(Math.round(width * scale), Math.round(height * scale));
  const context = contextOf(canvas);
  context.scale(scale, scale);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  lines.forEach((text, i) => writeLine(context, text, i * line, width, line));
  const [lefts, tops] = [starts(widths), starts(heights)];
  tiles.forEach((tile, i) => context.drawImage(tile, lefts[i % wide], top + tops[Math.floor(i / wide)]));
  return canvas.convertToBlob({ type: "image/png" });
}

/**
 * Writes a text on one line; what does not fit is left out.
 * @param {OffscreenCanvasRenderingContext2D} context
 * @param {string} text
 * @param {number} top
 * @param {number} width
 * @param {number} line its height
 */
function writeLine(context, text, top, width, line) {
  context.font = `${Math.round(line * 0.62)}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  context.fillStyle = "#222";
  const characters = [...text];
  let shown = text;
  while (characters.length > 1 && context.measureText(shown).width > width - line / 2) {
    characters.splice(-Math.ceil(characters.length / 20));
    shown = `${characters.join("")}\u2026`;
  }
  context.fillText(shown, line / 4, top + line / 2);
}

/** @param {OverlayFigure} figure */
async function tileOf({ stage, ratio, name, look, claims }) {
  const { image, canvas, contour, line } = stage;
  const hasImage = !image.hidden;
  if (hasImage) {
    await image.decode();
  }
  const width = hasImage ? image.naturalWidth : Math.max(480, canvas.width);
  const height = hasImage ? image.naturalHeight : Math.round(width / ratio);
  const bar = Math.max(24, Math.round(width * 0.04));
  const tile = new OffscreenCanvas(width, height + 2 * bar);
  const context = contextOf(tile);
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height + 2 * bar);
  writeLine(context, name, height + bar, width, bar);
  if (hasImage) {
    context.filter = getComputedStyle(image).filter;
    context.drawImage(image, 0, 0, width, height);
    context.filter = "none";
  }
  if (canvas.hidden || look === null) {
    claims.forEach((claim) => drawClaim(context, claim, width, height));
    return tile;
  }
  context.imageSmoothingEnabled = !canvas.classList.contains("cells");
  context.imageSmoothingQuality = "high";
  context.drawImage(canvas, 0, 0, width, height);
  if (contour.classList.contains("shown")) {
    const { width: columns, height: rows } = contour.viewBox.baseVal;
    const path = new Path2D();
    path.addPath(new Path2D(line.getAttribute("d") ?? ""), new DOMMatrix([width / columns, 0, 0, height / rows, 0, 0]));
    context.strokeStyle = "rgb(0 0 0 / 60%)";
    context.lineWidth = (4 * width) / 800;
    context.stroke(path);
    context.strokeStyle = "#fff";
    context.lineWidth = (2 * width) / 800;
    context.stroke(path);
  }
  claims.forEach((claim) => drawClaim(context, claim, width, height));
  drawLegend(context, look, height, width, bar);
  return tile;
}

/**
 * @param {OffscreenCanvasRenderingContext2D} context
 * @param {Claim} claim
 * @param {number} width
 * @param {number} height
 */
function drawClaim(context, claim, width, height) {
  const line = Math.max(1, width / 400);
  const [left, top, right, bottom] = claim.box;
  const warning = warningOf(claim);
  const text = warning === "" ? nameOf(claim) : `${nameOf(claim)}: ${warning}`;
  /** @type {[number, number, number, number]} */
  const sides = [left * width, top * height, (right - left) * width, (bottom - top) * height];
  context.save();
  for (const [colour, thickness] of /** @type {[string, number][]} */ ([
    ["rgb(0 0 0 / 70%)", 3 * line],
    ["#fff", line],
  ])) {
    context.strokeStyle = colour;
    context.lineWidth = thickness;
    context.setLineDash(warning === "" ? [] : [4 * line, 3 * line]);
    context.beginPath();
    if (sides[2] > 0) {
      context.rect(...sides);
    } else {
      context.arc(sides[0], sides[1], 4 * line, 0, 2 * Math.PI);
    }
    context.stroke();
  }
  context.font = `${Math.max(11, Math.round(width / 40))}px system-ui, sans-serif`;
  context.textBaseline = "top";
  context.fillStyle = "rgb(0 0 0 / 75%)";
  const size = Math.max(11, Math.round(width / 40));
  const x = Math.max(0, Math.min(sides[0], width - context.measureText(text).width - size));
  const y = Math.min(sides[1], height - 1.4 * size);
  context.fillRect(x, y, context.measureText(text).width + size, 1.4 * size);
  context.fillStyle = "#fff";
  context.fillText(text, x + size / 2, y + 0.2 * size);
  context.restore();
}

/** @param {OffscreenCanvas} canvas */
function contextOf(canvas) {
  return /** @type {OffscreenCanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/**
 * @param {OffscreenCanvasRenderingContext2D} context
 * @param {Look} look
 * @param {number} top
 * @param {number} width
 * @param {number} bar height of the legend
 */
function drawLegend(context, { range, colours }, top, width, bar) {
  const [low, high] = formatRange(range);
  context.font = `${Math.round(bar * 0.5)}px system-ui, sans-serif`;
  context.textBaseline = "middle";
  context.fillStyle = "#222";
  const pad = bar / 2;
  const [lowWidth, highWidth] = [context.measureText(low).width, context.measureText(high).width];
  context.fillText(low, pad, top + bar / 2);
  context.fillText(high, width - pad - highWidth, top + bar / 2);
  const [left, right] = [2 * pad + lowWidth, width - 2 * pad - highWidth];
  for (let x = Math.ceil(left); x < right; x++) {
    const i = 3 * Math.floor((256 * (x - left)) / (right - left));
    context.fillStyle = `rgb(${colours[i]} ${colours[i + 1]} ${colours[i + 2]})`;
    context.fillRect(x, top + bar * 0.3, 1, bar * 0.4);
  }
}

/**
 * The current numbers: what is selected, its maps in raw units, and its text.
 * @param {Report} report
 * @param {View} view
 * @param {State} state
 */
export function currentNumbers(report, view, state) {
  const { selection } = view;
  return {
    format: "tamx-view/1",
    model: report.run.model,
    quantization: report.run.quantization,
    question: report.question,
    answer: wholeAnswer(report),
    pictures: report.media.map((media) => media.frames[0].picture?.name ?? media.name),
    selection:
      selection === null
        ? null
        : {
            kind: selection.kind,
            from: selection.from,
            to: selection.to,
            text: report.textOf(selection),
            candidate: shownCandidate(view),
          },
    maps: view.layers.flatMap((layer) =>
      report.media.flatMap((media) =>
        media.frames.map((frame, index) => {
          const grid = layer.grid(media.index, index);
          return {
            run: layer.name ?? null,
            picture: media.index,
            frame: index,
            seconds: frame.picture?.seconds ?? null,
            rows: grid?.rows ?? frame.rows,
            columns: grid?.columns ?? frame.columns,
            values: grid === null ? null : Array.from(grid.values, round),
          };
        }),
      ),
    ),
    textMeaning: {
      from: "relevance of earlier text",
      to: "relevance for later tokens",
      region: `${state.rank} of the region`,
      change: "fall of ln p",
    }[view.shade.kind],
    text: [...view.shade.values].map(([token, value]) => ({
      position: report.tokens.position[token],
      text: report.tokens.text[token],
      value: round(value),
    })),
    region: state.region,
  };
}

/** @param {Report} report */
function wholeAnswer(report) {
  return report.answerText({ from: 0, to: report.answer.length - 1 });
}

/**
 * The same as rows: the answer, then one per cell and one per token. `token` is what is selected, in each of them.
 * @param {ReturnType<typeof currentNumbers>} numbers
 */
export function numbersAsCsv({ maps, text, textMeaning, selection, answer, pictures }) {
  const token = selection?.candidate?.text ?? selection?.text ?? "";
  /** @type {unknown[][]} */
  const rows = [
    ["kind", "token", "run", "picture", "name", "frame", "row", "column", "position", "text", "value"],
    ["answer", token, "", "", "", "", "", "", "", answer, ""],
  ];
  for (const { run, picture, frame, columns, values } of maps) {
    const place = [token, run ?? "", picture, pictures[picture], frame];
    values?.forEach((value, i) =>
      rows.push(["map", ...place, Math.floor(i / columns), i % columns, "", "", value]),
    );
  }
  for (const { position, text: source, value } of text) {
    rows.push([textMeaning, token, "", "", "", "", "", "", position, source, value]);
  }
  return rows.map((row) => `${row.map(csvField).join(",")}\r\n`).join("");
}

/**
 * A file name for something with a title, without an extension.
 * @param {string} title
 */
export function fileNameOf(title) {
  const words = title.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "");
  return words.slice(0, 60) || "tamx";
}

/**
 * What is selected, as the end of a file's name: the number of its first token, from 0, and its text.
 * @param {Report} report
 * @param {View} view
 */
export function selectionName(report, { selection, token, explainedIndex }) {
  if (selection === null) {
    return "";
  }
  const text = token === null ? report.textOf(selection) : token.explained[explainedIndex].text;
  const number = String(selection.from).padStart(4, "0");
  return `-${selection.kind === "answer" ? "" : "prompt-"}${number}-${fileNameOf(text).slice(0, 30)}`;
}

/**
 * Saves a file among the person's downloads.
 * @param {Blob} blob
 * @param {string} name
 */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** @param {View} view */
function shownCandidate(view) {
  const candidate = view.token?.explained[view.explainedIndex] ?? null;
  return candidate === null
    ? null
    : { id: candidate.id, text: candidate.text, logit: candidate.logit, probability: candidate.probability };
}

/** @param {unknown} value */
function csvField(value) {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** @param {number} value */
function round(value) {
  return Number(value.toPrecision(6));
}
