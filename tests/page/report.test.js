import assert from "node:assert/strict";
import { test } from "node:test";
import { Report, sumOf } from "../../src/Tamx.Report/Page/report.js";
import { Packer } from "./packing.js";
import { assertNear, CANDIDATE_MAP, MAPS, sampleData, sampleReport } from "./sample.js";

const raw = (levels) => levels.map((level) => (10 * level) / 255);
const answer = (from, to = from) => /** @type {const} */ ({ kind: "answer", from, to });
const text = (from, to = from) => /** @type {const} */ ({ kind: "text", from, to });

test("a token's map is in raw units", () => {
  const [map] = sampleReport().maps(answer(0), 0);

  assertNear(map.values, [0, 2, 0, 0, 0, 0], 1e-6);
  assert.equal(map.minimum, 0);
  assert.equal(map.maximum, 2);
});

test("a candidate has its own map", () => {
  assertNear(sampleReport().maps(answer(2), 1)[0].values, raw(CANDIDATE_MAP), 1e-6);
});

test("a span's cells are the highest of its tokens, or their mean", () => {
  const highest = MAPS[1].map((level, i) => Math.max(level, MAPS[2][i]));
  const mean = MAPS[1].map((level, i) => (level + MAPS[2][i]) / 2);

  assertNear(sampleReport().maps(answer(1, 2), 0)[0].values, raw(highest), 1e-6);
  assertNear(sampleReport({ wordMaps: "mean" }).maps(answer(1, 2), 0)[0].values, raw(mean), 1e-6);
});

test("a span has no map over a picture that one of its tokens has none of", () => {
  const { data, packed } = sampleData();
  data.answer[1].explained[0].maps = [null];
  const report = new Report(data, packed);

  assert.deepEqual(report.maps(answer(0, 1), 0), [null]);
  assert.deepEqual(report.maps(answer(1, 2), 0), [null]);
  assert.equal(report.maps(answer(2, 3), 0)[0].maximum, 10);
});

test("only explained tokens of the prompt have maps", () => {
  const report = sampleReport();

  assert.equal(report.hasMaps(text(2)), true);
  assert.equal(report.hasMaps(text(1, 2)), false);
  assert.equal(report.hasMaps(answer(0, 3)), true);
  assertNear(report.maps(text(2), 0)[0].values, [10, 0, 0, 0, 0, 0], 1e-6);
});

test("the common range is that of all tokens and candidates", () => {
  const { data, packed } = sampleData();
  data.answer[0].explained[0].range = [-4, 1];
  data.answer[2].explained[1].range = [0, 25];

  assert.deepEqual(new Report(data, packed).commonRange(), [-4, 25]);
});

test("relevance is the text before a token, by index", () => {
  const report = sampleReport();

  assert.deepEqual(
    [...report.relevance(answer(1), 0)],
    [
      [0, Math.fround(0.2)],
      [2, 1],
    ],
  );
  assert.deepEqual([...report.relevance(answer(2), 1)], [[1, 1]]);
});

test("a span's relevance is the highest of its tokens over their joint range, without what is in the span", () => {
  const { data, packed } = sampleData();
  data.answer[2].explained[0].range = [0, 5];
  const report = new Report(data, packed);

  // Token 2 of the prompt has 1 x 10 in one and 0.4 x 5 in the other, of 10.
  const joined = report.relevance(answer(1, 2), 0);
  assertNear([joined.get(0), joined.get(2)], [0.2, 1], 1e-6);
  // Token 7 comes from token 5, which is in the span.
  assert.deepEqual([...report.relevance(answer(1, 3), 0).keys()].sort(), [0, 2]);
});

test("what a token led to is the relevance turned round", () => {
  const report = sampleReport();

  assertNear([...report.influence(text(0)).values()], [1, 0.2, 0.8], 1e-6);
  assert.deepEqual([...report.influence(text(0)).keys()], [0, 1, 3]);
  assert.deepEqual([...report.influence(answer(1))], [[3, 1]]);
  assert.deepEqual([...report.influence(answer(1, 3))], []);
});

