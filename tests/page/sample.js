// A small report, and what a test needs around it.

import { Packer } from "./packing.js";
import { Report } from "../../src/Tamx.Report/Page/report.js";

/**
 * "What is this?" about a picture of 2 x 3 cells, answered with "An orange cross": tokens 0 to 3 and 4 to 7, of which 5
 * and 6 are one word. Every map goes from raw 0 to raw 10 in levels of 255; token 6 has a candidate.
 */
export const MAPS = [
  [0, 51, 0, 0, 0, 0],
  [0, 0, 255, 0, 0, 0],
  [0, 0, 102, 204, 0, 0],
  [255, 0, 0, 0, 0, 255],
];
export const CANDIDATE_MAP = [0, 0, 0, 0, 255, 0];

/** What ReportJson.cs would write, without an answer where there is to be none. */
export function sampleData({ wordMaps = "max", count = MAPS.length } = {}) {
  const packer = new Packer();
  const texts = ["What", " is", " this", "?", "An", " or", "ange", " cross"];
  const explain = (id, text, levels, relevance) => ({
    id,
    text,
    logit: 2,
    probability: 0.5,
    range: [0, 10],
    maps: [packer.dense(0, 1, levels)],
    relevance: packer.sparse(1, relevance),
  });
  const prompt = [
    { token: 2, text: 2, candidates: [], explained: [explain(9, " this", [255, 0, 0, 0, 0, 0], [[0, 255]])] },
  ];
  const relevances = [
    [[0, 255]],
    [
      [0, 51],
      [2, 255],
    ],
    [[2, 102]],
    [
      [0, 204],
      [5, 255],
    ],
  ];
  const answer = MAPS.map((levels, index) => ({
    token: 4 + index,
    text: 4 + index,
    candidates: index === 2 ? [1, 0] : [0],
    explained: [
      explain(20 + index, texts[4 + index], levels, relevances[index]),
      ...(index === 2 ? [explain(30, "ish", CANDIDATE_MAP, [[1, 255]])] : []),
    ],
  })).slice(0, count);
  const tokens = 4 + count;
  const data = {
    run: { model: "Demo", modelFile: "demo.gguf", quantization: "F16", seconds: { load: 1.5 } },
    method: {
      name: "TAM, last layer",
      profile: "Tamx",
      eci: true,
      eciStrength: 1,
      filter: true,
      kernelSize: 3,
      engine: "CPU",
      wordMaps,
      options: {},
      changed: {},
    },
    writer: "1.0",
    sequenceLength: 14,
    hiddenSize: 64,
    hasTexts: true,
    bits: 8,
    mostSources: 256,
    tokens: {
      position: [6, 7, 8, 9, 10, 11, 12, 13].slice(0, tokens),
      id: [1, 2, 9, 4, 20, 21, 22, 23].slice(0, tokens),
      text: texts.slice(0, tokens),
    },
    wordStarts: [0, 1, 2, 3, 4, 5, 7].filter((start) => start < tokens),
    turns: [
      { role: "user", items: [-1, 0, 1, 2, 3] },
      ...(count > 0 ? [{ role: "assistant", items: [4, 5, 6, 7].slice(0, count) }] : []),
    ],
    blocks: [{ frames: 1, rows: 2, columns: 3 }],
    media: [
      {
        isVideo: false,
        name: "Picture 1",
        frames: [
          {
            block: 0,
            frame: 0,
            picture: { element: "picture-0", width: 60, height: 40, seconds: null, name: "a.png" },
          },
        ],
      },
    ],
    textOrder: [0, 1, 2, 3, 4, 5, 6, 7].slice(0, tokens),
    thoughtTokens: 0,
    prompt,
    answer,
    claims: [],
    others: 0,
  };
  return { data: /** @type {any} */ (data), packed: packer.packed };
}

export function sampleReport(options = {}) {
  const { data, packed } = sampleData(options);
  return new Report(data, packed);
}

/**
 * The state that a fresh page has, with changes.
 * @returns {any}
 */
export function stateWith(changes = {}) {
  return {
    selection: null,
    preview: null,
    candidate: null,
    region: null,
    frames: {},
    unit: "token",
    direction: "from",
    rank: "share",
    map: "magma",
    scale: "token",
    drawn: "smooth",
    method: 0,
    boxes: true,
    contour: false,
    opacity: 70,
    query: "",
    ...changes,
  };
}

/** What the answer says is where. */
export function claim(changes = {}) {
  return /** @type {any} */ ({
    label: "cross",
    tokens: [3],
    coordinateTokens: [1, 2],
    block: 0,
    box: [0.25, 0, 0.5, 0.5],
    isClamped: false,
    iou: 0.5,
    pointing: 1,
    mass: 0.8,
    area: 0.125,
    evidence: "inside",
    ...changes,
  });
}

/** Holds a state as the page does, without an address. */
export function storeWith(changes = {}) {
  let state = stateWith(changes);
  return /** @type {any} */ ({
    get: () => state,
    change: (more) => {
      state = { ...state, ...more };
    },
  });
}

/** Numbers that look random and are the same each time. */
export function numbers(count, seed = 1) {
  let state = seed;
  return Array.from({ length: count }, () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  });
}

/** Fails unless two lists of numbers are equal but for a tolerance. */
export function assertNear(actual, expected, tolerance) {
  const far = expected.findIndex((value, i) => !(Math.abs(actual[i] - value) <= tolerance));
  if (actual.length !== expected.length || far >= 0) {
    throw new Error(`at ${far}: ${actual[far]} instead of ${expected[far]} (${actual.length} of ${expected.length})`);
  }
}
