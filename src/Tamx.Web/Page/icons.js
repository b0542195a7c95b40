// Small drawings for buttons, in the colour of the text around them.

import { createSvg } from "./report/dom.js";

const PATHS = {
  add: "M12 5v14M5 12h14",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  tune: "M4 7h10M18 7h2M4 17h2M10 17h10M16 4.5v5M8 14.5v5",
  answer: "M5 6h14M5 11h9M5 16h6M16 19l4-4-2-2-4 4v2z",
  video: "M4 7h11v10H4zM15 11l5-3v8l-5-3",
  clock: "M12 8v4l3 2M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16",
  bin: "M5 7h14M9 7V5h6v2M7 7l1 12h8l1-12",
  json: "M9 5H8a2 2 0 0 0-2 2v3l-2 2 2 2v3a2 2 0 0 0 2 2h1M15 5h1a2 2 0 0 1 2 2v3l2 2-2 2v3a2 2 0 0 1-2 2h-1",
  picture: "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15.5 9.5h.01",
};

/**
 * An icon.
 * @param {keyof typeof PATHS} name
 */
export function icon(name) {
  return createSvg(
    "svg",
    { class: "icon", viewBox: "0 0 24 24", "aria-hidden": "true" },
    createSvg("path", { d: PATHS[name] }),
  );
}
