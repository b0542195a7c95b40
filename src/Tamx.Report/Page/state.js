// What is shown, kept in one place and in the address: #tok=12-14&cand=1&map=viridis. All numbers count from 0, as in
// the files that Tamx exports.
//
//   tok, ctx   span of the answer (indices in it), span of the prompt (indices of the report's tokens)
//   cand       rank of the candidate shown in place of the answer's token
//   region     picture.frame.top.left.bottom.right, cells of a look-up
//   t          picture.frame, where a video stands; several with commas
//   method     which of the run's maps: its place, or all for side by side
//   unit=word, dir=to, rank=strength, scale=all, drawn=cells, contour=1, boxes=0, map, opacity, q (search)

/** @import { AddressLimits, Region, Selection, State } from "./types.js" */

/** @type {State} */
const DEFAULTS = {
  selection: null,
  preview: null,
  candidate: null,
  region: null,
  frames: {},
  unit: "token",
  direction: "from",
  rank: "share",
  map: "magma",
  scale: "token",
  drawn: "smooth",
  method: 0,
  boxes: true,
  contour: false,
  opacity: 70,
  query: "",
};

// Browsers drop changes of the address that come too fast, as they do while an arrow key is held down.
const ADDRESS_DELAY_MS = 150;

/**
 * Holds the state; listeners hear of every change.
 * @param {AddressLimits} limits
 * @param {AbortSignal} [signal] ends the listening to the address
 */
export function createState(limits, signal) {
  /** @type {State} */
  let state = { ...DEFAULTS };
  /** @type {((state: State) => void)[]} */
  const listeners = [];
  /** @param {Partial<State>} changes */
  const set = (changes) => {
    state = { ...state, ...changes };
    listeners.forEach((listener) => listener(state));
  };
  const readAddress = () => set(fromHash(location.hash, limits));
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let pending;
  /** @param {Partial<State>} changes */
  const change = (changes) => {
    set(changes);
    clearTimeout(pending);
    pending = setTimeout(() => writeAddress(toHash(state)), ADDRESS_DELAY_MS);
  };
  addEventListener("hashchange", readAddress, { signal });
  signal?.addEventListener("abort", () => clearTimeout(pending));
  return {
    get: () => state,
    change,
    /**
     * Changes what is shown, and not the address.
     * @param {Partial<State>} changes
     */
    show: set,
    readAddress,
    /** @param {(state: State) => void} listener */
    listen: (listener) => listeners.push(listener),
    address: () => location.href.split("#")[0] + toHash(state),
  };
}

/** @param {string} hash */
function writeAddress(hash) {
  if (hash !== location.hash) {
    history.replaceState(null, "", hash || location.pathname + location.search);
  }
}

/** @param {State} state */
export function toHash(state) {
  const values = new URLSearchParams();
  const { selection, candidate, region } = state;
  if (selection !== null) {
    values.set(
      selection.kind === "answer" ? "tok" : "ctx",
      selection.from === selection.to ? String(selection.from) : `${selection.from}-${selection.to}`,
    );
  }
  if (candidate !== null) {
    values.set("cand", String(candidate));
  }
  if (region !== null) {
    values.set("region", [region.media, region.frame, region.top, region.left, region.bottom, region.right].join("."));
  }
  const frames = Object.entries(state.frames).map(([media, frame]) => `${media}.${frame}`);
  if (frames.length > 0) {
    values.set("t", frames.join(","));
  }
  /** @type {(name: string, value: string | number, normal: string | number) => void} */
  const add = (name, value, normal) => value !== normal && values.set(name, String(value));
  add("unit", state.unit, DEFAULTS.unit);
  add("dir", state.direction, DEFAULTS.direction);
  add("rank", state.rank, DEFAULTS.rank);
  add("map", state.map, DEFAULTS.map);
  add("scale", state.scale, DEFAULTS.scale);
  add("drawn", state.drawn, DEFAULTS.drawn);
  add("opacity", state.opacity, DEFAULTS.opacity);
  add("q", state.query, DEFAULTS.query);
  add("method", state.method ?? "all", DEFAULTS.method ?? "all");
  if (!state.boxes) {
    values.set("boxes", "0");
  }
  if (state.contour) {
    values.set("contour", "1");
  }
  return values.size > 0 ? `#${values}` : "";
}

