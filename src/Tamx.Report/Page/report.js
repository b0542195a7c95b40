// What a report knows, without anything that is drawn: tokens, words, maps, relevance, look-ups.

import { createUnpacker } from "./packed.js";
import { isFunctionWord, isSpecial } from "./text.js";

/**
 * @import {
 *   ActivationMap, AnswerToken, Box, ExplainedToken, Extent, Finding, GrowingToken, Media, ReportData, Selection,
 *   Span, Strongest, TokenData, Turn
 * } from "./types.js"
 */

/**
 * What stays below this part of the answer's strongest word is weak. Its colours fade in proportion, since a scale of
 * its own would paint the last digits of a number as brightly as a finding.
 */
export const WEAK = 0.2;

/** One run: the JSON that ReportJson.cs writes, and its packed numbers. Its answer may grow. */
export class Report {
  #bytes;
  #length;
  #unpacker;
  /** @type {Map<number, number>} */
  #answerOf;
  /** @type {Map<number, TokenData>} */
  #promptOf;
  /** @type {Map<number, [answerIndex: number, value: number][]> | null} */
  #influence = null;
  /** @type {Map<number, number>} */
  #totals = new Map();
  /** @type {Extent | null} */
  #commonRange = null;
  /** @type {Strongest | null} */
  #strongest = null;

  // The first and the last token of each token's word; the same by indices of the answer.
  wordStart = new Int32Array();
  wordEnd = new Int32Array();
  /** @type {number[]} */
  answerWordStart = [];
  /** @type {number[]} */
  answerWordEnd = [];
  /**
   * The words of the answer.
   * @type {Span[]}
   */
  words = [];

