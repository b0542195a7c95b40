// Pointers over a picture: the value below them, a region that is drawn, and looking closer. At fit a drag draws; an
// enlarged picture is moved by it, and Shift draws. Two fingers enlarge.

import { wheelFactor } from "./zoom.js";

/** @import { PointerDrag, PointingActions, Zoom } from "./types.js" */

// In pixels: a press that moves less is a click.
const LEAST_DRAG = 4;

/**
 * Listens to pointers.
 * @param {HTMLElement} frame what the picture is seen through
 * @param {HTMLElement} plane the picture within it
 * @param {Zoom} zoom
 * @param {PointingActions} actions
 */
export function listenToPointers(frame, plane, zoom, actions) {
  /** @type {Map<number, { x: number, y: number }>} */
  const down = new Map();
  /** @type {PointerDrag | null} */
  let drag = null;
  /** @type {(event: MouseEvent) => { x: number, y: number }} */
  const onFrame = (event) => {
    const box = frame.getBoundingClientRect();
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  };
  /** @type {(event: MouseEvent) => { x: number, y: number }} */
  const onPicture = (event) => {
    const box = plane.getBoundingClientRect();
    /** @param {number} value */
    const inside = (value) => Math.max(0, Math.min(0.99999, value));
    return { x: inside((event.clientX - box.left) / box.width), y: inside((event.clientY - box.top) / box.height) };
  };
  const size = () => frame.getBoundingClientRect();

  frame.addEventListener("pointerdown", (event) => {
    if (event.button > 1) {
      return;
    }
    down.set(event.pointerId, { x: event.clientX, y: event.clientY });
    frame.setPointerCapture(event.pointerId);
    const doing =
      down.size > 1 ? "pinch" : event.button === 1 ? "move" : zoom.isFit || event.shiftKey ? "mark" : "press";
    if (doing === "move") {
      event.preventDefault(); // The browser's own way of scrolling.
    } else if (doing === "pinch" && drag?.doing === "mark") {
      actions.cancel();
    }
    drag = { doing, start: onPicture(event), x: event.clientX, y: event.clientY };
  });
  frame.addEventListener("pointermove", (event) => {
    const place = onPicture(event);
    if (drag === null || !down.has(event.pointerId)) {
      actions.point(place);
      return;
    }
    const before = [...down.values()];
    const [right, below] = [event.clientX - drag.x, event.clientY - drag.y];
    if (drag.doing === "press" && Math.hypot(right, below) >= LEAST_DRAG) {
      drag.doing = "move";
    }
    if (drag.doing === "mark") {
      actions.point(place);
      actions.mark(drag.start, place, true);
    } else if (drag.doing === "move") {
      const { width, height } = size();
      zoom.move(right / width, below / height, size());
      Object.assign(drag, { x: event.clientX, y: event.clientY });
    } else if (drag.doing === "pinch") {
      down.set(event.pointerId, { x: event.clientX, y: event.clientY });
      pinch(before, [...down.values()]);
    }
  });
  frame.addEventListener("pointerup", (event) => {
    if (drag !== null && down.size === 1 && (drag.doing === "mark" || drag.doing === "press")) {
      actions.mark(drag.start, onPicture(event), false);
    }
    end(event);
  });
  frame.addEventListener("pointercancel", end);
  frame.addEventListener("pointerleave", () => actions.point(null));
  frame.addEventListener("dblclick", (event) => (zoom.isFit ? zoom.actual(size(), onFrame(event)) : zoom.fit()));
  frame.addEventListener(
    "wheel",
    (event) => {
      // A list of pictures that is longer than its place scrolls, unless the picture is enlarged.
      const list = frame.closest(".pictures");
      const scrolls = list !== null && list.scrollHeight > list.clientHeight + 1;
      const isLeft = zoom.isFit && (event.deltaY > 0 || (scrolls && !event.ctrlKey));
      if (isLeft) {
        return;
      }
      event.preventDefault();
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        const { width } = size();
        zoom.move(-(event.deltaX || event.deltaY) / width, 0, size());
      } else {
        zoom.by(wheelFactor(event.ctrlKey ? 4 * event.deltaY : event.deltaY), size(), onFrame(event));
      }
    },
    { passive: false },
  );
  // Otherwise the page would scroll under two fingers.
  frame.addEventListener("touchmove", (event) => event.touches.length > 1 && event.preventDefault(), {
    passive: false,
  });

  /** @param {PointerEvent} event */
  function end(event) {
    down.delete(event.pointerId);
    // Of two fingers, the one that stays moves on from where it is.
    const [rest] = down.values();
    drag = rest === undefined || drag === null ? null : { ...drag, doing: "move", ...rest };
  }

  /**
   * @param {{ x: number, y: number }[]} before
   * @param {{ x: number, y: number }[]} after
   */
  function pinch([a, b], [c, d]) {
    const box = size();
    const spread = Math.hypot(a.x - b.x, a.y - b.y);
    const [x, y] = [(c.x + d.x) / 2, (c.y + d.y) / 2];
    zoom.move((x - (a.x + b.x) / 2) / box.width, (y - (a.y + b.y) / 2) / box.height, box);
    if (spread > 0) {
      const at = { x: (x - box.left) / box.width, y: (y - box.top) / box.height };
      zoom.by(Math.hypot(c.x - d.x, c.y - d.y) / spread, box, at);
    }
  }
}