/**
 * The state that an address names. What does not fit the report is left out.
 * @param {string} hash
 * @param {AddressLimits} limits
 * @returns {State}
 */
export function fromHash(hash, limits) {
  const values = new URLSearchParams(hash.slice(1));
  /** @type {(text: string | null | undefined, count: number) => number[] | null} */
  const numbers = (text, count) => {
    const parts = (text ?? "").split(/[.-]/);
    return parts.length <= count && parts.every((part) => /^\d{1,9}$/.test(part)) ? parts.map(Number) : null;
  };
  /**
   * @template {string} T
   * @param {string} name
   * @param {T} normal
   * @param {T[]} allowed
   */
  const choice = (name, normal, allowed) => allowed.find((one) => one === values.get(name)) ?? normal;
  const selection = span("answer", numbers(values.get("tok"), 2)) ?? span("text", numbers(values.get("ctx"), 2));
  const [opacity] = numbers(values.get("opacity"), 1) ?? [DEFAULTS.opacity];
  return {
    ...DEFAULTS,
    selection,
    candidate: candidateOf(numbers(values.get("cand"), 1)),
    region: regionOf(numbers(values.get("region"), 6)),
    frames: framesOf(values.get("t")),
    unit: choice("unit", DEFAULTS.unit, ["token", "word"]),
    direction: choice("dir", DEFAULTS.direction, ["from", "to"]),
    rank: choice("rank", DEFAULTS.rank, ["share", "strength"]),
    map: choice("map", DEFAULTS.map, limits.maps),
    scale: choice("scale", DEFAULTS.scale, ["token", "all"]),
    drawn: choice("drawn", DEFAULTS.drawn, ["smooth", "cells"]),
    method: methodOf(values.get("method")),
    boxes: values.get("boxes") !== "0",
    contour: values.get("contour") === "1",
    opacity: opacity <= 100 ? opacity : DEFAULTS.opacity,
    query: (values.get("q") ?? "").slice(0, 200),
  };

  /** @type {(kind: Selection["kind"], parts: number[] | null) => Selection | null} */
  function span(kind, parts) {
    if (parts === null) {
      return null;
    }
    const [from, to = from] = parts;
    const count = kind === "answer" ? limits.answerCount : limits.tokenCount;
    const fits =
      from <= to && to < count && (kind === "answer" || (limits.isSelectable(from) && limits.isSelectable(to)));
    return fits ? { kind, from, to } : null;
  }

  /**
   * @param {number[] | null} parts
   * @returns {number | null}
   */
  function candidateOf(parts) {
    const isOne = selection?.kind === "answer" && selection.from === selection.to;
    return isOne && parts !== null && parts[0] < limits.candidateCount(selection.from) ? parts[0] : null;
  }

  /**
   * @param {number[] | null} parts
   * @returns {Region | null}
   */
  function regionOf(parts) {
    if (parts?.length !== 6) {
      return null;
    }
    const [media, frame, top, left, bottom, right] = parts;
    const grid = limits.media[media]?.frames[frame];
    return grid && top <= bottom && left <= right && bottom < grid.rows && right < grid.columns
      ? { media, frame, top, left, bottom, right }
      : null;
  }

  /**
   * @param {string | null} text
   * @returns {State["method"]}
   */
  function methodOf(text) {
    const [index] = numbers(text, 1) ?? [DEFAULTS.method];
    return text === "all" ? null : index !== null && index < limits.methodCount ? index : DEFAULTS.method;
  }

  /**
   * @param {string | null} text
   * @returns {Record<number, number>}
   */
  function framesOf(text) {
    const pairs = (text ?? "").split(",").map((part) => numbers(part, 2));
    const known = pairs.filter((pair) => pair?.length === 2 && limits.media[pair[0]]?.frames.length > pair[1]);
    return Object.fromEntries(known.filter((pair) => pair !== null));
  }
}