  /**
   * @param {ReportData} data
   * @param {Uint8Array} packed
   */
  constructor(data, packed) {
    this.run = data.run;
    this.method = data.method;
    this.writer = data.writer;
    this.sequenceLength = data.sequenceLength;
    this.hiddenSize = data.hiddenSize;
    this.hasTexts = data.hasTexts;
    this.bits = data.bits;
    this.mostSources = data.mostSources;
    this.tokens = data.tokens;
    this.wordStarts = data.wordStarts;
    this.blocks = data.blocks;
    this.textOrder = data.textOrder;
    this.thoughtTokens = data.thoughtTokens;
    this.prompt = data.prompt;
    this.claims = data.claims;
    this.asked = data.asked ?? null;
    /** @type {AnswerToken[]} */
    this.answer = data.answer.map((token, index) => ({ ...token, index }));
    let pictures = 0;
    /** @type {Media[]} */
    this.media = data.media.map((media, index) => ({
      ...media,
      index,
      pictureIndex: media.isVideo ? null : media.isWhole ? pictures - 1 : pictures++,
      frames: media.frames.map((frame) => {
        const { rows, columns } = data.blocks[frame.block];
        return { ...frame, rows, columns };
      }),
    }));
    this.#bytes = packed;
    this.#length = packed.length;
    this.#unpacker = createUnpacker(packed, data.bits);
    this.#answerOf = new Map(this.answer.map((token) => [token.token, token.index]));
    this.#promptOf = new Map(this.prompt.map((one) => [one.token, one]));
    this.relevant = new Set(this.textOrder);
    this.turns = data.turns.flatMap((turn) => this.#parted(turn));
    this.#groupWords();
  }

  /**
   * Takes the answer's next token (GrowingReport.cs writes it).
   * @param {GrowingToken} added
   * @param {Uint8Array} packed its packed numbers
   * @returns {number} the first token whose text or word may now be another one
   */
  append({ from, tokens, wordStarts, isThought, explained }, packed) {
    this.tokens.position.splice(from, Infinity, ...tokens.position);
    this.tokens.id.splice(from, Infinity, ...tokens.id);
    this.tokens.text.splice(from, Infinity, ...tokens.text);
    this.wordStarts = [...this.wordStarts.filter((start) => start < from), ...wordStarts];
    for (const {
      token,
      explained: [own],
    } of this.answer.filter((one) => one.token >= from)) {
      own.text = this.#wholeText(token);
    }

    const base = this.#length;
    /** @type {(offset: number | null) => number | null} */
    const moved = (offset) => (offset === null ? null : offset + base);
    this.#addBytes(packed);
    const token = {
      ...explained,
      index: this.answer.length,
      explained: explained.explained.map((one) => ({
        ...one,
        maps: one.maps.map(moved),
        relevance: one.relevance + base,
      })),
    };
    this.#turnOf(token.token, isThought).items.push(token.token);
    this.thoughtTokens += isThought ? 1 : 0;
    this.answer.push(token);
    this.#answerOf.set(token.token, token.index);
    this.textOrder.push(token.token);
    this.relevant.add(token.token);
    this.#influence = null;
    this.#commonRange = null;
    this.#strongest = null;
    this.#groupWords();
    return from;
  }

  /**
   * Index in the answer of a token, or undefined for a token of the prompt.
   * @param {number} token
   */
  answerIndex(token) {
    return this.#answerOf.get(token);
  }

  /**
   * Text of answer tokens from one index to another. Of the rest of a character, this character.
   * @param {Span} span
   */
  answerText({ from, to }) {
    const tokens = this.answer.slice(from, to + 1);
    const text = tokens.map(({ token }) => this.tokens.text[token]).join("");
    return text === "" && tokens.length > 0 ? this.#wholeText(tokens[0].token) : text;
  }

  /**
   * Text of a selection.
   * @param {Selection} selection
   */
  textOf({ kind, from, to }) {
    return kind === "answer" ? this.answerText({ from, to }) : this.tokens.text.slice(from, to + 1).join("");
  }

  /** The last question of the conversation. */
  get question() {
    const items = this.turns.findLast((turn) => turn.role === "user")?.items ?? [];
    return items
      .filter((item) => item >= 0)
      .map((item) => this.tokens.text[item])
      .join("")
      .trim();
  }

  /**
   * The whole words around a selection.
   * @param {Selection} selection
   * @returns {Selection}
   */
  wholeWords({ kind, from, to }) {
    const [starts, ends] =
      kind === "answer" ? [this.answerWordStart, this.answerWordEnd] : [this.wordStart, this.wordEnd];
    return { kind, from: starts[from], to: ends[to] };
  }

  /**
   * Whether a selection has maps. The answer's tokens do; the prompt's do if they were explained too.
   * @param {Selection} selection
   */
  hasMaps({ kind, from, to }) {
    return (
      kind === "answer" ||
      Array.from({ length: to - from + 1 }, (_, i) => from + i).every((token) => this.#promptOf.has(token))
    );
  }

  /**
   * Map of an explained token over a block in raw units, or null if it has none.
   * @param {ExplainedToken} explained
   * @param {number} block
   * @returns {ActivationMap | null}
   */
  #map({ maps, range }, block) {
    const offset = maps[block];
    if (offset === null) {
      return null;
    }
    const { frames, rows, columns } = this.blocks[block];
    const values = new Float32Array(frames * rows * columns);
    const [low, high] = this.#rawRange(offset, range);
    const step = (high - low) / this.#unpacker.highest;
    for (let i = 0; i < values.length; i++) {
      values[i] = low + step * this.#unpacker.level(offset, i);
    }
    return { values, minimum: low, maximum: high };
  }

  /**
   * Maps of a span, one per block: each cell's largest (or mean) raw value over the span's tokens.
   * @param {Selection} selection
   * @param {number} explainedIndex which of a single token's explained ones
   * @returns {(ActivationMap | null)[]}
   */
  maps({ kind, from, to }, explainedIndex) {
    /** @param {number} index */
    const explained = (index) => {
      const token = kind === "text" ? this.#promptOf.get(index) : this.answer[index];
      return /** @type {TokenData} */ (token).explained[from === to ? explainedIndex : 0];
    };
    return this.blocks.map((_, block) => {
      const first = this.#map(explained(from), block);
      if (first === null) {
        return null;
      }
      const joined = first.values;
      for (let i = from + 1; i <= to; i++) {
        const map = this.#map(explained(i), block);
        if (map === null) {
          return null;
        }
        if (this.method.wordMaps === "mean") {
          joined.forEach((value, k) => (joined[k] = value + map.values[k]));
        } else {
          joined.forEach((value, k) => (joined[k] = Math.max(value, map.values[k])));
        }
      }
      if (this.method.wordMaps === "mean") {
        joined.forEach((value, k) => (joined[k] = value / (to - from + 1)));
      }
      return withRange(joined);
    });
  }

  /**
   * The raw range over all maps of all answer tokens and candidates.
   * @returns {Extent}
   */
  commonRange() {
    if (this.#commonRange === null) {
      let low = Infinity;
      let high = -Infinity;
      for (const token of this.answer) {
        for (const { maps, range } of token.explained) {
          for (const offset of maps) {
            if (offset !== null) {
              const [from, to] = this.#rawRange(offset, range);
              low = Math.min(low, from);
              high = Math.max(high, to);
            }
          }
        }
      }
      this.#commonRange = low <= high ? [low, high] : [0, 0];
    }
    return this.#commonRange;
  }

  /**
   * The strongest words of the answer: the greatest raw activation that one has in the pictures, and in the text before
   * it. Signs and markers do not count where there is a word.
   * @returns {Strongest}
   */
  strongest() {
    if (this.#strongest === null) {
      this.#strongest = { map: 0, text: 0 };
      const words = this.answer.filter((token) => this.#isWord(token));
      for (const { explained } of words.length > 0 ? words : this.answer) {
        const [{ maps, range, relevance }] = explained;
        for (const offset of maps) {
          const height = offset === null ? 0 : this.#rawRange(offset, range)[1];
          this.#strongest.map = Math.max(this.#strongest.map, height);
        }
        const text = range[0] + this.#unpacker.greatest(relevance) * (range[1] - range[0]);
        this.#strongest.text = Math.max(this.#strongest.text, text);
      }
    }
    return this.#strongest;
  }

  /**
   * How strong maps are: their greatest value as a part of that of the answer's strongest word.
   * @param {(ActivationMap | null)[]} maps
   */
  strengthOf(maps) {
    const highest = Math.max(0, ...maps.map((map) => map?.maximum ?? 0));
    const { map } = this.strongest();
    return map > 0 ? highest / map : 0;
  }

  /** @param {number | null} strength as a part of the strongest word's; null for no map */
  isWeak(strength) {
    return strength !== null && strength < WEAK;
  }

  /**
   * How strong the text before a span is: its greatest raw relevance as a part of the greatest of the answer's words.
   * @param {Span} span
   * @param {number} explainedIndex
   * @param {number} highest the greatest relevance, in [0, 1]
   */
  textStrength({ from, to }, explainedIndex, highest) {
    const [low, high] = this.#spanRange(from, to, explainedIndex);
    const { text } = this.strongest();
    return text > 0 && highest > 0 ? (low + highest * (high - low)) / text : 0;
  }

  /**
   * Whether a token has letters or digits, and is no marker.
   * @param {AnswerToken} token
   */
  #isWord({ token }) {
    return /[\p{L}\p{N}]/u.test(this.tokens.text[token]) && !isSpecial(this.tokens.text[token]);
  }

  /**
   * The token of the answer whose map stands out most: its highest raw value is farthest over its mean. The thought
   * counts only where there is no word after it, function words ("and") only where there is no other, and signs and
   * markers only where there is no word.
   * @returns {Selection}
   */
  mostTelling() {
    const all = this.answer.filter((token) => this.#isWord(token));
    const said = all.filter(({ index }) => index >= this.thoughtTokens);
    const content = said.filter(({ token }) => !isFunctionWord(this.tokens.text[token].trim().toLowerCase()));
    const words = [content, said, all].find((some) => some.length > 0) ?? [];
    let best = { index: 0, height: -Infinity };
    for (const { index } of words.length > 0 ? words : this.answer) {
      for (const map of this.maps({ kind: "answer", from: index, to: index }, 0).filter((one) => one !== null)) {
        const height = map.maximum - sumOf(map.values) / map.values.length;
        best = height > best.height ? { index, height } : best;
      }
    }
    return { kind: "answer", from: best.index, to: best.index };
  }

  /**
   * Relevance in [0, 1] of the text before a span of the answer: token index to value. Tokens without an entry have 0.
   * @param {Span} span
   * @param {number} explainedIndex which of a single token's explained ones
   * @returns {Map<number, number>}
   */
  relevance({ from, to }, explainedIndex) {
    const first = this.answer[from].token;
    const found = new Map();
    const spanRange = this.#spanRange(from, to, explainedIndex);
    for (let i = from; i <= to; i++) {
      const explained = this.answer[i].explained[from === to ? explainedIndex : 0];
      for (const [token, value] of this.#relevanceOf(i, explained)) {
        if (token < first) {
          const joined = rescale(value, explained.range, spanRange);
          found.set(token, Math.max(found.get(token) ?? 0, joined));
        }
      }
    }
    return found;
  }

  /**
   * What a selection led to: answer index to the relevance in [0, 1] that the selection's tokens have for it (the
   * largest of them).
   * @param {Selection} selection
   * @returns {Map<number, number>}
   */
  influence({ kind, from, to }) {
    this.#influence ??= this.#invertRelevance();
    const found = new Map();
    for (let i = from; i <= to; i++) {
      const token = kind === "answer" ? this.answer[i].token : i;
      for (const [answerIndex, value] of this.#influence.get(token) ?? []) {
        if (kind !== "answer" || answerIndex > to) {
          found.set(answerIndex, Math.max(found.get(answerIndex) ?? 0, value));
        }
      }
    }
    return found;
  }

  /**
   * How much spans of the answer come from a region of cells. Share is the part of the span's activation over all
   * pictures that lies in the region, strength its mean raw activation there.
   * @param {Box & { block: number, frame: number }} region
   * @param {Span[]} spans
   * @returns {Finding[]}
   */
  lookUp(region, spans) {
    const { block, frame, top, left, bottom, right } = region;
    const { rows, columns } = this.blocks[block];
    /** @type {number[]} */
    const cells = [];
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        cells.push((frame * rows + row) * columns + column);
      }
    }
    return spans.map((span) => {
      if (span.from !== span.to) {
        const maps = this.maps({ kind: "answer", ...span }, 0);
        const values = maps[block]?.values ?? null;
        const inside = values === null ? 0 : cells.reduce((sum, cell) => sum + Math.max(0, values[cell]), 0);
        return result(span, inside, totalOf(maps), this.strengthOf(maps));
      }
      return result(span, this.#sum(span.from, block, cells), this.#total(span.from), this.#strength(span.from));
    });

    /** @type {(span: Span, inside: number, total: number, whole: number) => Finding} */
    function result(span, inside, total, whole) {
      return { span, share: total > 0 ? inside / total : 0, strength: inside / cells.length, whole };
    }
  }

  /**
   * The answer's turn in two where it begins with a thought: what the prompt has of it, its tokens, and the line feeds
   * after them.
   * @param {Turn} turn
   * @returns {Turn[]}
   */
  #parted(turn) {
    if (!turn.items.some((item) => this.#answerOf.has(item))) {
      return [turn];
    }
    const isOpened = this.#opensThought(turn.items[0]);
    let length = 0;
    while (length < turn.items.length) {
      const item = turn.items[length];
      const index = this.#answerOf.get(item);
      const isThought = index === undefined ? isOpened : index < this.thoughtTokens;
      if (!isThought && (length === 0 || !this.#isLineFeeds(item))) {
        break;
      }
      length++;
    }
    const [thought, said] = [turn.items.slice(0, length), turn.items.slice(length)];
    return [
      ...(thought.length > 0 ? [/** @type {Turn} */ ({ ...turn, items: thought, isThought: true })] : []),
      ...(said.length > 0 ? [{ ...turn, items: said }] : []),
    ];
  }

  /**
   * The turn that the answer's next token belongs to.
   * @param {number} token
   * @param {boolean} isThought
   * @returns {Turn}
   */
  #turnOf(token, isThought) {
    if (this.answer.length === 0) {
      if (this.turns.at(-1)?.role !== "assistant") {
        this.turns.push({ role: "assistant", items: [] });
      }
      const turn = this.turns[this.turns.length - 1];
      if (isThought || this.#opensThought(turn.items[0])) {
        turn.isThought = true;
      }
    }
    if (this.turns.at(-1)?.isThought && !isThought && !this.#isLineFeeds(token)) {
      this.turns.push({ role: "assistant", items: [] });
    }
    return this.turns[this.turns.length - 1];
  }

  /** @param {number | undefined} item the first of the answer's turn */
  #opensThought(item) {
    return item !== undefined && item >= 0 && !this.#answerOf.has(item) && this.tokens.text[item] === "<think>";
  }

