// Packs numbers as src/Tamx.Report/Page/packed.js describes it, byte by byte.

/** Bytes one after the other, each vector at an offset. */
export class Packer {
  #bytes = [];
  #bits;

  constructor(bits = 8) {
    this.#bits = bits;
  }

  /** All levels of a dense vector; returns its offset. */
  dense(minimum, maximum, levels) {
    const offset = this.#bytes.length;
    this.#float(minimum);
    this.#float(maximum);
    levels.forEach((level) => this.#level(level));
    return offset;
  }

  /** Levels by index of a sparse vector; returns its offset. */
  sparse(maximum, entries) {
    const offset = this.#bytes.length;
    this.#float(maximum);
    this.#push(4, (view) => view.setInt32(0, entries.length, true));
    let before = -1;
    for (const [index] of entries) {
      let gap = index - before;
      before = index;
      while (gap >= 128) {
        this.#bytes.push((gap % 128) + 128);
        gap = Math.floor(gap / 128);
      }
      this.#bytes.push(gap);
    }
    entries.forEach(([, level]) => this.#level(level));
    return offset;
  }

  get packed() {
    return Uint8Array.from(this.#bytes);
  }

  #float(value) {
    this.#push(4, (view) => view.setFloat32(0, value, true));
  }

  #level(level) {
    this.#bytes.push(level % 256);
    if (this.#bits === 16) {
      this.#bytes.push(Math.floor(level / 256));
    }
  }

  #push(count, write) {
    const bytes = new Uint8Array(count);
    write(new DataView(bytes.buffer));
    this.#bytes.push(...bytes);
  }
}
