// The blocks of data in a report's file.

/** Reads a JSON block. */
export function readJson(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

/** Reads a block of deflated JSON. */
export async function readDeflatedJson(id) {
  return JSON.parse(new TextDecoder().decode(await readDeflated(id)));
}

/** Reads a block of deflated bytes. */
export async function readDeflated(id) {
  const stream = new Blob([fromBase64(document.getElementById(id).textContent)]).stream();
  return new Uint8Array(await new Response(stream.pipeThrough(new DecompressionStream("deflate-raw"))).arrayBuffer());
}

/** The address of a picture's block, made when it is first asked for. */
export function pictureAddress(id) {
  if (!addresses.has(id)) {
    const block = document.getElementById(id);
    addresses.set(id, URL.createObjectURL(new Blob([fromBase64(block.textContent)], { type: block.dataset.mediaType })));
  }
  return addresses.get(id);
}

const addresses = new Map();

function fromBase64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) {
    bytes[i] = binary.charCodeAt(i);
  }
  return bytes;
}
