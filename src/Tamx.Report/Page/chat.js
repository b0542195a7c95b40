// The conversation: turns, tokens, chips where pictures stand. Tokens can be clicked, dragged over, and stepped through
// by keyboard.

import { create, targetOf } from "./dom.js";
import { formatNumber, formatPercent, formatSeconds, isSpecial, spokenText, visibleText } from "./text.js";

/** @import { ChatActions, Report, Selection, State, TokenPlace, Turn, View } from "./types.js" */

// In pixels: a conversation that is scrolled this near its end follows what is written.
const NEAR_END = 40;

/** @type {Record<string, string>} */
const ROLES = { system: "System", user: "User", assistant: "Assistant" };
/** @type {Record<string, (value: number) => string>} */
const SHADES = {
  from: (value) => `relevance ${formatNumber(value)}`,
  to: (value) => `relevance to it ${formatNumber(value)}`,
  change: (value) => `ln p ${value < 0 ? "falls" : "rises"} by ${formatNumber(Math.abs(value))}`,
  share: (value) => `${formatPercent(value)} of its activation`,
  strength: (value) => `mean activation ${formatNumber(value)}`,
};

/**
 * Builds the conversation.
 * @param {Report} report
 * @param {ChatActions} actions
 * @param {{ isGrowing: boolean, signal: AbortSignal }} page isGrowing: more tokens may come; the signal ends the
 *   listening beyond the element
 */
