import assert from "node:assert/strict";
import { test } from "node:test";
import { colormaps, differences, gradient } from "../../src/Tamx.Report/Page/colormaps.js";
import { assertNear } from "./sample.js";

const colour = (map, i) => [...map.subarray(3 * i, 3 * i + 3)];
/** @param {number[]} colour */
const luminance = ([red, green, blue]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;

test("every map is 256 colours", () => {
  for (const map of [...Object.values(colormaps), differences]) {
    assert.equal(map.length, 768);
  }
});

test("maps begin, stand in the middle and end as they were published", () => {
  assert.deepEqual(colour(colormaps.viridis, 0), [0x44, 0x01, 0x54]);
  assertNear(colour(colormaps.viridis, 128), [0x21, 0x91, 0x8c], 2);
  assert.deepEqual(colour(colormaps.viridis, 255), [0xfd, 0xe7, 0x25]);
  assert.deepEqual(colour(colormaps.magma, 0), [0, 0, 4]);
  assertNear(colour(colormaps.magma, 128), [0xb7, 0x37, 0x79], 2);
  assert.deepEqual(colour(colormaps.cividis, 255), [0xfe, 0xe8, 0x38]);
  assertNear(colour(colormaps.turbo, 0), [0x22, 0x17, 0x1b], 1);
  // Turbo's own table; the polynomial is off by up to 20 there.
  assertNear(colour(colormaps.turbo, 128), [164, 252, 60], 20);
});

test("viridis, magma and cividis only get lighter", () => {
  for (const name of ["viridis", "magma", "cividis"]) {
    for (let i = 1; i < 256; i++) {
      const [before, now] = [i - 1, i].map((at) => luminance(colour(colormaps[name], at)));
      assert.ok(now > before - 1, `${name} at ${i}`);
    }
  }
});

test("jet is blue, green in the middle, and red", () => {
  assertNear(colour(colormaps.jet, 0), [0, 0, 128], 1);
  assertNear(colour(colormaps.jet, 128), [128, 255, 126], 2);
  assertNear(colour(colormaps.jet, 255), [128, 0, 0], 1);
});

test("differences are grey in the middle", () => {
  assertNear(colour(differences, 127), [0xdd, 0xdd, 0xdd], 2);
  assertNear(colour(differences, 128), [0xdd, 0xdd, 0xdd], 2);
});

test("a gradient goes from the first colour to the last", () => {
  const css = gradient(colormaps.viridis);

  assert.match(css, /^linear-gradient\(to right, rgb\(68 1 84\), /);
  assert.match(css, /, rgb\(253 231 37\)\)$/);
});
