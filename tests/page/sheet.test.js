import assert from "node:assert/strict";
import { test } from "node:test";
import { Report } from "../../src/Tamx.Report/Page/report.js";
import { sheetWords } from "../../src/Tamx.Report/Page/sheet.js";
import { sampleData } from "./sample.js";

/** @param {(data: any) => void} change */
function wordsWith(change) {
  const { data, packed } = sampleData();
  change(data);
  const report = new Report(data, packed);
  /** @type {any} */
  const runs = { report };
  return sheetWords(runs).map((span) => report.answerText(span).trim());
}

test("a contact sheet has the words that the picture speaks for, and no function words", () => {
  assert.deepEqual(
    wordsWith(() => {}),
    ["orange", "cross"],
  );
});

test("it leaves out what is weak, and what stands there already", () => {
  assert.deepEqual(
    wordsWith((data) => (data.answer[3].explained[0].range = [0, 0.1])),
    ["orange"],
  );
  assert.deepEqual(
    wordsWith((data) => data.tokens.text.splice(5, 3, " cr", "oss", " cross")),
    ["cross"],
  );
});