  /** @param {number} item */
  #isLineFeeds(item) {
    return item >= 0 && /^\n+$/.test(this.tokens.text[item]);
  }

  // A token's text, or for the rest of a character the text that shows this character.
  /** @param {number} token */
  #wholeText(token) {
    return this.tokens.text[this.tokens.text.findLastIndex((text, index) => index <= token && text !== "")] ?? "";
  }

  /** @param {Uint8Array} added */
  #addBytes(added) {
    const length = this.#length + added.length;
    if (length > this.#bytes.length) {
      const larger = new Uint8Array(2 * length);
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
      this.#unpacker = createUnpacker(larger, this.bits);
    }
    this.#bytes.set(added, this.#length);
    this.#length = length;
  }

  /**
   * @param {number} offset
   * @param {Extent} range
   * @returns {Extent}
   */
  #rawRange(offset, [low, high]) {
    const [minimum, maximum] = this.#unpacker.range(offset);
    return [low + minimum * (high - low), low + maximum * (high - low)];
  }

  /**
   * Sum of the raw values of some cells. The map is not unpacked, since a look-up asks for the maps of all tokens.
   * @param {number} answerIndex
   * @param {number} block
   * @param {number[]} cells
   */
  #sum(answerIndex, block, cells) {
    const { maps, range } = this.answer[answerIndex].explained[0];
    if (maps[block] === null) {
      return 0;
    }
    const [low, high] = this.#rawRange(maps[block], range);
    let levels = 0;
    for (const cell of cells) {
      levels += this.#unpacker.level(maps[block], cell);
    }
    return Math.max(0, low * cells.length + ((high - low) / this.#unpacker.highest) * levels);
  }

  /**
   * How strong a token's maps are; they are not unpacked.
   * @param {number} answerIndex
   */
  #strength(answerIndex) {
    const { maps, range } = this.answer[answerIndex].explained[0];
    const heights = maps.map((offset) => (offset === null ? 0 : this.#rawRange(offset, range)[1]));
    const { map } = this.strongest();
    return map > 0 ? Math.max(0, ...heights) / map : 0;
  }

  /**
   * @param {number} answerIndex
   * @returns {number}
   */
  #total(answerIndex) {
    const known = this.#totals.get(answerIndex);
    const total = known ?? totalOf(this.maps({ kind: "answer", from: answerIndex, to: answerIndex }, 0));
    this.#totals.set(answerIndex, total);
    return total;
  }

  /**
   * @param {number} answerIndex
   * @param {ExplainedToken} explained
   * @returns {[token: number, value: number][]}
   */
  #relevanceOf(answerIndex, explained) {
    const { text } = this.answer[answerIndex];
    const { indices, values } = this.#unpacker.sparse(explained.relevance);
    const order = typeof text === "number" ? this.textOrder : text;
    return Array.from(indices, (index, i) => [order[index], values[i]]);
  }

  /**
   * @param {number} from
   * @param {number} to
   * @param {number} explainedIndex
   * @returns {Extent}
   */
  #spanRange(from, to, explainedIndex) {
    const ranges = this.answer
      .slice(from, to + 1)
      .map((token) => token.explained[from === to ? explainedIndex : 0].range);
    return [Math.min(...ranges.map((range) => range[0])), Math.max(...ranges.map((range) => range[1]))];
  }

  /** @returns {Map<number, [answerIndex: number, value: number][]>} */
  #invertRelevance() {
    const inverse = new Map();
    for (const token of this.answer) {
      for (const [source, value] of this.#relevanceOf(token.index, token.explained[0])) {
        const entries = inverse.get(source);
        if (entries === undefined) {
          inverse.set(source, [[token.index, value]]);
        } else {
          entries.push([token.index, value]);
        }
      }
    }
    return inverse;
  }

  #groupWords() {
    const count = this.tokens.text.length;
    this.wordStart = new Int32Array(count);
    this.wordEnd = new Int32Array(count);
    this.wordStarts.forEach((start, i) => {
      const end = (this.wordStarts[i + 1] ?? count) - 1;
      this.wordStart.fill(start, start, end + 1);
      this.wordEnd.fill(end, start, end + 1);
    });
    /** @type {(token: number, fallback: number) => number} */
    const indexOf = (token, fallback) => this.#answerOf.get(token) ?? fallback;
    this.answerWordStart = this.answer.map(({ token, index }) => indexOf(this.wordStart[token], index));
    this.answerWordEnd = this.answer.map(({ token, index }) => indexOf(this.wordEnd[token], index));
    this.words = this.answer
      .filter(({ index }) => this.answerWordStart[index] === index)
      .map(({ index }) => ({ from: index, to: this.answerWordEnd[index] }));
  }
}

/**
 * Sum of what is above zero.
 * @param {ArrayLike<number> & Iterable<number>} values
 */
export function sumOf(values) {
  let sum = 0;
  for (const value of values) {
    sum += Math.max(0, value);
  }
  return sum;
}

/** @param {(ActivationMap | null)[]} maps */
function totalOf(maps) {
  return maps.reduce((sum, map) => sum + (map === null ? 0 : sumOf(map.values)), 0);
}

/**
 * @param {Float32Array} values
 * @returns {ActivationMap}
 */
function withRange(values) {
  let minimum = Infinity;
  let maximum = -Infinity;
  for (const value of values) {
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
  }
  return { values, minimum, maximum };
}

/**
 * @param {number} value
 * @param {Extent} from
 * @param {Extent} to
 */
function rescale(value, [fromLow, fromHigh], [toLow, toHigh]) {
  const width = toHigh - toLow;
  return width > 0 ? Math.min(1, Math.max(0, (fromLow + value * (fromHigh - fromLow) - toLow) / width)) : 0;
}
