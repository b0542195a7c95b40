// Looking closer at a picture: how large it is drawn, and which part of it is in sight. Layout alone changes with it;
// no map is drawn again.

/** @import { Rectangle, ZoomPoint } from "./types.js" */

const STEP = 1.25;
const MOST = 8;
const MOST_OF_PIXELS = 4;
const FITTING = { scale: 1, x: 0.5, y: 0.5 };

/**
 * The frame's sides that a picture of some ratio has. A very long one stands in a wider frame, or else it would be a
 * thread that no enlarging could open.
 * @param {number} ratio width by height
 */
export function frameRatio(ratio) {
  return Math.max(0.5, Math.min(3, ratio));
}

/**
 * Where a picture lies within its frame, in parts of the frame's sides.
 * @param {ZoomPoint} zoom
 * @param {number} ratio of the picture
 * @param {number} frame ratio of the frame
 * @returns {Rectangle}
 */
export function placeOf({ scale, x, y }, ratio, frame) {
  const width = scale * Math.min(1, ratio / frame);
  const height = scale * Math.min(1, frame / ratio);
  return { left: startOf(x, width), top: startOf(y, height), width, height };
}

/**
 * The zoom with which a point of the picture lies at a place of the frame.
 * @param {number} scale
 * @param {{ x: number, y: number }} point in parts of the picture's sides
 * @param {{ x: number, y: number }} at in parts of the frame's
 * @param {number} ratio
 * @param {number} frame
 * @returns {ZoomPoint}
 */
export function zoomTo(scale, point, at, ratio, frame) {
  const { width, height } = placeOf({ ...FITTING, scale }, ratio, frame);
  return {
    scale,
    x: within(point.x + (0.5 - at.x) / width, width),
    y: within(point.y + (0.5 - at.y) / height, height),
  };
}

/**
 * Holds what the panes of one picture show: all of them the same part.
 * @param {number} ratio of the picture
 * @param {number} pixels its width
 */
export function createZoom(ratio, pixels) {
  /** @type {ZoomPoint} */
  let now = FITTING;
  /** @type {(() => void)[]} */
  const listeners = [];
  /** @param {ZoomPoint} next */
  const set = (next) => {
    now = next;
    listeners.forEach((listener) => listener());
  };
  /**
   * The scale at which a pixel of the picture is one of the screen.
   * @param {{ width: number, height: number }} frame in pixels
   */
  const whole = ({ width, height }) => pixels / (width * Math.min(1, (ratio * height) / width));

  return {
    get isFit() {
      return now.scale === 1;
    },
    /** @param {() => void} listener */
    listen: (listener) => listeners.push(listener),
    /** @param {{ width: number, height: number }} frame in pixels */
    place: ({ width, height }) => placeOf(now, ratio, width / height),
    fit: () => set(FITTING),
    /**
     * Shows the picture's own pixels around a place of the frame.
     * @param {{ width: number, height: number }} frame
     * @param {{ x: number, y: number }} [at]
     */
    actual(frame, at) {
      this.by(whole(frame) / now.scale, frame, at);
    },
    /**
     * Enlarges or makes smaller; what lies at a place of the frame stays there.
     * @param {number} factor
     * @param {{ width: number, height: number }} frame
     * @param {{ x: number, y: number }} [at]
     */
    by(factor, frame, at = { x: 0.5, y: 0.5 }) {
      const most = Math.max(MOST, MOST_OF_PIXELS * whole(frame));
      const scale = Math.max(1, Math.min(most, now.scale * factor));
      const { left, top, width, height } = this.place(frame);
      const point = { x: (at.x - left) / width, y: (at.y - top) / height };
      set(scale === 1 ? FITTING : zoomTo(scale, point, at, ratio, frame.width / frame.height));
    },
    /**
     * Moves the picture by parts of the frame's sides.
     * @param {number} right
     * @param {number} down
     * @param {{ width: number, height: number }} frame
     */
    move(right, down, frame) {
      const { width, height } = this.place(frame);
      set({ scale: now.scale, x: within(now.x - right / width, width), y: within(now.y - down / height, height) });
    },
    /**
     * Moves the picture so that a point of it is in sight.
     * @param {{ x: number, y: number }} point in parts of the picture's sides
     * @param {{ width: number, height: number }} frame
     */
    reveal(point, frame) {
      const { left, top, width, height } = this.place(frame);
      const [x, y] = [left + point.x * width, top + point.y * height];
      if (x < 0 || x > 1 || y < 0 || y > 1) {
        set(zoomTo(now.scale, point, { x: 0.5, y: 0.5 }, ratio, frame.width / frame.height));
      }
    },
  };
}

/** @param {number} deltaY of a wheel's turn, in pixels */
export function wheelFactor(deltaY) {
  return STEP ** Math.max(-2, Math.min(2, -deltaY / 100));
}

/** By how much a key or a button enlarges. */
export const zoomStep = STEP;

/**
 * @param {number} centre the point of the picture in the frame's middle
 * @param {number} size of the picture, in parts of the frame's side
 */
function startOf(centre, size) {
  return size <= 1 ? (1 - size) / 2 : Math.max(1 - size, Math.min(0, 0.5 - centre * size));
}

/**
 * The nearest point that the frame's middle can show.
 * @param {number} centre
 * @param {number} size
 */
function within(centre, size) {
  return size <= 1 ? 0.5 : Math.max(0.5 / size, Math.min(1 - 0.5 / size, centre));
}
