// Elements without markup in strings: texts from outside can only become text.

/** @import { Properties } from "./types.js" */

/** @type {string | null} */
let svgNamespace = null;

/**
 * A new element.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {string | Properties} [properties] a class name, or attributes by their names; functions are listeners, named
 *   "on" and the event; null, false and "" leave an attribute out
 * @param {...(string | Node)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function create(tag, properties, ...children) {
  const element = document.createElement(tag);
  set(element, typeof properties === "string" ? { class: properties } : properties);
  element.append(...children);
  return element;
}

/**
 * A new SVG element.
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Properties} properties
 * @param {...Node} children
 * @returns {SVGElementTagNameMap[T]}
 */
export function createSvg(tag, properties, ...children) {
  svgNamespace ??= askForNamespace();
  const element = /** @type {SVGElementTagNameMap[T]} */ (document.createElementNS(svgNamespace, tag));
  set(element, properties);
  element.append(...children);
  return element;
}

/**
 * A row of choices of which one is chosen: radio buttons that look like one control.
 * @template {string} T
 * @param {string} name
 * @param {string} label
 * @param {{ value: T, text: string, title?: string }[]} choices
 * @param {(value: T) => unknown} onChange
 * @returns {{ element: HTMLElement, show: (value: T) => void }}
 */
export function segments(name, label, choices, onChange) {
  const inputs = choices.map(({ value, text, title }) => {
    const input = create("input", { type: "radio", name, value, onchange: () => onChange(value) });
    return { input, value, label: create("label", { title: title ?? null }, input, create("span", "", text)) };
  });
  const element = create("fieldset", "segments", create("legend", "unseen", label), ...inputs.map((one) => one.label));
  /** @param {T} value */
  const show = (value) => inputs.forEach((one) => (one.input.checked = one.value === value));
  return { element, show };
}

// SVG's namespace looks like an address, and a report may contain none. So the browser is asked for it.
function askForNamespace() {
  const template = document.createElement("template");
  template.innerHTML = "<svg></svg>";
  return /** @type {Element} */ (template.content.firstChild).namespaceURI;
}

/**
 * The top of a dialog: its name, and a button to close it.
 * @param {string} name
 * @param {() => void} close
 */
export function dialogHeading(name, close) {
  const button = create("button", { type: "button", class: "close", "aria-label": "Close", onclick: close }, "\u00D7");
  return create("div", "heading", create("h2", "", name), button);
}

/**
 * The element of an id that the page is known to have.
 * @param {string} id
 */
export function existing(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/**
 * The element that an event is about; null where it is about none.
 * @param {Event} event
 */
export function targetOf(event) {
  return event.target instanceof HTMLElement || event.target instanceof SVGElement ? event.target : null;
}

/**
 * What draws on a canvas.
 * @param {HTMLCanvasElement} canvas
 */
export function contextOf(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

/**
 * @param {Element} element
 * @param {Properties | undefined} properties
 */
function set(element, properties) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false || value === "") {
      continue;
    }
    if (typeof value === "function") {
      element.addEventListener(name.slice(2), value);
    } else {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
}
