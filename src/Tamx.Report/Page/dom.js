// Elements without markup in strings: texts from outside can only become text.

// The name of SVG's namespace looks like an address; asked of the browser, no address stands in a report.
const template = document.createElement("template");
template.innerHTML = "<svg></svg>";
const SVG = template.content.firstChild.namespaceURI;

/**
 * A new element. Properties: a class name, or an object whose keys are attributes; "on…" keys are event listeners; null and false leave
 * an attribute out.
 */
export function create(tag, properties, ...children) {
  const element = document.createElement(tag);
  set(element, typeof properties === "string" ? { class: properties } : properties);
  element.append(...children);
  return element;
}

/** A new SVG element. */
export function createSvg(tag, properties, ...children) {
  const element = document.createElementNS(SVG, tag);
  set(element, properties);
  element.append(...children);
  return element;
}

/** A row of choices of which one holds: radio buttons that look like one control. Returns the element and what shows a value. */
export function segments(name, label, choices, onChange) {
  const inputs = choices.map(({ value, text, title }) => {
    const input = create("input", { type: "radio", name, value, onchange: () => onChange(value) });
    return { input, value, label: create("label", { title: title ?? null }, input, create("span", "", text)) };
  });
  const element = create("fieldset", "segments", create("legend", "unseen", label), ...inputs.map((one) => one.label));
  const show = (value) => inputs.forEach((one) => (one.input.checked = one.value === value));
  return { element, show };
}

function set(element, properties) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined || value === false || value === "") {
      continue;
    }
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
}
