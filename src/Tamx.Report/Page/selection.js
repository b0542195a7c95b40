// What is selected and how pointer and keys change it. A selection is { kind, from, to }: a span of the answer (kind "answer", indices in
// it) or of the prompt (kind "text", indices of the report's tokens).

/** Joins selecting with the state. */
export function createSelection(report, state) {
  // A span grows and shrinks at its head; its anchor stays.
  let anchor = null;
  let head = null;
  let ordered = null;

  const promptTokens = () =>
    (ordered ??= [...report.relevant].filter((token) => report.answerIndex(token) === undefined).sort((a, b) => a - b));
  const wholeUnits = (span) => (state.get().unit === "word" ? report.wholeWords(span) : span);

  function select(kind, from, to) {
    anchor = from;
    head = to;
    const span = wholeUnits({ kind, from: Math.min(from, to), to: Math.max(from, to) });
    state.change({ selection: span, candidate: null, preview: null });
  }

  // The ends of the selection, also of one that came with the address.
  function ends(kind) {
    const { selection } = state.get();
    if (selection?.kind !== kind) {
      return null;
    }
    const isOwn = anchor !== null && Math.min(anchor, head) >= selection.from && Math.max(anchor, head) <= selection.to;
    return isOwn ? { anchor, head, ...selection } : { anchor: selection.from, head: selection.to, ...selection };
  }

  return {
    /** What a click at a token selects. */
    unitAt: (kind, index) => wholeUnits({ kind, from: index, to: index }),

    /** Selects the token or word; again: nothing. With extend, everything from the selection's anchor to it. */
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

    /** Moves by one token or word (direction 1 or -1), or to the first or last (-Infinity, Infinity). Returns where to; null in an empty list. */
    step(kind, direction, extend, focused) {
      const list = kind === "answer" ? null : promptTokens();
      const count = list === null ? report.answer.length : list.length;
      if (count === 0) {
        return null;
      }
      const place = (index) => (list === null ? index : list.indexOf(index));
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

    /** Shows the next candidate of the selected token, or the one before. */
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
