import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { createState, fromHash, toHash } from "../../src/Tamx.Report/Page/state.js";
import { stateWith } from "./sample.js";

const limits = {
  answerCount: 4,
  tokenCount: 8,
  isSelectable: (token) => token !== 3,
  candidateCount: (index) => index,
  media: [
    {
      frames: [
        { rows: 2, columns: 3 },
        { rows: 2, columns: 3 },
      ],
    },
    { frames: [{ rows: 1, columns: 1 }] },
  ],
  maps: ["magma", "viridis"],
  methodCount: 2,
};
const read = (hash) => fromHash(hash, limits);

test("what is as ever is not in the address", () => {
  assert.equal(toHash(stateWith()), "");
  assert.deepEqual(read(""), stateWith());
});

test("a state comes back from its address", () => {
  const states = [
    { selection: { kind: "answer", from: 2, to: 2 }, candidate: 1 },
    { selection: { kind: "answer", from: 0, to: 3 }, unit: "word", contour: true },
    { selection: { kind: "text", from: 4, to: 6 }, direction: "to", map: "viridis" },
    { region: { media: 0, frame: 1, top: 0, left: 1, bottom: 1, right: 2 }, rank: "strength" },
    { method: 1, boxes: false },
    { method: null },
    { frames: { 0: 1, 1: 0 }, scale: "all", drawn: "cells", opacity: 0, query: "a & b = 100 %#?" },
  ];
  for (const state of states) {
    assert.deepEqual(read(toHash(stateWith(state))), stateWith(state));
  }
});

test("the address reads as the documentation says", () => {
  const region = { media: 0, frame: 1, top: 0, left: 1, bottom: 1, right: 2 };
  const state = stateWith({ selection: { kind: "answer", from: 1, to: 3 }, map: "viridis", region, frames: { 0: 1 } });

  assert.equal(toHash(state), "#tok=1-3&region=0.1.0.1.1.2&t=0.1&map=viridis");
});

test("what the pointer is at is not in the address", () => {
  assert.equal(toHash(stateWith({ preview: { kind: "answer", from: 1, to: 1 } })), "");
});

test("what does not fit the report is left out", () => {
  const wrong = [
    "tok=4",
    "tok=2-1",
    "tok=-1",
    "tok=1-2-3",
    "tok=x",
    "tok=1e1",
    "tok=99999999999",
    "ctx=8",
    "ctx=3",
    "ctx=2-3",
    "tok=2&cand=2".replace("tok=2&", ""),
    "cand=0",
    "region=0.0.0.0.2.0",
    "region=0.0.1.0.0.0",
    "region=0.2.0.0.0.0",
    "region=2.0.0.0.0.0",
    "region=0.0.0.0.0",
    "t=0.2",
    "t=5.0",
    "t=0",
    "unit=letter",
    "dir=up",
    "rank=x",
    "map=toString",
    "scale=x",
    "drawn=x",
    "opacity=101",
    "opacity=x",
    "contour=2",
  ];
  for (const hash of wrong) {
    assert.deepEqual(read(`#${hash}`), stateWith(), hash);
  }
});

test("a candidate needs one selected token that has it", () => {
  assert.equal(read("#tok=2&cand=1").candidate, 1);
  assert.equal(read("#tok=2&cand=2").candidate, null);
  assert.equal(read("#tok=1-2&cand=0").candidate, null);
  assert.equal(read("#ctx=1&cand=0").candidate, null);
});

test("a long query is cut", () => {
  assert.equal(read(`#q=${"a".repeat(300)}`).query.length, 200);
});

const page = { hash: "", written: [], listeners: {} };

beforeEach(() => {
  Object.assign(page, { hash: "", written: [], listeners: {} });
  Object.assign(globalThis, {
    location: {
      get hash() {
        return page.hash;
      },
      pathname: "/report.html",
      search: "?a=b",
      href: "http://x/report.html?a=b#q=1",
    },
    history: { replaceState: (_state, _title, address) => page.written.push(address) },
    addEventListener: (name, listener) => (page.listeners[name] = listener),
  });
});

test("listeners hear of every change, and the address follows once they stop", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const store = createState(limits);
    const heard = [];
    store.listen((state) => heard.push(state.opacity));
    store.change({ opacity: 10 });
    store.change({ opacity: 20 });
    mock.timers.tick(149);
    assert.deepEqual(page.written, []);

    mock.timers.tick(1);
    assert.deepEqual(page.written, ["#opacity=20"]);
    assert.deepEqual(heard, [10, 20]);
    assert.equal(store.address(), "http://x/report.html?a=b#opacity=20");
  } finally {
    mock.timers.reset();
  }
});

test("a state without anything of its own leaves no sign of the address's part after #", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    page.hash = "#opacity=5";
    const store = createState(limits);
    store.readAddress();
    assert.equal(store.get().opacity, 5);

    store.change({ opacity: 70 });
    mock.timers.tick(150);
    assert.deepEqual(page.written, ["/report.html?a=b"]);
  } finally {
    mock.timers.reset();
  }
});

test("an address that is changed by hand is read", () => {
  const store = createState(limits);
  page.hash = "#tok=3";
  page.listeners.hashchange();

  assert.deepEqual(store.get().selection, { kind: "answer", from: 3, to: 3 });
});

test("what was not yet written when the page goes is not written any more", () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  try {
    const leaving = new AbortController();
    const store = createState(limits, leaving.signal);
    store.change({ opacity: 1 });
    leaving.abort();
    mock.timers.tick(1000);
    assert.deepEqual(page.written, []);
  } finally {
    mock.timers.reset();
  }
});
