// A button that opens a list of actions.

import { create, targetOf } from "./dom.js";

/** @import { MenuItem } from "./types.js" */

/**
 * Builds a menu.
 * @param {string} name
 * @param {MenuItem[]} items
 * @param {AbortSignal} signal ends the listening beyond the element
 */
export function buildMenu(name, items, signal) {
  const list = create("div", "items");
  const summary = create("summary", "", name);
  const element = create("details", "menu", summary, list);
  /** @param {MenuItem[]} added */
  const add = (added) =>
    added.forEach((item) =>
      list.append(
        create(
          "button",
          {
            type: "button",
            onclick: () => {
              element.open = false;
              item.action();
            },
          },
          item.name,
        ),
      ),
    );
  add(items);
  element.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && element.open) {
      event.preventDefault();
      element.open = false;
      summary.focus();
    }
  });
  /** @param {PointerEvent} event */
  const close = (event) => {
    if (!element.contains(targetOf(event))) {
      element.open = false;
    }
  };
  addEventListener("pointerdown", close, { signal });
  return { element, add };
}