export function buildChat(report, actions, { isGrowing, signal }) {
  const container = create("section", {
    class: report.hasTexts ? "chat" : "chat ids",
    "aria-label": "Conversation",
    tabindex: "-1",
  });
  /** @type {HTMLElement[]} */
  const elements = [];
  const turns = report.turns.map((turn) => turnElement(report, turn, elements, actions));
  container.append(...turns);
  if (report.answer.length === 0 && !isGrowing) {
    container.append(create("p", "note", "The answer is empty: the model wrote no token, so there is no map to show."));
  }
  listenToPointer(container, actions, signal);

  /** @type {HTMLElement[]} */
  let selected = [];
  /** @type {HTMLElement[]} */
  let shaded = [];
  let dimmedFrom = report.answer.length;
  /** @type {HTMLElement[]} */
  let marked = [];
  /** @type {HTMLElement | null} */
  let stop = null;

  /**
   * @param {View} view
   * @param {State} state
   */
  function show(view, state) {
    for (const element of shaded) {
      element.style.removeProperty("--shade");
      element.classList.remove("shaded", "rises");
      element.removeAttribute("title");
      setName(element, report.tokens.text[Number(element.dataset.item)]);
    }
    shaded = [];
    const label = SHADES[view.shade.kind === "region" ? state.rank : view.shade.kind];
    for (const [token, value] of view.shade.values) {
      const element = elements[token];
      if (value !== 0 && element !== undefined) {
        element.style.setProperty("--shade", ((view.shade.full * Math.abs(value)) / view.shade.highest).toFixed(3));
        element.classList.add("shaded");
        element.classList.toggle("rises", view.shade.kind === "change" && value > 0);
        element.title = label(value);
        setName(element, report.tokens.text[token], label(value));
        shaded.push(element);
      }
    }
    showSelected(view, state);
    dim(view.selection?.kind === "answer" && view.shade.kind === "from" ? view.selection.to + 1 : report.answer.length);
  }

  /**
   * @param {View} view
   * @param {State} state
   */
  function showSelected(view, state) {
    for (const element of selected) {
      element.classList.remove("current", "kept", "first", "last");
      element.setAttribute("aria-selected", "false");
    }
    selected = [];
    /** @type {(selection: Selection, name: string) => void} */
    const add = (selection, name) => {
      const tokens = tokensOf(report, selection);
      for (const token of tokens) {
        elements[token]?.classList.add(name);
        selected.push(elements[token]);
      }
      elements[tokens[0]]?.classList.add("first");
      elements[tokens[tokens.length - 1]]?.classList.add("last");
    };
    if (view.isPreview && state.selection !== null) {
      add(state.selection, "kept");
    }
    if (view.selection !== null) {
      add(view.selection, "current");
    }
    selected = selected.filter((element) => element !== undefined);
    if (state.selection !== null) {
      const tokens = tokensOf(report, state.selection);
      tokens.forEach((token) => elements[token]?.setAttribute("aria-selected", "true"));
      setStop(elements[tokens[0]]);
    }
  }

  // Tab reaches one token of each turn: the selected one, or else the first.
  /** @param {HTMLElement | undefined} element */
  function setStop(element) {
    const list = element?.parentElement ?? null;
    if (stop !== null && stop !== element) {
      stop.tabIndex = -1;
      if (stop.parentElement !== list) {
        setFirstStop(stop.parentElement, 0);
      }
    }
    if (element !== undefined && list !== null) {
      setFirstStop(list, -1);
      element.tabIndex = 0;
      stop = element;
    }
  }

  // Dims the answer's tokens from an index on, which were not yet written. Only those that change are touched.
  /** @param {number} from */
  function dim(from) {
    for (let i = Math.min(from, dimmedFrom); i < Math.max(from, dimmedFrom); i++) {
      elements[report.answer[i].token].classList.toggle("later", i >= from);
    }
    dimmedFrom = from;
  }

  /** @param {number} first */
  function append(first) {
    // A narrow page scrolls as a whole. It follows while the token before is in sight.
    const scrolls = container.scrollHeight > container.clientHeight + 1;
    const isAtEnd = scrolls
      ? container.scrollHeight - container.scrollTop - container.clientHeight < NEAR_END
      : isInSight(elements[report.answer[report.answer.length - 1].token - 1]);
    // The last turn may be new, and the thought before it, or have become the answer's.
    for (let i = Math.max(0, report.turns.length - 2); i < report.turns.length; i++) {
      if (isOfAnswer(report, report.turns[i]) && !turns[i]?.matches(".answer, .thought")) {
        turns[i]?.remove();
        turns[i] = turnElement(report, report.turns[i], elements, actions);
        container.append(turns[i]);
      }
    }
    for (let token = first; token < report.tokens.text.length; token++) {
      const element = tokenElement(report, token);
      if (elements[token] === undefined) {
        element.classList.toggle("later", (report.answerIndex(token) ?? -1) >= dimmedFrom);
        const turn = report.turns.findLastIndex(({ items }) => items[0] <= token);
        turns[turn].querySelector(".turn-text")?.append(element);
        elements[token] = element;
      } else if (elements[token].textContent !== element.textContent) {
        elements[token].classList.toggle("rest", element.classList.contains("rest"));
        elements[token].replaceChildren(...element.childNodes);
        setName(elements[token], report.tokens.text[token]);
      }
    }
    if (isAtEnd) {
      container.scrollTop = container.scrollHeight;
      elements[elements.length - 1].scrollIntoView({ block: "nearest" });
    }
  }

  /**
   * The element of a selection's first token, in a thought that is open.
   * @param {Selection} selection
   */
  function elementOf({ kind, from }) {
    const element = elements[kind === "answer" ? report.answer[from].token : from];
    element?.closest("details")?.setAttribute("open", "");
    return element;
  }

  return {
    element: container,
    show,
    /** Shows an answer's new tokens. From the first one given, texts may differ from those before. */
    append,
    /** @param {Selection} selection */
    focus(selection) {
      elementOf(selection)?.focus();
    },
    /** @param {Selection} selection */
    bringIntoSight(selection) {
      elementOf(selection)?.scrollIntoView({ block: "nearest" });
    },
    /** @param {number[]} tokens */
    mark(tokens) {
      marked.forEach((element) => element.classList.remove("found"));
      marked = tokens.map((token) => elements[token]).filter((element) => element !== undefined);
      marked.forEach((element) => element.classList.add("found"));
    },
  };
}

