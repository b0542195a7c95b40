import assert from "node:assert/strict";
import { test } from "node:test";
import { cellContour, enlarge, otsuThreshold, smoothContour, smoothSteps } from "../../src/Tamx.Report/Page/field.js";
import { assertNear, numbers } from "./sample.js";

test("a small grid is cut into eight steps a cell, a large one into few enough for 131,072 pixels", () => {
  assert.equal(smoothSteps(2, 2), 8);
  assert.equal(smoothSteps(45, 45), 8); // 131,072 / 2,025 = 64.7, of which the root is 8.04.
  assert.equal(smoothSteps(46, 46), 7);
  assert.equal(smoothSteps(64, 64), 5);
  assert.equal(smoothSteps(1000, 1000), 1);
});

test("one step a cell changes nothing", () => {
  const values = Float32Array.from(numbers(12));

  assertNear(enlarge(values, 3, 4, 1), [...values], 1e-7);
});

test("a constant stays one, at the borders too", () => {
  assertNear(enlarge(new Float32Array(6).fill(3), 2, 3, 4), new Array(96).fill(3), 1e-5);
});

test("two cells in four steps have the values of Catmull and Rom's spline", () => {
  // Worked out by hand: the spline through 0, 0, 1, 1 at -0.25, 0.25, 0.75 and 1.25.
  const expected = [-0.0703125, 0.203125, 0.796875, 1.0703125];

  assertNear(enlarge(Float32Array.of(0, 1), 1, 2, 2), [...expected, ...expected], 1e-6);
  assertNear(
    enlarge(Float32Array.of(0, 1), 2, 1, 2),
    expected.flatMap((value) => [value, value]),
    1e-6,
  );
});

test("away from the borders a plane stays a plane", () => {
  const [rows, columns, steps] = [6, 7, 3];
  const values = Float32Array.from({ length: rows * columns }, (_, i) => 2 * Math.floor(i / columns) - (i % columns));
  const large = enlarge(values, rows, columns, steps);
  const width = columns * steps;

  for (let y = 6; y < 12; y++) {
    for (let x = 6; x < 15; x++) {
      const expected = 2 * ((y + 0.5) / steps - 0.5) - ((x + 0.5) / steps - 0.5);
      assert.ok(Math.abs(large[y * width + x] - expected) < 1e-5);
    }
  }
});

test("Otsu's threshold is the one of 256 levels with the greatest variance between two classes", () => {
  for (let seed = 1; seed <= 20; seed++) {
    const values = numbers(60, 977 * seed).map((value, i) => (i % 3 === 0 ? 5 + value : 2 * value * value));
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const levels = values.map((value) => Math.round(((value - low) * 255) / (high - low)));
    const spread = (threshold) => {
      const [below, above] = [levels.filter((one) => one <= threshold), levels.filter((one) => one > threshold)];
      const mean = (list) => list.reduce((sum, one) => sum + one, 0) / list.length;
      return below.length * above.length === 0 ? 0 : below.length * above.length * (mean(below) - mean(above)) ** 2;
    };
    const best = Math.max(...Array.from({ length: 256 }, (_, level) => spread(level)));
    const found = ((otsuThreshold(values, low, high) - low) * 255) / (high - low) - 0.5;

    assert.ok(Math.abs(spread(Math.round(found)) - best) <= 1e-9 * best, `seed ${seed}`);
  }
});

test("a threshold lies half a level above the lower class", () => {
  assert.equal(otsuThreshold([0, 0, 255], 0, 255), 0.5);
  assert.equal(otsuThreshold([3, 5], 3, 5), 3 + 1 / 255);
});

test("values that are all the same have no region", () => {
  assert.equal(otsuThreshold([4, 4, 4], 4, 4), 4);
});

test("a cell's border is its four sides, and two neighbours share none", () => {
  const alone = cellContour(Float32Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0), 3, 3, 0.5);
  const pair = cellContour(Float32Array.of(1, 1), 1, 2, 0.5);

  assert.deepEqual(alone.match(/M[^M]*/g).sort(), ["M1 1h1", "M1 1v1", "M1 2h1", "M2 1v1"]);
  assert.deepEqual(pair.match(/M[^M]*/g).sort(), ["M0 0h1", "M0 0v1", "M0 1h1", "M1 0h1", "M1 1h1", "M2 0v1"]);
});

test("nothing above the threshold has no contour", () => {
  assert.equal(cellContour(Float32Array.of(1, 2), 1, 2, 2), "");
  assert.equal(smoothContour(Float32Array.of(1, 2, 1, 2), 2, 2, 1, 2), "");
});

test("a corner is cut where the line between two centres crosses the threshold", () => {
  // 1 at the top left, 0 elsewhere: at 0.25, three quarters of the way from the centre at (0.5, 0.5).
  assert.equal(smoothContour(Float32Array.of(1, 0, 0, 0), 2, 2, 1, 0.25), "M0.50 1.25L1.25 0.50");
});

test("a smooth contour ends wherever the line between two places crosses the threshold, and nowhere else", () => {
  const [rows, columns, steps, threshold] = [5, 6, 2, 0.5];
  const [width, height] = [columns * steps, rows * steps];
  const large = Float32Array.from(numbers(width * height, 7));
  const path = smoothContour(large, rows, columns, steps, threshold);
  const ends = [...path.matchAll(/[ML]([\d.]+) ([\d.]+)/g)].map(([, x, y]) => [Number(x), Number(y)]);
  const crossings = [];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (const [right, down] of [
        [1, 0],
        [0, 1],
      ].filter(([dx, dy]) => x + dx < width && y + dy < height)) {
        const [from, to] = [large[y * width + x], large[(y + down) * width + x + right]];
        if (from > threshold !== to > threshold) {
          const part = (threshold - from) / (to - from);
          crossings.push([(x + right * part + 0.5) / steps, (y + down * part + 0.5) / steps]);
        }
      }
    }
  }
  const isNear = (a) => (b) => Math.abs(a[0] - b[0]) < 0.0051 && Math.abs(a[1] - b[1]) < 0.0051;

  assert.ok(crossings.length > 40);
  assert.ok(ends.every((end) => crossings.some(isNear(end))));
  assert.ok(crossings.every((crossing) => ends.some(isNear(crossing))));
});

test("a region's contour can be drawn in one go: every end meets another, but for the picture's border", () => {
  const [rows, columns] = [8, 8];
  const large = Float32Array.from(numbers(rows * columns, 3));
  const ends = new Map();
  for (const [, x, y] of smoothContour(large, rows, columns, 1, 0.4).matchAll(/[ML]([\d.]+) ([\d.]+)/g)) {
    ends.set(`${x} ${y}`, (ends.get(`${x} ${y}`) ?? 0) + 1);
  }
  const isBorder = (end) => end.split(" ").some((one) => one === "0.50" || one === "7.50");

  assert.deepEqual(
    [...ends].filter(([end, count]) => count % 2 !== 0 && !isBorder(end)),
    [],
  );
});
