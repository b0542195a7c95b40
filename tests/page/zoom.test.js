import assert from "node:assert/strict";
import { test } from "node:test";
import { createZoom, frameRatio, placeOf, wheelFactor, zoomTo } from "../../src/Tamx.Report/Page/zoom.js";
import { assertNear } from "./sample.js";

const FRAME = { width: 400, height: 200 };
const numbersOf = ({ left, top, width, height }) => [left, top, width, height];

test("a frame has the picture's shape, unless that is a thread", () => {
  assert.deepEqual([frameRatio(4 / 3), frameRatio(200 / 3000), frameRatio(15)], [4 / 3, 0.5, 3]);
});

test("at fit the whole picture is in the frame's middle", () => {
  const fit = { scale: 1, x: 0.5, y: 0.5 };

  assertNear(numbersOf(placeOf(fit, 2, 2)), [0, 0, 1, 1], 1e-12);
  assertNear(numbersOf(placeOf(fit, 0.5, 2)), [0.375, 0, 0.25, 1], 1e-12);
  assertNear(numbersOf(placeOf(fit, 8, 2)), [0, 0.375, 1, 0.25], 1e-12);
});

test("the point under the pointer stays where it is", () => {
  const zoom = createZoom(2, 4000);
  const at = { x: 0.25, y: 0.75 };
  zoom.by(3, FRAME, at);

  const { left, top, width, height } = zoom.place(FRAME);
  assertNear([width, height, left + 0.25 * width, top + 0.75 * height], [3, 3, 0.25, 0.75], 1e-12);
});

test("no move shows what is beside the picture", () => {
  const zoom = createZoom(2, 4000);
  zoom.by(2, FRAME);
  zoom.move(5, -5, FRAME);
  assertNear(numbersOf(zoom.place(FRAME)), [0, -1, 2, 2], 1e-12);
  zoom.move(-0.25, 0, FRAME);
  assertNear(numbersOf(zoom.place(FRAME)), [-0.25, -1, 2, 2], 1e-12);
});

test("a side that is shorter than the frame stays in its middle", () => {
  const zoom = createZoom(0.1, 200);
  zoom.by(2, FRAME, { x: 0.1, y: 0.1 });

  const { left, width } = zoom.place(FRAME);
  assertNear([left, width], [0.45, 0.1], 1e-12);
});

test("100 % is a pixel for a pixel, and fit takes it back", () => {
  const receipt = createZoom(200 / 3000, 200);
  receipt.actual(FRAME);
  const { width, height } = receipt.place(FRAME);
  assertNear([width * FRAME.width, height * FRAME.height], [200, 3000], 1e-9);
  assert.equal(receipt.isFit, false);

  receipt.fit();
  assert.equal(receipt.isFit, true);
});

test("nothing is smaller than at fit, nor larger than can be of use", () => {
  const zoom = createZoom(2, 400);
  zoom.by(0.01, FRAME);
  assert.equal(zoom.isFit, true);
  zoom.by(1000, FRAME);
  assert.equal(zoom.place(FRAME).width, 8);
  const photo = createZoom(2, 8000);
  photo.by(1000, FRAME);
  assert.equal(photo.place(FRAME).width, 80);
});

test("a point out of sight comes into the middle, one in sight moves nothing", () => {
  const zoom = createZoom(2, 4000);
  zoom.by(4, FRAME);
  const before = numbersOf(zoom.place(FRAME));
  zoom.reveal({ x: 0.5, y: 0.5 }, FRAME);
  assert.deepEqual(numbersOf(zoom.place(FRAME)), before);
  zoom.reveal({ x: 0.8, y: 0.5 }, FRAME);
  const { left, width } = zoom.place(FRAME);
  assertNear([left + 0.8 * width], [0.5], 1e-12);
});

test("whoever listens hears of each change", () => {
  const zoom = createZoom(1, 100);
  let count = 0;
  zoom.listen(() => count++);
  zoom.by(2, FRAME);
  zoom.move(0.1, 0, FRAME);
  zoom.fit();

  assert.equal(count, 3);
  assertNear([zoomTo(2, { x: 0.5, y: 0.5 }, { x: 0.5, y: 0.5 }, 1, 1).x], [0.5], 0);
  assert.ok(wheelFactor(-100) > 1 && wheelFactor(100) < 1 && wheelFactor(1e6) > 0.5);
});
