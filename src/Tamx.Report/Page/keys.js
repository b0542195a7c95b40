// The keyboard: arrows step through tokens or words, Shift extends, up and down go through the candidates, Esc takes back.

const STEPS = { ArrowRight: 1, ArrowLeft: -1, Home: -Infinity, End: Infinity };

/** Listens for keys anywhere but in controls. focus(selection) moves the focus to its first token. */
export function listenToKeys(selection, focus) {
  addEventListener("keydown", (event) => {
    const isElsewhere = event.target.closest?.("dialog, input, select, textarea, .stage");
    if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented || isElsewhere) {
      return;
    }
    if (event.key === "Escape") {
      selection.clear();
      return;
    }
    const token = event.target.closest?.(".selectable") ?? null;
    if (token === null && event.target !== document.body) {
      return;
    }
    const kind = token !== null && token.dataset.token === undefined ? "text" : "answer";
    const focused = token === null ? null : Number(token.dataset.token ?? token.dataset.item);
    if (Object.hasOwn(STEPS, event.key)) {
      event.preventDefault();
      const target = selection.step(kind, STEPS[event.key], event.shiftKey, focused);
      if (target !== null) {
        focus(target);
      }
    } else if (token !== null && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      selection.stepCandidate(event.key === "ArrowDown" ? 1 : -1);
    } else if (token !== null && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      selection.click(kind, focused, event.shiftKey);
    }
  });
}
