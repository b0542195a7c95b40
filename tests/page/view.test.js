import assert from "node:assert/strict";
import { test } from "node:test";
import { colormaps, differences } from "../../src/Tamx.Report/Page/colormaps.js";
import { frameOf } from "../../src/Tamx.Report/Page/pictures.js";
import { Report } from "../../src/Tamx.Report/Page/report.js";
import { frameSums, methodNames, viewOf } from "../../src/Tamx.Report/Page/view.js";
import { assertNear, claim, sampleData, sampleReport, stateWith } from "./sample.js";

const report = sampleReport();
/** @type {any} */
const alone = { report, methods: [report], other: null, comparison: null };
const answer = (from, to = from) => ({ kind: "answer", from, to });
const view = (changes, runs = alone) => viewOf(runs, /** @type {any} */ (stateWith(changes)));

test("nothing selected shows nothing", () => {
  const { selection, token, layers, shade, found } = view({});

  assert.deepEqual({ selection, token, layers, found }, { selection: null, token: null, layers: [], found: null });
  assert.deepEqual([shade.kind, shade.values.size, shade.highest], ["from", 0, 0]);
});

test("one token shows its map over its own range, and where it came from", () => {
  const { token, layers, shade } = view({ selection: answer(1), map: "viridis", opacity: 40, drawn: "cells" });

  assert.equal(token.index, 1);
  assert.equal(layers.length, 1);
  assert.deepEqual([...layers[0].look.range], [0, 10]);
  assert.equal(layers[0].look.colours, colormaps.viridis);
  assert.equal(layers[0].look.opacity, 0.4);
  assert.equal(layers[0].look.smooth, false);
  assert.deepEqual(frameSums(layers[0], report.media[0]), [10]);
  assertNear([...shade.values.keys(), shade.highest], [0, 2, 1], 1e-9);
});

test("the common scale is that of all maps", () => {
  assert.deepEqual([...view({ selection: answer(0) }).layers[0].look.range], [0, 2]);
  assert.deepEqual([...view({ selection: answer(0), scale: "all" }).layers[0].look.range], [0, 10]);
});

test("a candidate is shown in place of its token, but not under the pointer", () => {
  const shown = view({ selection: answer(2), candidate: 0 });
  assert.equal(shown.explainedIndex, 1);
  assert.equal(shown.layers[0].grid(0, 0).values[4], 10);

  const pointed = view({ selection: answer(2), candidate: 0, preview: answer(2) });
  assert.equal(pointed.explainedIndex, 0);
  assert.equal(pointed.isPreview, true);
});

test("a part of the prompt shows what it led to, by the answer's tokens", () => {
  const { shade, layers } = view({ selection: { kind: "text", from: 0, to: 0 } });

  assert.equal(shade.kind, "to");
  assert.deepEqual([...shade.values.keys()], [4, 5, 7]);
  assert.equal(layers.length, 0);
});

test("an explained token of the prompt has a map", () => {
  assert.equal(view({ selection: { kind: "text", from: 2, to: 2 } }).layers[0].grid(0, 0).values[0], 10);
});

test("a region ranks tokens by their share, words if words are chosen", () => {
  const region = { media: 0, frame: 0, top: 0, left: 1, bottom: 0, right: 1 };
  const tokens = view({ region });
  assert.equal(tokens.shade.kind, "region");
  assert.deepEqual(tokens.found.ranking[0].span, { from: 0, to: 0 });
  assert.equal(tokens.shade.values.get(4), 1);

  const words = view({ region: { ...region, left: 2, right: 2 }, unit: "word", rank: "strength" });
  assert.deepEqual(words.found.ranking[0].span, { from: 1, to: 2 });
  assert.equal(words.found.tokens.length, 4);
});

/** @type {any} */
const compared = {
  report,
  other: sampleReport(),
  methods: [report],
  comparison: { names: ["one", "two"], pairs: [[3, 3], [1, 1], null, null] },
};

test("a comparison shows both runs and the difference of their parts of their scales", () => {
  const [first, second, difference] = view({ selection: answer(0) }, compared).layers;

  assert.deepEqual([first.name, second.name, difference.name], ["one", "two", "Difference"]);
  assertNear(difference.grid(0, 0).values, [-1, 1, 0, 0, 0, -1], 1e-6);
  assert.deepEqual([...difference.look.range], [-1, 1]);
  assert.equal(difference.look.colours, differences);
  assert.equal(difference.look.isSigned, true);
});

test("a difference of nothing is not blown up", () => {
  const [, , difference] = view({ selection: answer(1) }, compared).layers;

  assertNear(difference.grid(0, 0).values, [0, 0, 0, 0, 0, 0], 0);
  assert.deepEqual([...difference.look.range], [-0.01, 0.01]);
});

test("a token without a partner has no map in the second run, and no difference", () => {
  const [first, second, difference] = view({ selection: answer(2) }, compared).layers;

  assert.equal(first.grid(0, 0).rows, 2);
  assert.equal(second.grid(0, 0), null);
  assert.equal(difference.grid(0, 0), null);
});

test("a video shows the frame that was chosen, else the one with the greatest share, else the first", () => {
  /** @type {any} */
  const media = { index: 1 };
  /** @type {any} */
  const chosen = stateWith({ frames: { 1: 0 } });
  /** @type {any} */
  const free = stateWith({ frames: { 0: 7 } });

  assert.equal(frameOf(media, chosen, [1, 5]), 0);
  assert.equal(frameOf(media, free, [1, null, 5, 5]), 2);
  assert.equal(frameOf(media, free, [null, null]), 0);
  assert.equal(frameOf(media, free, null), 0);
});

test("a run's maps by another method are shown in place of the first, or beside it", () => {
  const { data, packed } = sampleData();
  data.method.name = "Evidence, all layers";
  data.answer.forEach((token) => (token.explained[0].range = [0, 20]));
  data.claims = [claim({ evidence: "elsewhere" })];
  const evidence = new Report(data, packed);
  /** @type {any} */
  const runs = { report, methods: [report, evidence], other: null, comparison: null };

  const first = view({ selection: answer(1) }, runs);
  assert.deepEqual(first.names, ["TAM, last layer"]);
  assert.deepEqual([...first.layers[0].look.range], [0, 10]);
  assert.deepEqual(first.claims, [[]]);

  const second = view({ selection: answer(1), method: 1 }, runs);
  assert.deepEqual(second.names, ["Evidence, all layers"]);
  assert.deepEqual([...second.layers[0].look.range], [0, 20]);
  assert.deepEqual(second.claims, [evidence.claims]);

  const both = view({ selection: answer(1), method: null }, runs);
  assert.deepEqual(both.names, ["TAM, last layer", "Evidence, all layers"]);
  assert.deepEqual(
    both.layers.map(({ look }) => look.range[1]),
    [10, 20],
  );
  assert.deepEqual(view({}, alone).names, [""]);
});

test("methods of one name are told apart", () => {
  /** @type {any} */
  const runs = { methods: [report, report], other: null };

  assert.deepEqual(methodNames(runs), ["TAM, last layer", "TAM, last layer (2)"]);
});