test("a look-up gives each token's share and mean strength in the region", () => {
  const region = { block: 0, frame: 0, top: 0, left: 1, bottom: 1, right: 2 };
  const found = sampleReport().lookUp(
    region,
    [0, 1, 2, 3].map((index) => ({ from: index, to: index })),
  );

  assertNear(
    found.map((one) => one.share),
    [1, 1, 102 / 306, 0.5],
    1e-6,
  );
  assertNear(
    found.map((one) => one.strength),
    [2, 10, 4, 10].map((sum) => sum / 4),
    1e-6,
  );
});

test("a look-up of a span takes the span's own map", () => {
  const region = { block: 0, frame: 0, top: 0, left: 2, bottom: 0, right: 2 };
  const [found] = sampleReport().lookUp(region, [{ from: 1, to: 2 }]);

  assertNear([found.share, found.strength], [255 / (255 + 204), 10], 1e-6);
});

test("words join their tokens, in the prompt and in the answer", () => {
  const report = sampleReport();

  assert.deepEqual(report.words, [
    { from: 0, to: 0 },
    { from: 1, to: 2 },
    { from: 3, to: 3 },
  ]);
  assert.deepEqual(report.wholeWords(answer(2, 3)), answer(1, 3));
  assert.deepEqual(report.wholeWords(text(6)), text(5, 6));
});

test("texts are joined without a sign between", () => {
  const report = sampleReport();

  assert.equal(report.answerText({ from: 0, to: 3 }), "An orange cross");
  assert.equal(report.textOf(text(0, 2)), "What is this");
  assert.equal(report.question, "What is this?");
  assert.equal(report.answerIndex(5), 1);
  assert.equal(report.answerIndex(3), undefined);
});

test("the token that stands out most is the one farthest over its mean, function words and signs left out", () => {
  const report = sampleReport();
  assert.deepEqual(report.mostTelling(), answer(3));

  report.tokens.text[5] = " Diamond";
  assert.deepEqual(report.mostTelling(), answer(1));

  report.tokens.text[5] = " .";
  assert.deepEqual(report.mostTelling(), answer(3));

  report.tokens.text.fill(" And");
  assert.deepEqual(report.mostTelling(), answer(1));
});

test("frames have the grid of their block, and everything its index", () => {
  const [media] = sampleReport().media;

  assert.equal(media.index, 0);
  assert.deepEqual([media.frames[0].rows, media.frames[0].columns], [2, 3]);
  assert.deepEqual(
    sampleReport().answer.map((token) => token.index),
    [0, 1, 2, 3],
  );
});

test("a report that has grown is the one that was whole", () => {
  const whole = sampleReport();
  const grown = grow();

  for (let from = 0; from < 4; from++) {
    for (let to = from; to < 4; to++) {
      assert.deepEqual(grown.maps(answer(from, to), 0), whole.maps(answer(from, to), 0));
      assert.deepEqual([...grown.relevance(answer(from, to), 0)], [...whole.relevance(answer(from, to), 0)]);
      assert.deepEqual([...grown.influence(answer(from, to))], [...whole.influence(answer(from, to))]);
    }
  }
  assert.deepEqual(grown.maps(answer(2), 1), whole.maps(answer(2), 1));
  assert.deepEqual(grown.words, whole.words);
  assert.deepEqual(grown.turns, whole.turns);
  assert.deepEqual(grown.commonRange(), whole.commonRange());
  assert.deepEqual([...grown.relevant], [...whole.relevant]);
});

/** @type {[string, (data: any) => void, object[]][]} */
const thoughts = [
  ["that the answer begins with", () => {}, [{ items: [4, 5], isThought: true }, { items: [6, 7] }]],
  [
    "with line feeds after it",
    (data) => (data.tokens.text[6] = "\n\n"),
    [{ items: [4, 5, 6], isThought: true }, { items: [7] }],
  ],
  ["that the prompt opens", opensInPrompt, [{ items: [3, 4, 5], isThought: true }, { items: [6, 7] }]],
  ["that never ends", (data) => (data.thoughtTokens = 4), [{ items: [4, 5, 6, 7], isThought: true }]],
  [
    "that is empty, and in the prompt",
    (data) => {
      opensInPrompt(data);
      data.thoughtTokens = 0;
    },
    [{ items: [3], isThought: true }, { items: [4, 5, 6, 7] }],
  ],
  [
    "that there is not, after a prompt that begins the answer",
    (data) => {
      opensInPrompt(data);
      data.tokens.text[3] = "Well,";
      data.thoughtTokens = 0;
    },
    [{ items: [3, 4, 5, 6, 7] }],
  ],
];

