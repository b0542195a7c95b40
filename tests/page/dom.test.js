import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "../../src/Tamx.Report/Page/dom.js";

class FakeElement {
  attributes = {};
  listeners = {};
  children = [];
  constructor(tag) {
    this.tag = tag;
  }
  setAttribute(name, value) {
    this.attributes[name] = value;
  }
  addEventListener(name, listener) {
    this.listeners[name] = listener;
  }
  append(...children) {
    this.children.push(...children);
  }
}

/** @type {any} */
const page = globalThis;
page.document = { createElement: (tag) => new FakeElement(tag) };

test("a text as properties is the class", () => {
  /** @type {any} */
  const element = create("p", "note small", "text");

  assert.deepEqual([element.tag, element.attributes, element.children], ["p", { class: "note small" }, ["text"]]);
});

test("attributes are texts; what is not there is left out, and true stands without a value", () => {
  /** @type {any} */
  const element = create("input", { min: 0, hidden: true, checked: false, title: null, name: undefined, class: "" });

  assert.deepEqual(element.attributes, { min: "0", hidden: "" });
});

test("functions are listeners", () => {
  const listener = () => {};
  /** @type {any} */
  const element = create("button", { onclick: listener });

  assert.deepEqual([element.listeners, element.attributes], [{ click: listener }, {}]);
});

test("markup in a text stays text", () => {
  /** @type {any} */
  const element = create("p", "", "<img src=x onerror=alert(1)>");

  assert.deepEqual(element.children, ["<img src=x onerror=alert(1)>"]);
});
