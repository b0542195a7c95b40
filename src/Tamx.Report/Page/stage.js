// One picture with a map over it: value under the pointer, region by pointer or keys.

import { isChosen, isPoint, nameOf, scoresOf, warningOf } from "./claims.js";
import { create, createSvg } from "./dom.js";
import { drawMap, regionContour } from "./heatmap.js";
import { formatNumber } from "./text.js";

/**
 * @import {
 *   Box, Cell, Claim, ClaimActions, Grid, Look, PointActions, Selection, StageActions, StagePlace
 * } from "./types.js" */

const KEYS = "Arrow keys move over the cells, Shift draws a region, Enter looks it up.";

/**
 * Builds a stage.
 * @param {StagePlace} place
 * @param {StageActions} actions
 */
export function buildStage(place, actions) {
  const { rows, columns } = place;
  const image = create("img", { hidden: true });
  const canvas = create("canvas", { hidden: true });
  const under = createSvg("path", { class: "under" });
  const line = createSvg("path", { class: "line" });
  const contour = createSvg(
    "svg",
    { class: "contour", viewBox: `0 0 ${columns} ${rows}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    under,
    line,
  );
  const box = create("div", { class: "region", hidden: true });
  const outlines = create("div", { class: "outlines", "aria-hidden": "true" });
  const cursor = create("div", { class: "cell", hidden: true });
  const readout = create("output", { class: "readout", hidden: true, "aria-live": "polite" });
  const element = create(
    "div",
    { class: "stage bare", tabindex: "0", role: "application", "aria-roledescription": "picture with map" },
    image,
    canvas,
    contour,
    outlines,
    cursor,
    box,
    readout,
  );
  element.style.setProperty("--rows", String(rows));
  element.style.setProperty("--columns", String(columns));
  element.style.setProperty("--ratio", String(place.ratio));

  /** @type {Grid | null} */
  let grid = null;
  /** @type {Claim[]} */
  let outlined = [];
  listenToPointer(element, place, { ...actions, point });
  listenToKeys(element, place, { ...actions, point });

  /**
   * Shows the value of the cell at a place, in parts of the stage; null for none.
   * @param {{ x: number, y: number } | null} at
   */
  function point(at) {
    cursor.hidden = readout.hidden = at === null || grid === null;
    if (at === null || grid === null) {
      actions.read(null);
      return;
    }
    const row = Math.min(grid.rows - 1, Math.floor(at.y * grid.rows));
    const column = Math.min(grid.columns - 1, Math.floor(at.x * grid.columns));
    const value = grid.values[row * grid.columns + column];
    readout.textContent = `${formatNumber(value)}  row ${row + 1}, column ${column + 1}`;
    setBox(cursor, { top: row, left: column, bottom: row, right: column }, grid.rows, grid.columns);
    readout.classList.toggle("left", at.x > 0.5);
    readout.classList.toggle("above", at.y > 0.5);
    readout.style.left = `${100 * at.x}%`;
    readout.style.top = `${100 * at.y}%`;
    actions.read(value);
  }

  return {
    element,
    image,
    canvas,
    contour,
    line,
    /**
     * @param {string} address
     * @param {number} width
     * @param {number} height
     * @param {string} alt
     */
    picture(address, width, height, alt) {
      element.classList.remove("bare");
      image.hidden = false;
      image.width = width;
      image.height = height;
      image.alt = alt;
      if (image.src !== address) {
        image.src = address;
      }
    },
    /**
     * @param {Grid | null} shown
     * @param {Look | null} look
     * @param {string} name what it is a map over
     */
    show(shown, look, name) {
      grid = shown;
      element.classList.toggle("mapped", grid !== null);
      canvas.hidden = grid === null;
      contour.classList.toggle("shown", grid !== null && look !== null && look.contour);
      if (grid === null || look === null) {
        element.setAttribute("aria-label", `${name}: no map. ${KEYS}`);
        return;
      }
      drawMap(canvas, grid.values, grid.rows, grid.columns, look);
      if (look.contour) {
        contour.setAttribute("viewBox", `0 0 ${grid.columns} ${grid.rows}`);
        const path = regionContour(grid.map, grid.values, grid.rows, grid.columns, look.smooth);
        under.setAttribute("d", path);
        line.setAttribute("d", path);
      }
      const { values } = grid;
      const peak = values.reduce((best, value, i) => (value > values[best] ? i : best), 0);
      const row = `row ${Math.floor(peak / grid.columns) + 1} of ${grid.rows}`;
      const column = `column ${(peak % grid.columns) + 1} of ${grid.columns}`;
      const highest = `highest ${formatNumber(values[peak])} at ${row}, ${column}`;
      element.setAttribute("aria-label", `Activation map over ${name}: ${highest}. ${KEYS}`);
    },
    /**
     * Draws what the answer says is where. The list beside the pictures says it to those who do not see it.
     * @param {Claim[]} claims
     * @param {Selection | null} selection
     * @param {ClaimActions} claimActions
     */
    claims(claims, selection, claimActions) {
      if (claims.length !== outlined.length || claims.some((claim, i) => claim !== outlined[i])) {
        outlined = claims;
        outlines.replaceChildren(...claims.map((claim) => outlineOf(claim, claimActions)));
      }
      claims.forEach((claim, i) => outlines.children[i].classList.toggle("chosen", isChosen(claim, selection)));
    },
    /** @param {Box | null} shown */
    region(shown) {
      box.hidden = shown === null;
      if (shown !== null) {
        setBox(box, shown, rows, columns);
      }
    },
  };
}

/**
 * @param {Claim} claim
 * @param {ClaimActions} actions
 */
function outlineOf(claim, actions) {
  const warning = warningOf(claim);
  const [left, top, right, bottom] = claim.box;
  const tag = create(
    "span",
    {
      class: "tag",
      // What happens on it is no look-up of the cells below.
      onpointerdown: (event) => event.stopPropagation(),
      onpointerup: (event) => event.stopPropagation(),
      onclick: () => actions.select(claim),
      onpointerenter: () => actions.preview(claim),
      onpointerleave: () => actions.preview(null),
    },
    create("bdi", "", nameOf(claim)),
    ...(warning === "" ? [] : [create("span", "warning", warning)]),
    create("span", "scores", scoresOf(claim)),
  );
  const kind = isPoint(claim.box) ? "outline point" : "outline";
  const element = create("div", warning === "" ? kind : `${kind} unsupported`, tag);
  element.classList.toggle("low", top > 0.85);
  element.classList.toggle("right", left > 0.6);
  element.style.left = `${100 * left}%`;
  element.style.top = `${100 * top}%`;
  element.style.width = `${100 * (right - left)}%`;
  element.style.height = `${100 * (bottom - top)}%`;
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {Box} box
 * @param {number} rows
 * @param {number} columns
 */
function setBox(element, { top, left, bottom, right }, rows, columns) {
  element.style.top = `${(100 * top) / rows}%`;
  element.style.left = `${(100 * left) / columns}%`;
  element.style.height = `${(100 * (bottom - top + 1)) / rows}%`;
  element.style.width = `${(100 * (right - left + 1)) / columns}%`;
}

/**
 * @param {Cell} a
 * @param {Cell} b
 * @returns {Box}
 */
function between(a, b) {
  return {
    top: Math.min(a.row, b.row),
    left: Math.min(a.column, b.column),
    bottom: Math.max(a.row, b.row),
    right: Math.max(a.column, b.column),
  };
}

/**
 * @param {HTMLElement} element
 * @param {StagePlace} place
 * @param {PointActions} actions
 */
function listenToPointer(element, { rows, columns }, actions) {
  /** @type {Cell | null} */
  let start = null;
  /** @param {PointerEvent} event */
  const at = (event) => {
    const box = element.getBoundingClientRect();
    /** @param {number} value */
    const inside = (value) => Math.max(0, Math.min(0.99999, value));
    return { x: inside((event.clientX - box.left) / box.width), y: inside((event.clientY - box.top) / box.height) };
  };
  /** @type {(place: { x: number, y: number }) => Cell} */
  const cell = ({ x, y }) => ({ row: Math.floor(y * rows), column: Math.floor(x * columns) });
  element.addEventListener("pointerdown", (event) => {
    if (event.button === 0) {
      start = cell(at(event));
      element.setPointerCapture(event.pointerId);
    }
  });
  element.addEventListener("pointermove", (event) => {
    const place = at(event);
    actions.point(place);
    const now = cell(place);
    if (start !== null && (now.row !== start.row || now.column !== start.column)) {
      actions.region(between(start, now), true);
    }
  });
  element.addEventListener("pointerup", (event) => {
    if (start !== null) {
      actions.region(between(start, cell(at(event))), false);
      start = null;
    }
  });
  element.addEventListener("pointercancel", () => (start = null));
  element.addEventListener("pointerleave", () => actions.point(null));
}

/**
 * @param {HTMLElement} element
 * @param {StagePlace} place
 * @param {PointActions} actions
 */
function listenToKeys(element, { rows, columns }, actions) {
  /** @type {Record<string, [down: number, right: number]>} */
  const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  let now = { row: Math.floor((rows - 1) / 2), column: Math.floor((columns - 1) / 2) };
  let anchor = now;
  const show = () => actions.point({ x: (now.column + 0.5) / columns, y: (now.row + 0.5) / rows });
  element.addEventListener("focus", () => element.matches(":focus-visible") && show());
  element.addEventListener("blur", () => actions.point(null));
  element.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) {
      return;
    }
    if (Object.hasOwn(MOVES, event.key)) {
      const [down, right] = MOVES[event.key];
      now = {
        row: Math.max(0, Math.min(rows - 1, now.row + down)),
        column: Math.max(0, Math.min(columns - 1, now.column + right)),
      };
      anchor = event.shiftKey ? anchor : now;
      show();
      if (event.shiftKey) {
        actions.region(between(anchor, now), true);
      }
    } else if (event.key === "Enter" || event.key === " ") {
      actions.region(between(anchor, now), false);
    } else if (event.key === "Escape") {
      actions.region(null, false);
    } else {
      return;
    }
    event.preventDefault();
  });
}
