// The blocks of data in a report's file, which is this page or was fetched. A block is { text, mediaType } by its id.

import { Report } from "./report.js";

/** The blocks of this page. */
export function ownBlock(id) {
  const element = document.getElementById(id);
  return { text: element.textContent, mediaType: element.dataset.mediaType };
}

/** The blocks of a file that was fetched; nothing of it becomes a part of this page. */
export function blocksOf(html) {
  const blocks = new Map();
  for (const [, id, mediaType, text] of html.matchAll(
    /<script type="application\/[a-z-]+" id="([^"]+)"(?: data-media-type="([^"]+)")?>([^<]*)<\/script>/g,
  )) {
    blocks.set(id, { text, mediaType });
  }
  if (!blocks.has("report-data")) {
    throw new Error("it holds no report");
  }
  return (id) => blocks.get(id);
}

/** Reads a run from its blocks. A comparison's second run has the suffix "-b". */
export async function readReport(block, suffix) {
  const [data, packed] = await Promise.all([
    inflate(block(`report-data${suffix}`)),
    inflate(block(`report-vectors${suffix}`)),
  ]);
  return new Report(JSON.parse(new TextDecoder().decode(data)), packed);
}

/** Gives the addresses of pictures' blocks. */
export function pictureAddresses(block, signal) {
  return addressesOf((name) => {
    const { text, mediaType } = block(name);
    return new Blob([fromBase64(text)], { type: mediaType });
  }, signal);
}

/** Addresses by name, each made when it is first asked for from what blobOf(name) gives; the signal takes them back. */
export function addressesOf(blobOf, signal) {
  const addresses = new Map();
  signal?.addEventListener("abort", () => addresses.forEach((address) => URL.revokeObjectURL(address)));
  return (name) => {
    if (!addresses.has(name)) {
      addresses.set(name, URL.createObjectURL(blobOf(name)));
    }
    return addresses.get(name);
  };
}

/** The bytes that base64 stands for. */
export function fromBase64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) {
    bytes[i] = binary.charCodeAt(i);
  }
  return bytes;
}

async function inflate({ text }) {
  const stream = new Blob([fromBase64(text)]).stream();
  return new Uint8Array(await new Response(stream.pipeThrough(new DecompressionStream("deflate-raw"))).arrayBuffer());
}
