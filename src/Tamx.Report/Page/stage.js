// One picture with a map over it: value under the pointer, region by pointer or keys, and how close one looks.

import { isChosen, isPoint, nameOf, scoresOf, warningOf } from "./claims.js";
import { create, createSvg } from "./dom.js";
import { drawMap, regionContour } from "./heatmap.js";
import { listenToPointers } from "./pointing.js";
import { formatNumber } from "./text.js";
import { frameRatio, zoomStep } from "./zoom.js";

/**
 * @import {
 *   Box, Cell, Claim, ClaimActions, Grid, Look, PointActions, Selection, StageActions, StagePlace, Zoom
 * } from "./types.js"
 */

const KEYS =
  "Arrow keys move over the cells, Shift draws a region, Enter looks it up; + and - enlarge, 0 fits, 1 is 100 %.";

/**
 * Builds a stage.
 * @param {StagePlace} place
 * @param {Zoom} zoom
 * @param {StageActions} actions
 */
export function buildStage(place, zoom, actions) {
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
  const plane = create("div", "plane", image, canvas, contour, outlines, cursor, box);
  const element = create(
    "div",
    { class: "stage bare", tabindex: "0", role: "application", "aria-roledescription": "picture with map" },
    plane,
    readout,
  );
  element.style.setProperty("--rows", String(rows));
  element.style.setProperty("--columns", String(columns));
  element.style.setProperty("--ratio", String(frameRatio(place.ratio)));

  /** @type {Grid | null} */
  let grid = null;
  /** @type {Claim[]} */
  let outlined = [];
  /** @type {(at: { x: number, y: number }) => Cell} */
  const cellAt = ({ x, y }) => ({ row: Math.floor(y * rows), column: Math.floor(x * columns) });
  listenToPointers(element, plane, zoom, {
    point,
    mark(from, to, isDrawing) {
      const marked = between(cellAt(from), cellAt(to));
      // Within its first cell a drag may still become a click.
      if (!isDrawing || marked.top !== marked.bottom || marked.left !== marked.right) {
        actions.region(marked, isDrawing);
      }
    },
    cancel: () => actions.region(null, false),
  });
  listenToKeys(element, place, zoom, { ...actions, point });
  zoom.listen(layOut);
  new ResizeObserver(layOut).observe(element);

  /** The frame's size in pixels; before it is drawn, one of its shape. */
  function size() {
    const { width, height } = element.getBoundingClientRect();
    return width > 0 && height > 0 ? { width, height } : { width: frameRatio(place.ratio), height: 1 };
  }

  function layOut() {
    const { left, top, width, height } = zoom.place(size());
    plane.style.inset = `${100 * top}% auto auto ${100 * left}%`;
    plane.style.width = `${100 * width}%`;
    plane.style.height = `${100 * height}%`;
    element.classList.toggle("enlarged", !zoom.isFit);
  }

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
    const seen = zoom.place(size());
    const [x, y] = [seen.left + at.x * seen.width, seen.top + at.y * seen.height];
    readout.classList.toggle("left", x > 0.5);
    readout.classList.toggle("above", y > 0.5);
    readout.style.left = `${100 * x}%`;
    readout.style.top = `${100 * y}%`;
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
    /**
     * Draws the region that was asked about.
     * @param {[left: number, top: number, right: number, bottom: number]} asked in parts of the sides
     * @param {string} name
     */
    asked([left, top, right, bottom], name) {
      const outline = create("div", "outline asked", create("span", "tag", name));
      setEdges(outline, left, top, right, bottom);
      plane.append(outline);
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
  setEdges(element, left, top, right, bottom);
  return element;
}

/**
 * @param {HTMLElement} element
 * @param {number} left in parts of the sides, as the others
 * @param {number} top
 * @param {number} right
 * @param {number} bottom
 */
function setEdges(element, left, top, right, bottom) {
  element.style.left = `${100 * left}%`;
  element.style.top = `${100 * top}%`;
  element.style.width = `${100 * (right - left)}%`;
  element.style.height = `${100 * (bottom - top)}%`;
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
 * @param {Zoom} zoom
 * @param {PointActions} actions
 */
function listenToKeys(element, { rows, columns }, zoom, actions) {
  /** @type {Record<string, [down: number, right: number]>} */
  const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  let now = { row: Math.floor((rows - 1) / 2), column: Math.floor((columns - 1) / 2) };
  let anchor = now;
  const centre = () => ({ x: (now.column + 0.5) / columns, y: (now.row + 0.5) / rows });
  const show = () => {
    zoom.reveal(centre(), element.getBoundingClientRect());
    actions.point(centre());
  };
  /** @type {Record<string, () => void>} */
  const closer = {
    "+": () => zoom.by(zoomStep, element.getBoundingClientRect()),
    "-": () => zoom.by(1 / zoomStep, element.getBoundingClientRect()),
    0: () => zoom.fit(),
    1: () => zoom.actual(element.getBoundingClientRect()),
  };
  closer["="] = closer["+"];
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
    } else if (Object.hasOwn(closer, event.key)) {
      closer[event.key]();
      show();
    } else {
      return;
    }
    event.preventDefault();
  });
}
