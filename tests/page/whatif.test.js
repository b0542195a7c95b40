import assert from "node:assert/strict";
import { test } from "node:test";
import { changesOf, regionRequest } from "../../src/Tamx.Web/Page/whatif.js";
import { assertNear, sampleReport } from "./sample.js";

test("cells become parts of the picture's sides", () => {
  const report = sampleReport();
  const region = { media: 0, frame: 0, top: 1, left: 0, bottom: 1, right: 1 };
  assert.deepEqual(regionRequest(report, region, { use: "hide", isAnew: false, alpha: 3 }), {
    use: "hide",
    picture: 0,
    box: [0, 1 / 2, 2 / 3, 1],
  });
  assert.equal(regionRequest(report, region, { use: "lookAt", isAnew: true, alpha: 3 }).alpha, 3);
});

test("videos before a picture do not count", () => {
  const report = sampleReport();
  report.media = [{ ...report.media[0], isVideo: true }, { ...report.media[0], index: 1 }];
  const region = { media: 1, frame: 0, top: 0, left: 0, bottom: 0, right: 0 };
  assert.equal(regionRequest(report, region, { use: "keep", isAnew: false, alpha: 0 }).picture, 0);
});

test("probabilities are compared as far as the tokens are the same", () => {
  const report = sampleReport();
  const texts = ["An", " or", "ange", " cross"];
  const tokens = texts.map((text, i) => ({ text, probability: i === 1 ? 0.05 : 0.5 }));
  const changes = [0, Math.log(0.1), 0, 0, 0];

  const changed = changesOf(report, [...tokens, { text: "<|im_end|>", probability: 1 }], changes);
  assertNear(
    changed.flatMap(({ before, after, change }) => [before, after, change]),
    [0.5, 0.5, 0, 0.5, 0.05, Math.log(0.1), 0.5, 0.5, 0, 0.5, 0.5, 0],
    1e-9,
  );
  assert.equal(changed[1].text, " or");
  tokens[1].text = " blue";
  assert.equal(changesOf(report, tokens, changes).length, 1);
});
