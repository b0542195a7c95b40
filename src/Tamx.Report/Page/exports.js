// Files made from what is shown: a picture of the overlay, and the current numbers as CSV and JSON.

import { formatRange } from "./text.js";

const LONGEST_SIDE = 16000;
const GAP = 16;

/** Draws the figures as they are shown, at the pictures' own resolution, over each other with a legend each. */
export async function overlayPicture(figures) {
  const tiles = await Promise.all(figures.map(tileOf));
  const width = Math.max(...tiles.map((tile) => tile.width));
  const height = tiles.reduce((sum, tile) => sum + tile.height + GAP, -GAP);
  const scale = Math.min(1, LONGEST_SIDE / width, LONGEST_SIDE / height);
  const canvas = new OffscreenCanvas(Math.round(width * scale), Math.round(height * scale));
  const context = canvas.getContext("2d");
  context.scale(scale, scale);
  let top = 0;
  for (const tile of tiles) {
    context.drawImage(tile, 0, top);
    top += tile.height + GAP;
  }
  return canvas.convertToBlob({ type: "image/png" });
}

async function tileOf({ stage, ratio, look }) {
  const { image, canvas, element } = stage;
  const hasImage = !image.hidden;
  if (hasImage) {
    await image.decode();
  }
  const width = hasImage ? image.naturalWidth : Math.max(480, canvas.width);
  const height = hasImage ? image.naturalHeight : Math.round(width / ratio);
  const bar = Math.max(24, Math.round(width * 0.04));
  const tile = new OffscreenCanvas(width, height + bar);
  const context = tile.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height + bar);
  if (hasImage) {
    context.filter = getComputedStyle(image).filter;
    context.drawImage(image, 0, 0, width, height);
    context.filter = "none";
  }
  if (canvas.hidden) {
    return tile;
  }
  context.imageSmoothingEnabled = !canvas.classList.contains("cells");
  context.imageSmoothingQuality = "high";
  context.drawImage(canvas, 0, 0, width, height);
  const contour = element.querySelector(".contour.shown .line");
  if (contour !== null) {
    const [, , columns, rows] = element.querySelector(".contour").getAttribute("viewBox").split(" ").map(Number);
    const path = new Path2D();
    path.addPath(new Path2D(contour.getAttribute("d")), new DOMMatrix([width / columns, 0, 0, height / rows, 0, 0]));
    for (const [style, line] of [
      ["rgb(0 0 0 / 60%)", 4],
      ["#fff", 2],
    ]) {
      context.strokeStyle = style;
      context.lineWidth = (line * width) / 800;
      context.stroke(path);
    }
  }
  drawLegend(context, look, height, width, bar);
  return tile;
}

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

/** The current numbers: what is selected, its maps in raw units, and its text. */
export function currentNumbers(report, view, state) {
  const { selection } = view;
  return {
    format: "tamx-view/1",
    model: report.run.model,
    quantization: report.run.quantization,
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
    }[view.shade.kind],
    text: [...view.shade.values].map(([token, value]) => ({
      position: report.tokens.position[token],
      text: report.tokens.text[token],
      value: round(value),
    })),
    region: state.region,
  };
}

/** The same as rows: one per cell and one per token. */
export function numbersAsCsv({ maps, text, textMeaning }) {
  const rows = [["kind", "run", "picture", "frame", "row", "column", "position", "text", "value"]];
  for (const { run, picture, frame, columns, values } of maps) {
    values?.forEach((value, i) =>
      rows.push(["map", run ?? "", picture, frame, Math.floor(i / columns), i % columns, "", "", value]),
    );
  }
  for (const { position, text: token, value } of text) {
    rows.push([textMeaning, "", "", "", "", "", position, token, value]);
  }
  return rows.map((row) => row.map(csvField).join(",")).join("\r\n") + "\r\n";
}

/** Hands a file to the person. */
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function shownCandidate(view) {
  const candidate = view.token?.explained[view.explainedIndex] ?? null;
  return candidate === null
    ? null
    : { id: candidate.id, text: candidate.text, logit: candidate.logit, probability: candidate.probability };
}

function csvField(value) {
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function round(value) {
  return Number(value.toPrecision(6));
}
