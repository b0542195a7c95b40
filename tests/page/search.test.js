import assert from "node:assert/strict";
import { test } from "node:test";
import { find, foldedText } from "../../src/Tamx.Report/Page/search.js";
import { sampleReport } from "./sample.js";

const report = sampleReport();
const search = (query) => find(report, foldedText(report.tokens.text), query);

test("text is found over the borders of tokens, whatever its case", () => {
  assert.deepEqual(search("ORANGE"), [{ kind: "answer", from: 1, to: 2 }]);
});

test("spaces at the ends bring in no token that holds nothing else of it", () => {
  assert.deepEqual(search("an "), [{ kind: "answer", from: 0, to: 0 }]);
  assert.deepEqual(search(" orange "), [{ kind: "answer", from: 1, to: 2 }]);
});

test("the prompt is searched too, and all places are found in order", () => {
  assert.deepEqual(search("is"), [
    { kind: "text", from: 1, to: 1 },
    { kind: "text", from: 2, to: 2 },
  ]);
});

test("a match that begins in the prompt and ends in the answer is none", () => {
  assert.deepEqual(search("?an"), []);
});

test("a sign that folds to several characters does not shift what follows", () => {
  const { whole, owners } = foldedText(["\u0130x", "y"]);

  assert.equal(whole.length, owners.length);
  assert.equal(owners[whole.indexOf("y")], 1);
});

test("signs are not patterns", () => {
  assert.deepEqual(search("."), []);
  assert.deepEqual(search("?"), [{ kind: "text", from: 3, to: 3 }]);
});
