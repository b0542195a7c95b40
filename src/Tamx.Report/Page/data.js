// The blocks of data in a report's file, which is this page or was fetched.

import { existing } from "./dom.js";
import { Report } from "./report.js";

/** @import { DataBlock, Runs } from "./types.js" */

/**
 * The blocks of this page.
 * @param {string} id
 * @returns {DataBlock}
 */
export function ownBlock(id) {
  const element = existing(id);
  return { text: element.textContent, mediaType: element.dataset.mediaType };
}

/**
 * The blocks of a file that was fetched. Nothing of it becomes a part of this page.
 * @param {string} html
 * @returns {(id: string) => DataBlock}
 */
export function blocksOf(html) {
  /** @type {Map<string, DataBlock>} */
  const blocks = new Map();
  for (const [, id, mediaType, text] of html.matchAll(
    /<script type="application\/[a-z-]+" id="([^"]+)"(?: data-media-type="([^"]+)")?>([^<]*)<\/script>/g,
  )) {
    blocks.set(id, { text, mediaType });
  }
  if (!blocks.has("report-data")) {
    throw new Error("it holds no report");
  }
  return (id) => {
    const block = blocks.get(id);
    if (block === undefined) {
      throw new Error(`it lacks the block ${id}`);
    }
    return block;
  };
}

/**
 * Reads a file's run, with its maps by each method.
 * @param {(id: string) => DataBlock} block
 * @returns {Promise<Runs>}
 */
export async function readRun(block) {
  const { report, others } = await readReport(block, "");
  const more = await Promise.all(Array.from({ length: others }, (_, i) => readReport(block, `-m${i + 1}`)));
  return { report, methods: [report, ...more.map((one) => one.report)], other: null, comparison: null };
}

/**
 * Reads the two runs of a comparison.
 * @param {(id: string) => DataBlock} block
 * @returns {Promise<Runs>}
 */
export async function readComparison(block) {
  const [{ report }, { report: other }] = await Promise.all([readReport(block, ""), readReport(block, "-b")]);
  return { report, methods: [report], other, comparison: JSON.parse(block("comparison").text) };
}

/**
 * Reads maps from their blocks.
 * @param {(id: string) => DataBlock} block
 * @param {string} suffix of the blocks' names
 */
async function readReport(block, suffix) {
  const [bytes, packed] = await Promise.all([
    inflate(block(`report-data${suffix}`)),
    inflate(block(`report-vectors${suffix}`)),
  ]);
  const data = JSON.parse(new TextDecoder().decode(bytes));
  return { report: new Report(data, packed), others: Number(data.others) };
}

/**
 * Gives the addresses of pictures' blocks.
 * @param {(id: string) => DataBlock} block
 * @param {AbortSignal} [signal] takes the addresses back
 */
export function pictureAddresses(block, signal) {
  return addressesOf((name) => {
    const { text, mediaType } = block(name);
    return new Blob([fromBase64(text)], { type: mediaType });
  }, signal);
}

/**
 * Addresses by name. Each is made of blobOf(name) when it is first asked for; the signal takes them back.
 * @param {(name: string) => Blob} blobOf
 * @param {AbortSignal} [signal]
 * @returns {(name: string) => string}
 */
export function addressesOf(blobOf, signal) {
  /** @type {Map<string, string>} */
  const addresses = new Map();
  signal?.addEventListener("abort", () => addresses.forEach((address) => URL.revokeObjectURL(address)));
  return (name) => {
    const address = addresses.get(name) ?? URL.createObjectURL(blobOf(name));
    addresses.set(name, address);
    return address;
  };
}

/**
 * The bytes that base64 stands for.
 * @param {string} text
 */
export function fromBase64(text) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) {
    bytes[i] = binary.charCodeAt(i);
  }
  return bytes;
}

/** @param {DataBlock} block */
async function inflate({ text }) {
  const stream = new Blob([fromBase64(text)]).stream();
  return new Uint8Array(await new Response(stream.pipeThrough(new DecompressionStream("deflate-raw"))).arrayBuffer());
}
