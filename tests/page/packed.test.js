import assert from "node:assert/strict";
import { test } from "node:test";
import { createUnpacker } from "../../src/Tamx.Report/Page/packed.js";
import { Packer } from "./packing.js";
import { numbers } from "./sample.js";

test("a dense vector's range and levels are where its offset says", () => {
  const bytes = new Uint8Array([9, 9, 9, /* -2 */ 0, 0, 0, 0xc0, /* 0.5 */ 0, 0, 0, 0x3f, 0, 7, 255]);
  const unpacker = createUnpacker(bytes, 8);

  assert.equal(unpacker.highest, 255);
  assert.deepEqual(unpacker.range(3), [-2, 0.5]);
  assert.deepEqual(
    [0, 1, 2].map((i) => unpacker.level(3, i)),
    [0, 7, 255],
  );
});

test("16-bit levels are little-endian, at odd offsets too", () => {
  const packer = new Packer(16);
  packer.dense(0, 1, [1]);
  const bytes = new Uint8Array([0, ...packer.packed, 0xe8, 0x03]);
  const unpacker = createUnpacker(bytes.subarray(1), 16);

  assert.equal(unpacker.highest, 65535);
  assert.equal(unpacker.level(0, 0), 1);
  assert.equal(unpacker.level(0, 1), 1000);
});

test("a sparse vector's indices and values come back", () => {
  // Maximum 4; two entries at 0 and 300 (a gap of 300 = 44 + 2 x 128), levels 255 and 51.
  const bytes = new Uint8Array([0, 0, 0x80, 0x40, 2, 0, 0, 0, 1, 0x80 | 44, 2, 255, 51]);
  const { indices, values } = createUnpacker(bytes, 8).sparse(0);

  assert.deepEqual([...indices], [0, 300]);
  assert.deepEqual([...values], [4, Math.fround(0.8)]);
});

test("an empty sparse vector has nothing", () => {
  const packer = new Packer();
  const offset = packer.sparse(0, []);

  assert.equal(createUnpacker(packer.packed, 8).sparse(offset).indices.length, 0);
});

test("what is packed comes back, for gaps of one, two and three bytes and both widths", () => {
  for (const bits of [8, 16]) {
    const packer = new Packer(bits);
    packer.dense(1, 2, [3]);
    const entries = [
      [0, 1],
      [127, 2],
      [128, 3],
      [255, 4],
      [16511, 5],
      [40000, 6],
      [2200000, 7],
    ];
    const offset = packer.sparse(14, entries);
    const { indices, values } = createUnpacker(packer.packed, bits).sparse(offset);

    assert.deepEqual(
      [...indices],
      entries.map(([index]) => index),
    );
    assert.deepEqual(
      [...values],
      entries.map(([, level]) => Math.fround((level / (2 ** bits - 1)) * 14)),
    );
  }
});

test("random vectors one after the other do not disturb each other", () => {
  const packer = new Packer();
  const vectors = [3, 17, 1].map((count, i) => numbers(count, i + 5).map((value) => Math.floor(256 * value)));
  const offsets = vectors.map((levels, i) => packer.dense(i, i + 1, levels));
  const unpacker = createUnpacker(packer.packed, 8);

  vectors.forEach((levels, i) => {
    assert.deepEqual(unpacker.range(offsets[i]), [i, i + 1]);
    assert.deepEqual(
      levels.map((_, k) => unpacker.level(offsets[i], k)),
      levels,
    );
  });
});
