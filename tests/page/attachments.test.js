import assert from "node:assert/strict";
import { test } from "node:test";
import { isAnimation, refusalOf } from "../../src/Tamx.Web/Page/attachments.js";

const limits = { maxPictures: 2, maxPictureBytes: 5e6, maxPicturePixels: 4e6, maxBodyBytes: 9e6 };
/** @type {any} */
const rules = { limits, seesPictures: true, readsVideos: true };
const facts = (changes = {}) => {
  const { size = 1e6, type = "image/png", kind = "picture", width = 100, height = 100 } = /** @type {any} */ (changes);
  return /** @type {any} */ ({ file: { size, type }, kind, width, height });
};

test("what is within the limits is taken, up to the limits themselves", () => {
  const largest = facts({ size: 5e6, width: 2000, height: 2000 });

  assert.equal(refusalOf(facts(), [], rules), null);
  assert.equal(refusalOf(largest, [facts({ size: 4e6 })], rules), null);
});

test("one more than the limit is refused, with the limit in the words", () => {
  const cases = [
    [facts({ size: 5e6 + 1 }), [], /^has 5\.0\u2009MB; a picture can have 5\.0\u2009MB$/],
    [facts({ width: 2000, height: 2001 }), [], /^has 2000 \u00d7 2001 pixels; 4 megapixels are the most$/],
    [facts(), [facts(), facts()], /^a question can have 2 pictures$/],
    [facts({ size: 5e6 }), [facts({ size: 4e6 + 1 })], /^all files together can have 9\.0\u2009MB$/],
  ];
  for (const [added, taken, message] of cases) {
    assert.match(refusalOf(added, taken, rules) ?? "taken", message);
  }
});

test("videos do not count as pictures, and have only the limit of all files", () => {
  const video = facts({ kind: "video", type: "video/mp4", size: 8e6, width: 9999, height: 9999 });

  assert.equal(refusalOf(video, [], rules), null);
  assert.equal(refusalOf(facts(), [facts(), facts({ kind: "video" })], rules), null);
});

test("without ffmpeg there are animations and no other videos", () => {
  const without = { ...rules, readsVideos: false };

  assert.match(refusalOf(facts({ kind: "video", type: "video/mp4" }), [], without) ?? "taken", /no ffmpeg/);
  assert.equal(refusalOf(facts({ kind: "video", type: "image/gif" }), [], without), null);
});

test("a model of texts takes nothing", () => {
  assert.match(refusalOf(facts(), [], { ...rules, seesPictures: false }) ?? "taken", /reads text only/);
});

// A frame of a GIF as far as it matters: its control block, and something after it.
const FRAME = [0x21, 0xf9, 4, 0, 10, 0, 0, 0, 0x2c];
const gif = (...frames) =>
  new Blob([Uint8Array.from([...Buffer.from("GIF89a"), ...frames.flat()])], { type: "image/gif" });

test("a GIF is an animation from two frames on", async () => {
  assert.equal(await isAnimation(gif(FRAME)), false);
  assert.equal(await isAnimation(gif(FRAME, [1, 2, 3], FRAME)), true);
});

test("what only begins as a control block is no frame", async () => {
  assert.equal(await isAnimation(gif(FRAME, [0x21, 0xf9, 4, 0, 10, 0, 0, 7, 0x2c], [0x21, 0xf9])), false);
});

test("a WebP is an animation where it says so at its start", async () => {
  const webp = (name) =>
    new Blob([`RIFF\0\0\0\0WEBPVP8X\n\0\0\0\x02\0\0\0\0\0\0\0\0\0${name}`], { type: "image/webp" });

  assert.equal(await isAnimation(webp("ANIM")), true);
  assert.equal(await isAnimation(webp("VP8L")), false);
});

test("other pictures are none", async () => {
  assert.equal(await isAnimation(new Blob([Uint8Array.from([...FRAME, ...FRAME])], { type: "image/png" })), false);
});
