// A button that opens a list of actions.

import { create } from "./dom.js";

/**
 * Builds a menu.
 * @param items [{ name, action }]
 * @param signal ends the listening beyond the element
 * @returns {object} element; add(items)
 */
export function buildMenu(name, items, signal) {
  const list = create("div", "items");
  const element = create("details", "menu", create("summary", "", name), list);
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
      element.firstChild.focus();
    }
  });
  const close = (event) => {
    if (!element.contains(event.target)) {
      element.open = false;
    }
  };
  addEventListener("pointerdown", close, { signal });
  return { element, add };
}