/**
 * The tokens of a selection, as indices of the report's tokens.
 * @param {Report} report
 * @param {Selection} selection
 */
export function tokensOf(report, { kind, from, to }) {
  return Array.from({ length: to - from + 1 }, (_, i) =>
    kind === "answer" ? report.answer[from + i].token : from + i,
  );
}

/**
 * @param {Report} report
 * @param {Turn} turn
 * @param {HTMLElement[]} elements takes those of the tokens
 * @param {ChatActions} actions
 */
function turnElement(report, turn, elements, actions) {
  const isAnswer = isOfAnswer(report, turn);
  const hasOptions = turn.items.some((item) => item < 0 || isSelectable(report, item));
  const name = turn.isThought ? "Thought" : isAnswer ? "Answer" : (ROLES[turn.role] ?? turn.role);
  const text = create("div", {
    class: "turn-text",
    dir: "auto",
    role: hasOptions ? "listbox" : null,
    "aria-label": hasOptions ? `${name}: tokens` : null,
    "aria-orientation": hasOptions ? "horizontal" : null,
    "aria-multiselectable": hasOptions ? "true" : null,
  });
  for (const item of turn.items) {
    text.append(item < 0 ? chip(report, -1 - item, actions) : (elements[item] = tokenElement(report, item)));
  }
  setFirstStop(text, 0);
  if (turn.isThought) {
    // What the prompt has of a thought alone is an empty one.
    const hasTokens = turn.items.some((item) => report.answerIndex(item) !== undefined);
    const parts = create("details", { open: hasTokens }, create("summary", "role", name), text);
    return create("article", { class: "turn thought", "aria-label": `Thought of ${turn.role}` }, parts);
  }
  const kind = isAnswer ? "answer" : turn.role === "user" ? "asked" : "plain";
  return create(
    "article",
    { class: `turn ${kind}`, "aria-label": `Turn of ${turn.role}` },
    create("div", "role", name),
    text,
  );
}

/**
 * Whether a turn is the answer's, or that of its thought.
 * @param {Report} report
 * @param {Turn} turn
 */
function isOfAnswer(report, turn) {
  return turn.isThought === true || turn.items.some((item) => report.answerIndex(item) !== undefined);
}

/**
 * Lets Tab reach the first of a list's tokens (0), or not (-1).
 * @param {Element | null} list
 * @param {0 | -1} tabIndex
 */
function setFirstStop(list, tabIndex) {
  /** @type {HTMLElement | null} */
  const first = list?.querySelector(".selectable") ?? null;
  if (first !== null) {
    first.tabIndex = tabIndex;
  }
}

/**
 * @param {Report} report
 * @param {number} token
 */
function isSelectable(report, token) {
  return report.answerIndex(token) !== undefined || report.relevant.has(token);
}

/**
 * @param {Report} report
 * @param {number} token
 */
function tokenElement(report, token) {
  const text = report.tokens.text[token];
  // Spaces before a word stay out of its shade, which would otherwise stick out at the end of a line.
  const shown = visibleText(text);
  const word = shown.replace(/^ */, "");
  const spaces = shown.slice(0, shown.length - word.length);
  const element = create(
    "span",
    "token",
    ...(word === "" ? [create("span", "word", spaces)] : [spaces, create("span", "word", word)]),
  );
  if (text === "") {
    // The rest of a character that an earlier token shows. A mark keeps it within reach.
    element.classList.add("rest");
    element.replaceChildren(create("span", "word", "\u00B7"));
  } else if (isSpecial(text)) {
    element.classList.add("marker");
  }
  if (isSelectable(report, token)) {
    element.classList.add("selectable");
    element.setAttribute("role", "option");
    element.setAttribute("aria-selected", "false");
    element.dataset.item = String(token);
    setName(element, text);
    element.tabIndex = -1;
    const index = report.answerIndex(token);
    if (index !== undefined) {
      element.dataset.token = String(index);
    }
  }
  return element;
}

