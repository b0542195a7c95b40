// Finds text in the conversation, across the borders of tokens too, and selects what is found.

import { create } from "./dom.js";

/** @import { FoldedText, Report, Selection, State, StateStore } from "./types.js" */

/**
 * Builds the field. It tells mark of all matches, and go of the one to select.
 * @param {Report} report
 * @param {StateStore} state
 * @param {{ go(selection: Selection): void, mark(selections: Selection[]): void }} actions
 */
export function buildSearch(report, state, actions) {
  const input = create("input", {
    type: "search",
    placeholder: "Find in the text",
    "aria-label": "Find in the text",
    autocomplete: "off",
    spellcheck: "false",
  });
  const count = create("output", { class: "count", "aria-live": "polite" });
  let text = foldedText(report.tokens.text);
  let query = "";
  /** @type {Selection[]} */
  let matches = [];
  let at = -1;

  input.addEventListener("input", () => state.change({ query: input.value }));
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && matches.length > 0) {
      event.preventDefault();
      at = (at + (event.shiftKey ? matches.length - 1 : 1)) % matches.length;
      actions.go(matches[at]);
      say();
    } else if (event.key === "Escape" && input.value !== "") {
      event.preventDefault();
      state.change({ query: "" });
    }
  });

  function search() {
    matches = query.trim() === "" ? [] : find(report, text, query);
    say();
    actions.mark(matches);
  }

  function say() {
    count.textContent =
      query.trim() === ""
        ? ""
        : matches.length === 0
          ? "none"
          : at < 0
            ? `${matches.length} found`
            : `${at + 1} of ${matches.length}`;
  }

  return {
    element: create("div", { class: "search", role: "search" }, input, count),
    /** @param {State} now */
    show(now) {
      if (now.query !== query) {
        query = now.query;
        at = -1;
        if (input.value !== query) {
          input.value = query;
        }
        search();
      }
    },
    /** The text has changed. */
    refresh() {
      text = foldedText(report.tokens.text);
      if (query !== "") {
        search();
      }
    },
  };
}

/**
 * All texts in one string, and for each of its characters the token that it is of.
 * @param {string[]} texts
 * @returns {FoldedText}
 */
export function foldedText(texts) {
  let whole = "";
  /** @type {number[]} */
  const owners = [];
  texts.forEach((token, index) => {
    for (const character of token) {
      const folded = fold(character);
      whole += folded;
      for (let i = 0; i < folded.length; i++) {
        owners.push(index);
      }
    }
  });
  return { whole, owners };
}

/**
 * All places of a text, whatever the case of its letters.
 * @param {Pick<Report, "answerIndex" | "relevant">} report
 * @param {FoldedText} folded
 * @param {string} query
 */
export function find(report, { whole, owners }, query) {
  const wanted = Array.from(query, fold).join("");
  /** @type {Selection[]} */
  const matches = [];
  for (let start = whole.indexOf(wanted); start >= 0; start = whole.indexOf(wanted, start + wanted.length)) {
    // Spaces at the ends do not bring in the tokens that hold nothing else of the match.
    let [first, last] = [start, start + wanted.length - 1];
    while (first < last && whole[first] === " ") {
      first++;
    }
    while (last > first && whole[last] === " ") {
      last--;
    }
    const match = selectionOf(report, owners[first], owners[last]);
    if (match !== null) {
      matches.push(match);
    }
  }
  return matches;
}

/**
 * @param {Pick<Report, "answerIndex" | "relevant">} report
 * @param {number} first
 * @param {number} last
 * @returns {Selection | null}
 */
function selectionOf(report, first, last) {
  const [from, to] = [report.answerIndex(first), report.answerIndex(last)];
  if (from !== undefined && to !== undefined) {
    return { kind: "answer", from, to };
  }
  return report.relevant.has(first) && report.relevant.has(last) && from === undefined && to === undefined
    ? { kind: "text", from: first, to: last }
    : null;
}

/** @param {string} character */
function fold(character) {
  return character.toLowerCase();
}
