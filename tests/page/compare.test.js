import assert from "node:assert/strict";
import { test } from "node:test";
import { agreementOf, pairOf, resample, summaryOf } from "../../src/Tamx.Report/Page/compare.js";
import { Report } from "../../src/Tamx.Report/Page/report.js";
import { assertNear, numbers, sampleData, sampleReport } from "./sample.js";

const grid = (rows, columns, values) => ({ rows, columns, values: Float32Array.from(values) });
const sameTokens = {
  names: /** @type {[string, string]} */ (["a", "b"]),
  pairs: [0, 1, 2, 3].map((i) => /** @type {[number, number]} */ ([i, i])),
};

/** @type {(report: any, other: any, comparison: any) => any} */
const compared = (report, other, comparison) => ({ report, methods: [report], other, comparison });

test("a grid of the same cells is left as it is", () => {
  const { values, ...size } = grid(2, 2, [1, 2, 3, 4]);

  assert.equal(resample({ values, ...size }, 2, 2), values);
});

test("cells that are halved or joined have the mean over their area", () => {
  assertNear(resample(grid(1, 2, [1, 3]), 2, 4), [1, 1, 3, 3, 1, 1, 3, 3], 1e-6);
  assertNear(resample(grid(2, 2, [1, 2, 3, 4]), 1, 1), [2.5], 1e-6);
  // Three cells to two: the middle one is halved.
  assertNear(resample(grid(1, 3, [0, 3, 9]), 1, 2), [(2 * 0 + 3) / 3, (3 + 2 * 9) / 3], 1e-6);
});

test("the sum over the area is kept whatever the grids", () => {
  for (const [rows, columns, toRows, toColumns] of [
    [5, 7, 3, 4],
    [3, 4, 5, 7],
    [1, 9, 4, 2],
  ]) {
    const values = numbers(rows * columns, rows + columns);
    const mean = (list) => list.reduce((sum, one) => sum + one, 0) / list.length;

    assertNear([mean([...resample(grid(rows, columns, values), toRows, toColumns)])], [mean(values)], 1e-6);
  }
});

test("spans are paired by the tokens that have a partner", () => {
  /** @type {any} */
  const comparison = { pairs: [[0, 1], null, [3, 4]] };

  assert.deepEqual(pairOf(comparison, { from: 0, to: 2 }), { kind: "answer", from: 0, to: 4 });
  assert.equal(pairOf(comparison, { from: 1, to: 1 }), null);
});

test("a run agrees with itself, and a map that is another's negative does not", () => {
  const report = sampleReport();
  const { data, packed } = sampleData();
  data.answer.forEach((token) => (token.explained[0].range = [10, 0]));
  const negative = new Report(data, packed);

  const same = agreementOf(compared(report, sampleReport(), sameTokens), { from: 1, to: 1 });
  const opposite = agreementOf(compared(report, negative, sameTokens), { from: 1, to: 1 });
  assertNear([same.correlation, same.iou], [1, 1], 1e-9);
  assertNear([opposite.correlation, opposite.iou], [-1, 0], 1e-9);
});

test("correlation and overlap of two maps are as worked out by hand", () => {
  // [0, 0, 0.4, 0.8, 0, 0] against [1, 0, 0, 0, 0, 1], of 10: means 2 and 10 / 3.
  const shifted = { names: sameTokens.names, pairs: [null, null, /** @type {[number, number]} */ ([3, 3]), null] };
  const runs = compared(sampleReport(), sampleReport(), shifted);
  const { correlation, iou, difference } = agreementOf(runs, { from: 2, to: 2 });
  const [a, b] = [
    [0, 0, 4, 8, 0, 0],
    [10, 0, 0, 0, 0, 10],
  ];
  const both = a.reduce((sum, x, i) => sum + (x - 2) * (b[i] - 10 / 3), 0);

  assertNear([correlation], [both / Math.sqrt(56 * (400 / 3))], 1e-6);
  assert.equal(iou, 0);
  // On their own scales [0, 0, 0.5, 1, 0, 0] and [1, 0, 0, 0, 0, 1].
  assertNear([difference], [3.5 / 6], 1e-6);
});

test("each map has its own threshold", () => {
  const { data, packed } = sampleData();
  data.answer.forEach((token) => (token.explained[0].range = [0, 0.01]));
  const small = new Report(data, packed);
  const { correlation, iou } = agreementOf(compared(sampleReport(), small, sameTokens), { from: 2, to: 2 });

  assertNear([correlation, iou], [1, 1], 1e-6);
});

test("a token without a partner agrees with nothing", () => {
  const none = { names: sameTokens.names, pairs: [null, null, null, null] };

  assert.deepEqual(agreementOf(compared(sampleReport(), sampleReport(), none), { from: 0, to: 0 }), {
    correlation: null,
    iou: null,
    difference: null,
  });
});

test("the summary says how far the runs differ, where most, and which finds the answer likelier", () => {
  const { data, packed } = sampleData();
  data.answer.forEach((token) => (token.explained[0].probability = 0.25));
  const other = new Report(data, packed);
  /** @type {any} */
  const shifted = { names: sameTokens.names, pairs: [3, 1, 2, 3].map((i) => [i, i]) };

  // Of three words only the first differs: [0, 1, 0, 0, 0, 0] against [1, 0, 0, 0, 0, 1].
  assert.equal(
    summaryOf(compared(sampleReport(), other, shifted)),
    "Over 3 words the maps differ by 0.167 on average and correlate with 0.561; most at \u201CAn\u201D (0.500). " +
      "a finds the answer likelier: ln p -0.693 per token, against -1.386.",
  );
  const same = compared(sampleReport(), sampleReport(), sameTokens);
  assert.match(summaryOf(same), /Both find the answer equally likely\.$/);
});