for (const [name, change, turns] of thoughts) {
  test(`a thought ${name} is a turn of its own`, () => {
    const { data, packed } = sampleData();
    data.thoughtTokens = 2;
    change(data);
    const expected = turns.map((turn) => ({ role: "assistant", ...turn }));

    assert.deepEqual(new Report(data, packed).turns.slice(1), expected);
    assert.deepEqual(grow(change, 2).turns.slice(1), expected);
    assert.equal(grow(change, 2).thoughtTokens, data.thoughtTokens);
  });
}

test("the token that stands out most is looked for after the thought", () => {
  const { data, packed } = sampleData();
  data.thoughtTokens = 2;
  assert.deepEqual(new Report(data, packed).mostTelling(), answer(3));

  data.thoughtTokens = 4;
  assert.deepEqual(new Report(data, packed).mostTelling(), answer(1));

  data.tokens.text[5] = "</think>";
  assert.deepEqual(new Report(data, packed).mostTelling(), answer(3));
});

test("a token that completes a character changes the text from that character's start", () => {
  const report = sampleReport({ count: 3 });
  const { data } = sampleData();
  const explained = { ...data.answer[3], explained: [{ ...data.answer[3].explained[0], maps: [null], relevance: 0 }] };
  const packer = new Packer();
  packer.sparse(0, []);
  const added = { position: [12, 13], id: [22, 23], text: ["\u{1F642}", ""] };
  const first = report.append({ from: 6, tokens: added, wordStarts: [], isThought: false, explained }, packer.packed);

  assert.equal(first, 6);
  assert.deepEqual(report.tokens.text.slice(5), [" or", "\u{1F642}", ""]);
  assert.equal(report.answer[2].explained[0].text, "\u{1F642}");
});

test("a sum is of what is above zero", () => {
  assert.equal(sumOf([1, -5, 2]), 3);
});

// The sample's report, with changes, as it grows by its answer.
/**
 * @param {(data: any) => void} [change]
 * @param {number} [thoughtTokens]
 */
function grow(change, thoughtTokens = 0) {
  const { data, packed } = sampleData();
  data.thoughtTokens = thoughtTokens;
  change?.(data);
  const head = sampleData({ count: 0 });
  head.data.turns = data.turns
    .map(({ role, items }) => ({ role, items: items.filter((item) => item < 4) }))
    .filter(({ items }) => items.length > 0);
  head.data.tokens.text = data.tokens.text.slice(0, 4);
  const grown = new Report(head.data, head.packed);
  data.answer.forEach((explained, index) => {
    const from = 4 + index;
    const list = (name) => data.tokens[name].slice(from, from + 1);
    const packer = new Packer();
    const moved = {
      ...explained,
      explained: explained.explained.map((each, i) => ({
        ...each,
        maps: [packer.dense(0, 1, i === 0 ? MAPS[index] : CANDIDATE_MAP)],
        relevance: packer.sparse(1, entriesOf(packed, each.relevance)),
      })),
    };
    grown.influence(text(0));
    grown.commonRange();
    grown.append(
      {
        from,
        tokens: { position: list("position"), id: list("id"), text: list("text") },
        wordStarts: data.wordStarts.filter((start) => start === from),
        isThought: index < data.thoughtTokens,
        explained: moved,
      },
      packer.packed,
    );
  });
  return grown;
}

// The answer's turn begins in the prompt, with the tag of a thought.
function opensInPrompt(data) {
  data.turns = [
    { role: "user", items: [-1, 0, 1, 2] },
    { role: "assistant", items: [3, 4, 5, 6, 7] },
  ];
  data.tokens.text[3] = "<think>";
}

// Of vectors with indices under 128, so that gaps are one byte each.
function entriesOf(packed, offset) {
  const count = packed[offset + 4];
  let index = -1;
  return Array.from({ length: count }, (_, i) => {
    index += packed[offset + 8 + i];
    return [index, packed[offset + 8 + count + i]];
  });
}
