import assert from "node:assert/strict";
import { test } from "node:test";
import { captionOf, weaknessOf } from "../../src/Tamx.Report/Page/caption.js";
import { Report } from "../../src/Tamx.Report/Page/report.js";
import { viewOf } from "../../src/Tamx.Report/Page/view.js";
import { sampleData, sampleReport, stateWith } from "./sample.js";

const answer = (from, to = from) => ({ kind: "answer", from, to });

/** @param {any} changes */
function captionWith(changes, report = sampleReport()) {
  /** @type {any} */
  const runs = { report, methods: [report], other: null, comparison: null };
  return captionOf(report, viewOf(runs, stateWith(changes))).join("");
}

/** The sample with raw ranges of its tokens. */
function withHeights(...heights) {
  const { data, packed } = sampleData();
  heights.forEach((height, i) => (data.answer[i].explained[0].range = [0, height]));
  return new Report(data, packed);
}

test("the caption says what the colours show", () => {
  assert.equal(captionWith({ selection: answer(3) }), "Where cross came from");
  assert.equal(captionWith({ selection: answer(1, 2) }), "Where orange came from");
  assert.equal(captionWith({ selection: answer(2), candidate: 0 }), "Where ish would have come from");
  assert.equal(captionWith({ selection: { kind: "text", from: 0, to: 0 } }), "What What led to");
  assert.equal(captionWith({}), "Point at a word to see where it came from");
  const region = { media: 0, frame: 0, top: 0, left: 0, bottom: 0, right: 0 };
  assert.equal(captionWith({ region }), "What came from the place that is marked");
});

test("a weak map is called so, with how weak it is", () => {
  const report = withHeights(10, 9e-8, 10, 10);

  assert.equal(
    captionWith({ selection: answer(1) }, report),
    "Where or came from: weak, <\u20090.1\u2009% of the strongest word\u2019s",
  );
  assert.equal(captionWith({ selection: answer(3) }, report), "Where cross came from");
});

test("a map of zeros is said to be one", () => {
  const report = withHeights(10, 0, 10, 10);

  assert.match(captionWith({ selection: answer(1) }, report), /: nowhere in the picture, its map is zero$/);
  assert.equal(weaknessOf(0.12), "weak, 12.0\u2009% of the strongest word\u2019s");
});

test("a weak map fades in proportion on its own scale, and has its colours on the common one", () => {
  const report = withHeights(10, 1, 10, 10);
  /** @type {any} */
  const runs = { report, methods: [report], other: null, comparison: null };
  const opacity = (changes) => viewOf(runs, stateWith({ opacity: 60, ...changes })).layers[0].look.opacity;

  assert.equal(opacity({ selection: answer(3) }), 0.6);
  assert.ok(Math.abs(opacity({ selection: answer(1) }) - 0.3) < 1e-6);
  assert.equal(opacity({ selection: answer(1), scale: "all" }), 0.6);
});

test("the strongest word is a word, as long as there is one", () => {
  const { data, packed } = sampleData();
  data.tokens.text[7] = "!";
  data.answer[3].explained[0].range = [0, 100];
  const report = new Report(data, packed);
  assert.equal(report.strongest().map, 10);

  data.tokens.text = data.tokens.text.map(() => "!");
  assert.equal(new Report(data, packed).strongest().map, 100);
});

test("text that is weak beside the other words' is shaded less", () => {
  const report = withHeights(10, 1, 10, 10);
  /** @type {any} */
  const runs = { report, methods: [report], other: null, comparison: null };
  const shade = (changes) => viewOf(runs, stateWith(changes)).shade;

  assert.equal(shade({ selection: answer(3) }).full, 1);
  assert.ok(Math.abs(shade({ selection: answer(1) }).full - 0.5) < 1e-6);
  assert.ok(Math.abs(shade({ selection: answer(1), scale: "all" }).full - 0.1) < 1e-6);
});

test("the share of a weak token in a region counts for little", () => {
  const report = withHeights(10, 1e-7, 10, 10);
  /** @type {any} */
  const runs = { report, methods: [report], other: null, comparison: null };
  // All of token 1's activation lies in this cell, and none of token 2's; token 3 has half of its there.
  const region = { media: 0, frame: 0, top: 0, left: 2, bottom: 0, right: 2 };
  const { ranking } = viewOf(runs, stateWith({ region })).found;

  assert.ok(Number(ranking.find(({ span }) => span.from === 1)?.share) > 0.999);
  assert.notEqual(ranking[0].span.from, 1);
});
