// How the map is drawn, and the scales that say what its colours mean.

import { colormaps, differences, gradient } from "./colormaps.js";
import { create, segments } from "./dom.js";
import { formatNumber, formatRange } from "./text.js";

/** @import { Extent, State, View } from "./types.js" */

/**
 * The controls over the pictures.
 * @param {string[]} methods by which a run's maps were made
 * @param {boolean} hasClaims whether the answer says what is where
 * @param {(changes: Partial<State>) => void} change is told of what was chosen
 */
export function buildControls(methods, hasClaims, change) {
  const method = segments(
    "method",
    "Method",
    [
      ...methods.map((name, i) => ({ value: String(i), text: name, title: `Maps by this method: ${name}` })),
      { value: "all", text: "Side by side", title: "The maps of all methods" },
    ],
    (value) => change({ method: value === "all" ? null : Number(value) }),
  );
  method.element.classList.add("methods");
  /** @type {HTMLInputElement} */
  const boxes = create("input", {
    type: "checkbox",
    name: "boxes",
    onchange: () => change({ boxes: boxes.checked }),
  });
  /** @type {HTMLSelectElement} */
  const map = create(
    "select",
    { name: "map", title: "Colours of the map", "aria-label": "Colours", onchange: () => change({ map: map.value }) },
    ...Object.keys(colormaps).map((name) => create("option", { value: name }, name[0].toUpperCase() + name.slice(1))),
  );
  /** @type {HTMLInputElement} */
  const opacity = create("input", {
    type: "range",
    name: "opacity",
    min: "0",
    max: "100",
    step: "5",
    oninput: () => change({ opacity: Number(opacity.value) }),
  });
  /** @type {HTMLInputElement} */
  const contour = create("input", {
    type: "checkbox",
    name: "contour",
    onchange: () => change({ contour: contour.checked }),
  });
  const scale = segments(
    "scale",
    "Scale",
    [
      {
        value: "token",
        text: "Own scale",
        title: "For shape: colours span the range of what is selected. What is weak fades",
      },
      {
        value: "all",
        text: "Common",
        title: "For strength: colours and shades span the range of all tokens, so that words can be compared",
      },
    ],
    (value) => change({ scale: value }),
  );
  const drawn = segments(
    "drawn",
    "Drawn as",
    [
      { value: "smooth", text: "Smooth", title: "Values between the cells' centres are interpolated" },
      { value: "cells", text: "Cells", title: "One flat colour per cell" },
    ],
    (value) => change({ drawn: value }),
  );
  const element = create(
    "form",
    { class: "controls", "aria-label": "How the map is drawn", onsubmit: (event) => event.preventDefault() },
    ...(methods.length > 1 ? [method.element] : []),
    map,
    drawn.element,
    scale.element,
    create("label", { class: "check", title: "The region above Otsu's threshold" }, contour, "Contour"),
    ...(hasClaims ? [create("label", { class: "check", title: "What the answer says is where" }, boxes, "Boxes")] : []),
    create("label", "field", "Opacity", opacity),
  );
  return {
    element,
    /** @param {State} state */
    show(state) {
      map.value = state.map;
      opacity.value = String(state.opacity);
      contour.checked = state.contour;
      boxes.checked = state.boxes;
      method.show(state.method === null ? "all" : String(state.method));
      scale.show(state.scale);
      drawn.show(state.drawn);
    },
  };
}

/**
 * The scales under the pictures: one per layer, since what stands side by side has each its own.
 * @param {number} layerCount the most that stand side by side
 */
export function buildLegend(layerCount) {
  const scales = Array.from({ length: layerCount }, buildScale);
  return {
    element: create("div", "legend", ...scales.map((scale) => scale.element)),
    /**
     * @param {View} view
     * @param {State} state
     */
    show(view, state) {
      scales.forEach((scale, i) => {
        const layer = view.layers[i] ?? null;
        scale.element.hidden = i >= view.names.length;
        scale.name(view.names[i] || "Activation");
        const colours = view.names[i] === "Difference" ? differences : colormaps[state.map];
        scale.show(layer?.look.colours ?? colours, layer?.look.range ?? null);
      });
    },
    /**
     * Marks a value on the scale of a layer; null for none.
     * @type {(layer: number, value: number | null) => void}
     */
    read: (layer, value) => scales[layer].read(value),
  };
}

function buildScale() {
  const title = create("span", "scale-name");
  const low = create("span", "low");
  const high = create("span", "high");
  const mark = create("span", { class: "mark", hidden: true });
  const ramp = create("span", { class: "ramp" }, mark);
  /** @type {Extent | null} */
  let range = null;
  return {
    element: create("div", "scale", title, low, ramp, high),
    /** @param {string} name */
    name: (name) => (title.textContent = name),
    /**
     * @param {Uint8ClampedArray} colours
     * @param {Extent | null} shown
     */
    show(colours, shown) {
      range = shown;
      [low.textContent, high.textContent] = shown === null ? ["low", "high"] : formatRange(shown);
      ramp.style.backgroundImage = gradient(colours);
    },
    /** @param {number | null} value */
    read(value) {
      const [bottom, top] = range ?? [0, 0];
      mark.hidden = value === null || top <= bottom;
      if (value !== null && top > bottom) {
        mark.style.left = `${100 * Math.max(0, Math.min(1, (value - bottom) / (top - bottom)))}%`;
        mark.title = formatNumber(value);
      }
    },
  };
}