/** @param {HTMLElement | undefined} element */
function isInSight(element) {
  const box = element?.getBoundingClientRect();
  return box === undefined || (box.bottom > 0 && box.top < innerHeight);
}

/**
 * A token's text is its name for screen readers, unless there is more to say, or the text has no sound.
 * @param {HTMLElement} element
 * @param {string} text
 * @param {string} more
 */
function setName(element, text, more = "") {
  if (more !== "") {
    element.setAttribute("aria-label", `${spokenText(text)}, ${more}`);
  } else if (text.trim() === "") {
    element.setAttribute("aria-label", spokenText(text));
  } else {
    element.removeAttribute("aria-label");
  }
}

/**
 * @param {Report} report
 * @param {number} block
 * @param {ChatActions} actions
 */
function chip(report, block, actions) {
  const media = report.media[report.media.findIndex((one) => one.frames.some((frame) => frame.block === block))];
  const frame = media.frames.findIndex((one) => one.block === block);
  const seconds = media.frames[frame].picture?.seconds ?? null;
  const isPart = media.isVideo && media.frames.some((one) => one.block !== block);
  const name = isPart ? (seconds === null ? `Frame ${frame + 1}` : formatSeconds(seconds)) : media.name;
  return create(
    "span",
    {
      class: "chip",
      role: "option",
      "aria-selected": "false",
      "aria-label": isPart ? `${media.name}, ${name}` : name,
      tabindex: "0",
      onclick: () => actions.reveal(media.index, frame),
      /** @param {KeyboardEvent} event */
      onkeydown: (event) => {
        if (event.key === "Enter" || event.key === " ") {
          event.preventDefault();
          actions.reveal(media.index, frame);
        }
      },
    },
    name,
  );
}

/**
 * @param {HTMLElement} container
 * @param {ChatActions} actions
 * @param {AbortSignal} signal
 */
function listenToPointer(container, actions, signal) {
  /**
   * @param {Element | null} element
   * @returns {TokenPlace | null}
   */
  const tokenAt = (element) => {
    /** @type {HTMLElement | null} */
    const found = element?.closest(".selectable") ?? null;
    if (found === null || !container.contains(found)) {
      return null;
    }
    const isText = found.dataset.token === undefined;
    return { kind: isText ? "text" : "answer", index: Number(isText ? found.dataset.item : found.dataset.token) };
  };
  /** @type {TokenPlace | null} */
  let anchor = null;
  let isDragging = false;
  container.addEventListener("pointerdown", (event) => {
    anchor = event.button === 0 ? tokenAt(targetOf(event)) : null;
    isDragging = false;
  });
  container.addEventListener("pointermove", (event) => {
    // A touch stays with the element where it began.
    const isTouch = event.pointerType === "touch";
    const at = tokenAt(isTouch ? document.elementFromPoint(event.clientX, event.clientY) : targetOf(event));
    if (anchor === null || event.buttons === 0) {
      if (!isTouch) {
        actions.preview(at);
      }
    } else if (at !== null && at.kind === anchor.kind && (isDragging || at.index !== anchor.index)) {
      isDragging = true;
      actions.drag(at.kind, anchor.index, at.index);
    }
  });
  addEventListener("pointerup", () => (anchor = null), { signal });
  container.addEventListener("pointercancel", () => (anchor = null));
  container.addEventListener("pointerleave", () => actions.preview(null));
  container.addEventListener("click", (event) => {
    // The click at the end of a drag belongs to the drag.
    const at = isDragging ? null : tokenAt(targetOf(event));
    isDragging = false;
    if (at !== null) {
      actions.click(at.kind, at.index, event.shiftKey);
    }
  });
}
