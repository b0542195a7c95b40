// "What am I looking at?": the page's terms in a few sentences each, and the facts of the run.

import { create } from "./dom.js";

/** @type {[term: string, sentences: string][]} */
const TERMS = [
  [
    "A map",
    "A map shows for one word which parts of the picture made the model likely to write it. Each cell is a patch of " +
      "the picture as the model sees it, and its value says how strongly this patch speaks for the word. Where it " +
      "is bright it is strong; the numbers at the scale say how strong.",
  ],
  [
    "What it is not",
    "A map is no proof that the model looked there, and it does not say whether the word is true. A word may come " +
      "from the question or from language alone, and a map is drawn all the same. To test a word, hide the place " +
      "and ask again, or let --check do it.",
  ],
  [
    "ECI",
    "Words that were written before light up in the picture, too. Estimated causal inference (ECI) takes their part " +
      "out of a word's map, as far as it can be estimated. What only goes on with what was said may then have " +
      "nothing left: its map is zero.",
  ],
  [
    "Share",
    "A share is the part of a word's activation that lies in a picture, a frame, or the region that you draw. All " +
      "pictures together have 100 %. It says where and not how strongly, so that a weak word has shares as well.",
  ],
  [
    "Scales",
    "On its own scale a map has all colours, which shows its shape. On the common scale all words share one range, " +
      "so that they can be compared. On its own scale, a map below a fifth of the strongest word's is called weak, " +
      "and its colours fade in proportion; the same is done to the text.",
  ],
];

/**
 * The dialog's content.
 * @param {Node} facts
 */
export function aboutThis(facts) {
  const terms = TERMS.flatMap(([term, sentences]) => [create("dt", "", term), create("dd", "", sentences)]);
  return [create("dl", "terms", ...terms), create("h3", "", "This run"), facts];
}
