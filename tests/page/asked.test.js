import assert from "node:assert/strict";
import { test } from "node:test";
import { askedMedia, askedText, changedWords, changesByToken } from "../../src/Tamx.Report/Page/asked.js";
import { commandOf } from "../../src/Tamx.Report/Page/command.js";
import { Report } from "../../src/Tamx.Report/Page/report.js";
import { regionRequest } from "../../src/Tamx.Web/Page/whatif.js";
import { assertNear, sampleData } from "./sample.js";

const ASKED = { use: "hide", picture: 0, box: [0, 0.5, 2 / 3, 1], alpha: null, changes: [0.5, -1, -0.25, 0] };

/** @param {object} changes */
function reportWith(changes = {}) {
  const { data, packed } = sampleData();
  data.asked = { ...ASKED, ...changes };
  return new Report(data, packed);
}

test("what was asked is said with its place", () => {
  assert.equal(
    askedText(reportWith(), reportWith().asked),
    "hidden: Picture 1, 0\u2009% to 67\u2009% across, 50\u2009% to 100\u2009% down",
  );
  const looked = reportWith({ use: "lookAt", alpha: 4 });
  assert.match(askedText(looked, looked.asked), /^looked at with alpha 4: Picture 1/);
});

test("a word's change is that of its tokens, the greatest first", () => {
  const words = changedWords(reportWith(), ASKED.changes);
  assert.deepEqual(
    words.map(({ text }) => text),
    ["orange", "An", "cross"],
  );
  assertNear(
    words.map(({ change }) => change),
    [-1.25, 0.5, 0],
    1e-9,
  );
  assert.deepEqual([...changesByToken(reportWith(), ASKED.changes)].slice(0, 2), [
    [4, 0.5],
    [5, -1],
  ]);
});

test("videos do not count as pictures", () => {
  const { data, packed } = sampleData();
  data.media.unshift({ ...data.media[0], isVideo: true });
  data.asked = ASKED;
  assert.equal(askedMedia(new Report(data, packed))?.index, 1);
  data.asked = { ...ASKED, picture: 5 };
  assert.equal(askedMedia(new Report(data, packed)), null);
});

test("a picture in tiles and its whole are one picture of the conversation", () => {
  const { data, packed } = sampleData();
  const [first] = data.media;
  data.media.push({ ...first, isWhole: true, name: "Picture 1 as one tile" }, { ...first, name: "Picture 2" });
  data.asked = { ...ASKED, picture: 1 };
  const report = new Report(data, packed);
  assert.deepEqual(
    report.media.map(({ pictureIndex }) => pictureIndex),
    [0, 0, 1],
  );
  assert.equal(askedMedia(report)?.name, "Picture 2");
  assert.match(commandOf(report), / --image a\.png a\.png /);
  const region = { media: 1, frame: 0, left: 0, top: 0, right: 0, bottom: 0 };
  assert.equal(regionRequest(report, region, { use: "hide", isAnew: false, alpha: 0 }).picture, 0);
});

test("the command asks it again", () => {
  assert.match(commandOf(reportWith()), / --hide 0,0\.5,0\.666667,1$/);
  assert.match(
    commandOf(reportWith({ use: "lookAt", alpha: 2.5, picture: 1 })),
    / --look-at 1:0,0\.5,0\.666667,1 --alpha 2\.5$/,
  );
});
