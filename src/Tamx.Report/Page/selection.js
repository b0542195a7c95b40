// What is selected, and how pointer and keys change it.

/** @import { Report, Selection, StateStore } from "./types.js" */

/**
 * Builds what selects; the state holds the selection.
 * @param {Report} report
 * @param {StateStore} state
 */
export function createSelection(report, state) {
  /**
   * A span grows and shrinks at its head; its anchor stays.
   * @type {{ anchor: number, head: number } | null}
   */
  let made = null;
  /** @type {number[] | null} */
  let ordered = null;

  const promptTokens = () =>
    (ordered ??= [...report.relevant].filter((token) => report.answerIndex(token) === undefined).sort((a, b) => a - b));
  /** @type {(span: Selection) => Selection} */
  const wholeUnits = (span) => (state.get().unit === "word" ? report.wholeWords(span) : span);

  /**
   * @param {Selection["kind"]} kind
   * @param {number} from
   * @param {number} to
   */
  function select(kind, from, to) {
    made = { anchor: from, head: to };
    const span = wholeUnits({ kind, from: Math.min(from, to), to: Math.max(from, to) });
    state.change({ selection: span, candidate: null, preview: null });
  }

  /**
   * The ends of the selection, also of one that came with the address.
   * @param {Selection["kind"]} kind
   */
  function ends(kind) {
    const { selection } = state.get();
    if (selection?.kind !== kind) {
      return null;
    }
    const isWithin = (/** @type {number} */ index) => index >= selection.from && index <= selection.to;
    return made !== null && isWithin(made.anchor) && isWithin(made.head)
      ? { ...made, ...selection }
      : { anchor: selection.from, head: selection.to, ...selection };
  }

  return {
    /**
     * What a click at a token selects.
     * @type {(kind: Selection["kind"], index: number) => Selection}
     */
    unitAt: (kind, index) => wholeUnits({ kind, from: index, to: index }),

    /**
     * Selects the token or word, or takes its selection back. With extend, selects all from the selection's anchor to
     * it.
     * @param {Selection["kind"]} kind
     * @param {number} index
     * @param {boolean} extend
     */
    click(kind, index, extend) {
      const now = ends(kind);
      if (extend && now !== null) {
        select(kind, now.anchor, index);
        return;
      }
      const unit = wholeUnits({ kind, from: index, to: index });
      const isSame = now !== null && now.from === unit.from && now.to === unit.to && state.get().candidate === null;
      if (isSame) {
        state.change({ selection: null, candidate: null, preview: null });
      } else {
        select(kind, index, index);
      }
    },

    /** Selects from where a drag began to where it is. */
    drag: select,

    /**
     * Moves by one token or word (direction 1 or -1), or to the first or last one (-Infinity, Infinity). Returns where
     * to, or null where there is no token.
     * @param {Selection["kind"]} kind
     * @param {number} direction
     * @param {boolean} extend
     * @param {number | null} focused the token that has the focus
     * @returns {Selection | null}
     */
    step(kind, direction, extend, focused) {
      const list = kind === "answer" ? null : promptTokens();
      const count = list === null ? report.answer.length : list.length;
      if (count === 0) {
        return null;
      }
      /** @param {number} index */
      const place = (index) => (list === null ? index : list.indexOf(index));
      /** @param {number} at */
      const index = (at) => (list === null ? at : list[at]);
      const now = ends(kind);
      let target;
      if (!Number.isFinite(direction)) {
        target = direction > 0 ? count - 1 : 0;
      } else if (now === null) {
        target = focused !== null ? place(focused) : direction > 0 ? 0 : count - 1;
      } else if (extend) {
        const unit = wholeUnits({ kind, from: now.head, to: now.head });
        target = place(direction > 0 ? unit.to : unit.from) + direction;
      } else {
        target = place(direction > 0 ? now.to : now.from) + direction;
      }
      const to = index(Math.max(0, Math.min(count - 1, target)));
      select(kind, extend && now !== null ? now.anchor : to, to);
      return wholeUnits({ kind, from: to, to });
    },

    /**
     * Shows the next candidate of the selected token, or the one before.
     * @param {1 | -1} direction
     */
    stepCandidate(direction) {
      const { selection, candidate } = state.get();
      if (selection?.kind !== "answer" || selection.from !== selection.to) {
        return;
      }
      const token = report.answer[selection.from];
      const shown = candidate ?? token.candidates.indexOf(0);
      const target = shown + direction;
      if (target >= -1 && target < token.candidates.length) {
        state.change({ candidate: target < 0 ? null : target, preview: null });
      }
    },

    /** Takes back one thing: the preview and selection, else the region. */
    clear() {
      const { selection, region, preview } = state.get();
      if (selection !== null || preview !== null) {
        state.change({ selection: null, candidate: null, preview: null });
      } else if (region !== null) {
        state.change({ region: null });
      }
    },
  };
}
