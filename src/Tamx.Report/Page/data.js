// The report's data: one JSON block, one block of packed numbers, one block per picture.

const HEADER_BYTES = 8;

/** Reads the page's data blocks. */
export async function readReport() {
  const report = JSON.parse(blockText("report-data"));
  const packed = await inflate(fromBase64(blockText("report-vectors")));
  report.answer.forEach((token, index) => {
    token.index = index;
    token.range = token.range.every(Number.isFinite) ? token.range : [0, 1];
  });
  return { ...report, packed };
}

/** The data URL of a picture's block. */
export function pictureUrl(element) {
  const block = document.getElementById(element);
  return `data:${block.dataset.mediaType};base64,${block.textContent}`;
}

/** Relevance of the text before an answer token: pairs of token index and value in [0, 1]. */
export function textRelevance(report, answerToken, explained) {
  const indices = typeof answerToken.text === "number" ? report.textOrder.slice(0, answerToken.text) : answerToken.text;
  const values = vector(report, explained.relevance, indices.length);
  return indices.map((index, i) => [index, values.at(i)]);
}

/** The map of an explained token over a block in raw units (before the token's normalisation), or null if it has none. */
export function rawMap(report, answerToken, explained, blockIndex) {
  const offset = explained.maps[blockIndex];
  if (offset === null) {
    return null;
  }
  const { frames, rows, columns } = report.blocks[blockIndex];
  const packed = vector(report, offset, frames * rows * columns);
  const [low, high] = answerToken.range;
  const raw = (value) => low + value * (high - low);
  const values = new Float32Array(packed.length);
  for (let i = 0; i < values.length; i++) {
    values[i] = raw(packed.at(i));
  }
  return { minimum: raw(packed.minimum), maximum: raw(packed.maximum), values };
}

/** The raw range over all maps of all answer tokens and candidates. */
export function commonRange(report) {
  let low = Infinity;
  let high = -Infinity;
  for (const token of report.answer) {
    const [from, to] = token.range;
    for (const explained of token.explained) {
      for (const offset of explained.maps) {
        if (offset !== null) {
          const { minimum, maximum } = vector(report, offset, 0);
          low = Math.min(low, from + minimum * (to - from));
          high = Math.max(high, from + maximum * (to - from));
        }
      }
    }
  }
  return low <= high ? [low, high] : [0, 0];
}

// A vector is [minimum float32][maximum float32][one byte per value], little-endian.
function vector(report, offset, length) {
  const view = new DataView(report.packed.buffer, offset, HEADER_BYTES + length);
  const minimum = view.getFloat32(0, true);
  const maximum = view.getFloat32(4, true);
  const at = (i) => minimum + (view.getUint8(HEADER_BYTES + i) / 255) * (maximum - minimum);
  return { minimum, maximum, length, at };
}

function blockText(id) {
  return document.getElementById(id).textContent;
}

function fromBase64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) {
    bytes[i] = binary.charCodeAt(i);
  }
  return bytes;
}

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
