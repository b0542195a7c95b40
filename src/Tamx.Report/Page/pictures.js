// The pictures with the map over them: one figure per frame of every vision block.

import { pictureUrl } from "./data.js";
import { drawMap } from "./heatmap.js";
import { blockName, create, formatNumber, formatPercent } from "./text.js";

/** Builds the figures and returns what shows a selection on them, and what brings a block into sight. */
export function buildPictures(container, report) {
  const figures = report.blocks.flatMap((block, blockIndex) =>
    Array.from({ length: block.frames }, (_, frame) => figure(report, blockIndex, frame)),
  );
  container.append(...figures.map((one) => one.element));
  container.classList.toggle("many", figures.length > 1);
  if (figures.length === 0) {
    container.append(create("p", "note", "There is no picture in this conversation; the text relevance is shown all the same."));
  }

  function show(view) {
    const total = view === null ? 0 : view.maps.reduce((sum, map) => sum + (map === null ? 0 : sumOf(map.values)), 0);
    for (const one of figures) {
      showOn(one, view, total, report, figures.length > 1);
    }
  }

  function reveal(blockIndex) {
    const { element } = figures.find((one) => one.blockIndex === blockIndex);
    element.scrollIntoView({ block: "nearest" });
    element.classList.remove("revealed");
    void element.offsetWidth; // Starts the animation again.
    element.classList.add("revealed");
  }

  return { show, reveal };
}

function figure(report, blockIndex, frame) {
  const block = report.blocks[blockIndex];
  const picture = block.pictures.find((one) => one.frame === frame);
  let name = blockName(report, blockIndex);
  if (block.frames > 1) {
    name += ` \u00B7 frame ${frame + 1}`;
  }
  if (picture && picture.seconds !== null) {
    name += ` \u00B7 ${picture.seconds.toFixed(1)} s`;
  }

  const stage = create("div", "stage");
  if (picture) {
    const image = create("img");
    image.src = pictureUrl(picture.element);
    image.width = picture.width;
    image.height = picture.height;
    image.alt = picture.name ? `${name}, ${picture.name}` : name;
    stage.append(image);
  } else {
    stage.classList.add("bare");
    stage.style.setProperty("--rows", block.rows);
    stage.style.setProperty("--columns", block.columns);
  }
  const ratio = picture ? picture.width / picture.height : block.columns / block.rows;
  stage.style.aspectRatio = ratio;
  const canvas = create("canvas");
  canvas.setAttribute("role", "img");
  stage.append(canvas);

  const file = create("bdi", "file", picture?.name ?? (picture ? "" : "no picture, grid only"));
  const share = create("span", "share");
  const caption = create("figcaption", "", create("span", "name", name), file, share);
  const element = create("figure", "", stage, caption);
  element.style.setProperty("--ratio", ratio);
  return { element, blockIndex, frame, name, block, stage, canvas, share };
}

function showOn(one, view, total, report, showShare) {
  const { block, canvas, stage, share } = one;
  const map = view?.maps[one.blockIndex] ?? null;
  stage.classList.toggle("mapped", map !== null);
  canvas.hidden = map === null;
  share.textContent = view !== null && map === null ? "no map: comes after this token" : "";
  share.classList.toggle("missing", view !== null && map === null);
  if (map === null) {
    return;
  }

  const cellCount = block.rows * block.columns;
  const values = map.values.subarray(one.frame * cellCount, (one.frame + 1) * cellCount);
  drawMap(canvas, values, block.rows, block.columns, view.range, view.colours, view.smooth);
  canvas.style.opacity = stage.classList.contains("bare") ? 1 : view.opacity;

  const part = total > 0 ? sumOf(values) / total : 0;
  const peak = values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
  const place = `row ${Math.floor(peak / block.columns) + 1} of ${block.rows}, column ${(peak % block.columns) + 1} of ${block.columns}`;
  canvas.setAttribute("aria-label", `Activation map over ${one.name}: highest ${formatNumber(values[peak])} at ${place}`);
  if (showShare) {
    share.textContent = formatPercent(part);
    share.title = "share of this token's activation over all pictures";
  }
}

function sumOf(values) {
  let sum = 0;
  for (const value of values) {
    sum += Math.max(0, value);
  }
  return sum;
}
