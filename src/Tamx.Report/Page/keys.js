// The keyboard: left and right step through tokens or words, Shift extends, up and down go through the candidates, and
// Esc takes back.

import { targetOf } from "./dom.js";

/** @import { Selecting, Selection } from "./types.js" */

/** @type {Record<string, number>} */
const STEPS = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };

/**
 * Listens for keys anywhere but in controls.
 * @param {Selecting} selection
 * @param {(selection: Selection) => void} focus moves the focus to the first token of a selection
 * @param {AbortSignal} signal ends it
 */
export function listenToKeys(selection, focus, signal) {
  /** @param {KeyboardEvent} event */
  const listen = (event) => {
    const isElsewhere = targetOf(event)?.closest("dialog, input, select, textarea, .stage") ?? null;
    if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented || isElsewhere !== null) {
      return;
    }
    if (event.key === "Escape") {
      selection.clear();
      return;
    }
    /** @type {HTMLElement | null} */
    const token = targetOf(event)?.closest(".selectable") ?? null;
    if (token === null && event.target !== document.body) {
      return;
    }
    const kind = token !== null && token.dataset.token === undefined ? "text" : "answer";
    const focused = token === null ? null : Number(token.dataset.token ?? token.dataset.item);
    if (Object.hasOwn(STEPS, event.key)) {
      event.preventDefault();
      const target = selection.step(kind, STEPS[event.key], event.shiftKey, focused);
      if (target !== null) {
        focus(target);
      }
    } else if (focused !== null && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      selection.stepCandidate(event.key === "ArrowDown" ? 1 : -1);
    } else if (focused !== null && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      selection.click(kind, focused, event.shiftKey);
    }
  };
  addEventListener("keydown", listen, { signal });
}
