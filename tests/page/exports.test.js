import assert from "node:assert/strict";
import { test } from "node:test";
import { currentNumbers, fileNameOf, numbersAsCsv } from "../../src/Tamx.Report/Page/exports.js";
import { viewOf } from "../../src/Tamx.Report/Page/view.js";
import { sampleReport, stateWith } from "./sample.js";

const report = sampleReport();

function numbersOf(changes) {
  /** @type {any} */
  const state = stateWith(changes);
  return currentNumbers(report, viewOf({ report, methods: [report], other: null, comparison: null }, state), state);
}

test("numbers say what is selected, its maps in raw units and its text", () => {
  const numbers = numbersOf({ selection: { kind: "answer", from: 1, to: 1 } });

  assert.equal(numbers.format, "tamx-view/1");
  assert.deepEqual(numbers.selection, {
    kind: "answer",
    from: 1,
    to: 1,
    text: " or",
    candidate: { id: 21, text: " or", logit: 2, probability: 0.5 },
  });
  assert.deepEqual(numbers.maps, [
    { run: null, picture: 0, frame: 0, seconds: null, rows: 2, columns: 3, values: [0, 0, 10, 0, 0, 0] },
  ]);
  assert.deepEqual(numbers.text, [
    { position: 6, text: "What", value: 0.2 },
    { position: 8, text: " this", value: 1 },
  ]);
});

test("CSV has a row per cell and token, and quotes what needs it", () => {
  report.tokens.text[2] = ' "this",\n';
  const lines = numbersAsCsv(numbersOf({ selection: { kind: "answer", from: 1, to: 1 } })).split("\r\n");

  assert.equal(lines[0], "kind,token,run,picture,name,frame,row,column,position,text,value");
  assert.equal(lines[1], "answer, or,,,,,,,,An orange cross,");
  assert.equal(lines[4], "map, or,,0,a.png,0,0,2,,,10");
  assert.equal(lines[5], "map, or,,0,a.png,0,1,0,,,0");
  assert.equal(lines[8], "relevance of earlier text, or,,,,,,,6,What,0.2");
  assert.equal(lines[9], 'relevance of earlier text, or,,,,,,,8," ""this"",\n",1');
  assert.deepEqual(lines.slice(10), [""]);
});

test("a file's name has letters and digits of any script, and is never empty", () => {
  assert.equal(fileNameOf("What is this? - a cat/dog"), "What-is-this-a-cat-dog");
  assert.equal(fileNameOf("\u00bfQu\u00e9 es esto?"), "Qu\u00e9-es-esto");
  assert.equal(fileNameOf("../.."), "tamx");
  assert.equal(fileNameOf("a".repeat(100)).length, 60);
});
