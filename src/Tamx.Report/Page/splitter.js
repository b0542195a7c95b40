// The bar between text and pictures. Its place is kept for all reports that the browser keeps together.

import { create } from "./dom.js";

const KEY = "tamx-split";
const [LEAST, MOST, USUAL] = [20, 75, 47];
const KEYS = new Map([
  ["ArrowLeft", -2],
  ["ArrowRight", 2],
  ["Home", -100],
  ["End", 100],
]);

/** Builds it. It stands between what it divides. */
export function buildSplitter() {
  const element = create("div", {
    class: "splitter",
    role: "separator",
    tabindex: "0",
    "aria-orientation": "vertical",
    "aria-label": "Width of the text",
    "aria-valuemin": LEAST,
    "aria-valuemax": MOST,
    title: "Drag to divide the page; a double click divides it as usual",
  });
  let now = USUAL;
  /** @param {number | null} percent of the page's width that the text has; null for the usual */
  const set = (percent) => {
    now = Math.max(LEAST, Math.min(MOST, percent ?? USUAL));
    element.setAttribute("aria-valuenow", now.toFixed(0));
    if (percent === null) {
      document.documentElement.style.removeProperty("--split");
    } else {
      document.documentElement.style.setProperty("--split", `${now.toFixed(1)}%`);
    }
  };
  /** @param {number | null} percent */
  const change = (percent) => {
    set(percent);
    keep(percent === null ? null : now);
  };
  set(kept());
  element.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    element.focus({ preventScroll: true });
    element.setPointerCapture(event.pointerId);
  });
  element.addEventListener("pointermove", (event) => {
    const box = element.parentElement?.getBoundingClientRect();
    if (box !== undefined && element.hasPointerCapture(event.pointerId)) {
      change((100 * (event.clientX - box.left)) / box.width);
    }
  });
  element.addEventListener("dblclick", () => change(null));
  element.addEventListener("keydown", (event) => {
    const step = KEYS.get(event.key);
    if (step !== undefined && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      change(now + step);
    }
  });
  return element;
}

// A browser may forbid a page to keep things; the bar is then where it usually is.

function kept() {
  try {
    const percent = Number(localStorage.getItem(KEY) ?? Number.NaN);
    return Number.isFinite(percent) ? percent : null;
  } catch {
    return null;
  }
}

/** @param {number | null} percent */
function keep(percent) {
  try {
    if (percent === null) {
      localStorage.removeItem(KEY);
    } else {
      localStorage.setItem(KEY, String(percent));
    }
  } catch {
    // It was moved, and that is seen.
  }
}
