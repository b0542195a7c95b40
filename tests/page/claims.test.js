import assert from "node:assert/strict";
import { test } from "node:test";
import { isChosen, isPoint, nameOf, scoresOf, spanOf, warningOf } from "../../src/Tamx.Report/Page/claims.js";
import { claimsOn } from "../../src/Tamx.Report/Page/pictures.js";
import { claim } from "./sample.js";

test("a claim is selected by its label, or else by its coordinates", () => {
  assert.deepEqual(spanOf(claim()), { from: 3, to: 3 });
  assert.deepEqual(spanOf(claim({ tokens: [] })), { from: 1, to: 2 });
});

test("a claim is chosen if a token of it is selected", () => {
  const chosen = (kind, from, to) => isChosen(claim(), { kind, from, to });

  assert.deepEqual(
    [chosen("answer", 3, 3), chosen("answer", 2, 2), chosen("answer", 0, 9), chosen("answer", 0, 0)],
    [true, true, true, false],
  );
  assert.equal(chosen("text", 3, 3), false);
  assert.equal(isChosen(claim(), null), false);
});

test("a claim without a label is named by its kind", () => {
  const point = claim({ label: " ", box: [0.5, 0.5, 0.5, 0.5], iou: null, pointing: 0 });

  assert.deepEqual([nameOf(claim()), nameOf(claim({ label: "" })), nameOf(point)], ["cross", "box", "point"]);
  assert.deepEqual([isPoint(claim().box), isPoint(point.box)], [false, true]);
  assert.deepEqual([scoresOf(claim()), scoresOf(point)], ["IoU 0.50, peak inside", "peak outside"]);
});

test("only a claim whose evidence is not in it has a warning", () => {
  assert.equal(warningOf(claim()), "");
  assert.equal(warningOf(claim({ evidence: "elsewhere" })), "evidence elsewhere");
  assert.equal(warningOf(claim({ evidence: "nowhere" })), "no evidence");
});

test("claims are drawn on their own picture", () => {
  const [first, second] = [claim(), claim({ block: 1 })];

  assert.deepEqual(claimsOn(/** @type {any} */ ({ block: 1 }), [first, second]), [second]);
});
