import assert from "node:assert/strict";
import { test } from "node:test";
import {
  formatBytes,
  formatNumber,
  formatPercent,
  formatRange,
  formatSeconds,
  oneLineText,
  spokenText,
  visibleText,
} from "../../src/Tamx.Report/Page/text.js";

test("line ends and control characters can be seen", () => {
  assert.equal(visibleText("a\r\nb\n\tc\u0000\u007f"), "a\u21b5\nb\u21b5\n\u2409c\u2400\u2421");
  assert.equal(oneLineText("a\nb"), "a\u21b5b");
  assert.equal(visibleText("gr\u00fcn \u{1F642}"), "gr\u00fcn \u{1F642}");
});

test("what has no sound has a name", () => {
  assert.equal(spokenText(""), "rest of a character");
  assert.equal(spokenText("  "), "space");
  assert.equal(spokenText("\n "), "line end");
  assert.equal(spokenText(" cross"), "cross");
});

test("numbers have three digits", () => {
  const texts = [0, 1, 0.5, 12.345, 123456, 0.000123, 0.001, 99999, -2.5].map(formatNumber);

  assert.deepEqual(texts, ["0", "1", "0.5", "12.3", "1.2e+5", "1.2e-4", "0.001", "100000", "-2.5"]);
});

test("the ends of a range have as many decimals as its width asks for", () => {
  assert.deepEqual(formatRange([0, 10]), ["0.0", "10.0"]);
  assert.deepEqual(formatRange([12.3456, 12.3466]), ["12.34560", "12.34660"]);
  assert.deepEqual(formatRange([0, 1000]), ["0", "1000"]);
  assert.deepEqual(formatRange([0, 1e-9]), ["0", "1.0e-9"]);
  assert.deepEqual(formatRange([3, 3]), ["3.00", "3.00"]);
});

test("percents are never 0 for what is there, nor 100.0", () => {
  assert.deepEqual([0, 0.0001, 0.001, 0.5, 0.9994, 0.9996, 1].map(formatPercent), [
    "0\u2009%",
    "<\u20090.1\u2009%",
    "0.1\u2009%",
    "50.0\u2009%",
    "99.9\u2009%",
    "100\u2009%",
    "100\u2009%",
  ]);
});

test("sizes and times are as people say them", () => {
  assert.deepEqual([0, 1499, 1500, 999_400, 1e6, 12_345_678].map(formatBytes), [
    "1\u2009kB",
    "1\u2009kB",
    "2\u2009kB",
    "999\u2009kB",
    "1.0\u2009MB",
    "12.3\u2009MB",
  ]);
  assert.deepEqual([0, 1.5, 2.004].map(formatSeconds), ["0\u2009s", "1.5\u2009s", "2\u2009s"]);
});
