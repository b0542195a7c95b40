import assert from "node:assert/strict";
import { test } from "node:test";
import { changesOf, edgeOf } from "../../src/Tamx.Web/Page/whatif.js";
import { assertNear, sampleReport } from "./sample.js";

test("a cell begins with the first pixel whose middle lies in it", () => {
  for (const [cells, pixels] of [
    [3, 10],
    [7, 7],
    [5, 3],
    [24, 1000],
  ]) {
    const cellOf = (pixel) => Math.floor(((2 * pixel + 1) * cells) / (2 * pixels));
    for (let cell = 0; cell < cells; cell++) {
      const inside = Array.from({ length: pixels }, (_, pixel) => pixel).filter((pixel) => cellOf(pixel) === cell);
      const own = Array.from(
        { length: edgeOf(cell + 1, cells, pixels) - edgeOf(cell, cells, pixels) },
        (_, i) => edgeOf(cell, cells, pixels) + i,
      );
      assert.deepEqual(own, inside);
    }
  }
});

test("probabilities are compared as far as the tokens are the same", () => {
  const report = sampleReport();
  const texts = ["An", " or", "ange", " cross"];
  const tokens = texts.map((text, i) => ({ text, probability: i === 1 ? 0.05 : 0.5 }));

  const changed = changesOf(report, [...tokens, { text: "<|im_end|>", probability: 1 }]);
  assertNear(
    changed.map(({ change }) => change),
    [0, Math.log(0.1), 0, 0],
    1e-9,
  );
  assert.deepEqual([changed[1].before, changed[1].after, changed[1].text], [0.5, 0.05, " or"]);
  tokens[1].text = " blue";
  assert.equal(changesOf(report, tokens).length, 1);
});
