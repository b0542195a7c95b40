// Packed numbers, little-endian; PackedVectors.cs writes them. A level is 8 or 16 bits, from 0 to the highest it can
// hold.
//
// Dense:  [minimum float32][maximum float32][one level per value]
//         value = minimum + level / highest x (maximum - minimum)
// Sparse: [maximum float32][count int32][count gaps][count levels]
//         value = level / highest x maximum; what is left out is 0
//
// A gap is the distance to the index before; the first one is to -1. It has 7 bits a byte, the lowest first, and the
// top bit is set where another byte follows.

const DENSE_HEADER = 8;
const SPARSE_HEADER = 8;

/**
 * A reader of vectors by their byte offset.
 * @param {Uint8Array} bytes
 * @param {number} bits of a level: 8 or 16
 */
export function createUnpacker(bytes, bits) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = bits / 8;
  const highest = 2 ** bits - 1;
  /** @type {(start: number, i: number) => number} */
  const level = width === 1 ? (start, i) => bytes[start + i] : (start, i) => view.getUint16(start + 2 * i, true);

  return {
    highest,

    /**
     * Minimum and maximum of a dense vector.
     * @type {(offset: number) => [minimum: number, maximum: number]}
     */
    range: (offset) => [view.getFloat32(offset, true), view.getFloat32(offset + 4, true)],

    /**
     * The greatest value of a sparse vector.
     * @param {number} offset
     */
    greatest: (offset) => view.getFloat32(offset, true),

    /**
     * The level of one value of a dense vector.
     * @type {(offset: number, i: number) => number}
     */
    level: (offset, i) => level(offset + DENSE_HEADER, i),

    /**
     * Indices and values of a sparse vector.
     * @param {number} offset
     */
    sparse(offset) {
      const maximum = view.getFloat32(offset, true);
      const count = view.getInt32(offset + 4, true);
      const indices = new Int32Array(count);
      const values = new Float32Array(count);
      let at = offset + SPARSE_HEADER;
      let index = -1;
      for (let i = 0; i < count; i++) {
        let gap = 0;
        let shift = 0;
        let byte;
        do {
          byte = bytes[at++];
          gap |= (byte & 0x7f) << shift;
          shift += 7;
        } while (byte >= 0x80);
        index += gap;
        indices[i] = index;
      }
      for (let i = 0; i < count; i++) {
        values[i] = (level(at, i) / highest) * maximum;
      }
      return { indices, values };
    },
  };
}
