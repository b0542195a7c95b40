// How the map is drawn, and the scales that say what its colours mean.

import { colormaps, differences, gradient } from "./colormaps.js";
import { create, segments } from "./dom.js";
import { formatNumber, formatRange } from "./text.js";

/** @import { Extent, State, View } from "./types.js" */

/**
 * The controls over the pictures.
 * @param {(changes: Partial<State>) => void} change is told of what was chosen
 */
export function buildControls(change) {
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
      { value: "token", text: "Own scale", title: "Colours span the range of what is selected" },
      {
        value: "all",
        text: "Common",
        title: "Colours span the range of all tokens' maps, so that tokens can be compared",
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
    map,
    drawn.element,
    scale.element,
    create("label", { class: "check", title: "The region above Otsu's threshold" }, contour, "Contour"),
    create("label", "field", "Opacity", opacity),
  );
  return {
    element,
    /** @param {State} state */
    show(state) {
      map.value = state.map;
      opacity.value = String(state.opacity);
      contour.checked = state.contour;
      scale.show(state.scale);
      drawn.show(state.drawn);
    },
  };
}

/**
 * The scales under the pictures: one per layer, since runs that are compared have each its own.
 * @param {string[]} layerNames
 */
export function buildLegend(layerNames) {
  const scales = layerNames.map((name) => buildScale(name || "Activation"));
  return {
    element: create("div", "legend", ...scales.map((scale) => scale.element)),
    /**
     * @param {View} view
     * @param {State} state
     */
    show(view, state) {
      scales.forEach((scale, i) => {
        const layer = view.layers[i] ?? null;
        scale.show(layer?.look.colours ?? (i === 2 ? differences : colormaps[state.map]), layer?.look.range ?? null);
      });
    },
    /**
     * Marks a value on the scale of a layer; null for none.
     * @type {(layer: number, value: number | null) => void}
     */
    read: (layer, value) => scales[layer].read(value),
  };
}

/** @param {string} name */
function buildScale(name) {
  const low = create("span", "low");
  const high = create("span", "high");
  const mark = create("span", { class: "mark", hidden: true });
  const ramp = create("span", { class: "ramp" }, mark);
  /** @type {Extent | null} */
  let range = null;
  return {
    element: create("div", "scale", create("span", "scale-name", name), low, ramp, high),
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
