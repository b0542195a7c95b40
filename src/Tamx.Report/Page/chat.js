// The conversation: turns, tokens, chips where pictures stand. Answer tokens can be selected.

import { blockName, create, formatNumber, spokenText, visibleText } from "./text.js";

const ROLES = { system: "System", user: "User", assistant: "Assistant" };

/** Builds the conversation and returns what shows a selection in it. */
export function buildChat(container, report, state, onChip) {
  const elements = [];
  const answerOf = new Map(report.answer.map((token) => [token.token, token.index]));
  const answerElements = [];

  for (const turn of report.turns) {
    const isAnswer = turn.items.some((item) => answerOf.has(item));
    const text = create("div", "turn-text");
    for (const item of turn.items) {
      if (item < 0) {
        text.append(chip(report, -1 - item, onChip));
        continue;
      }
      const element = tokenElement(report.tokens.text[item]);
      elements[item] = element;
      if (answerOf.has(item)) {
        answerElements[answerOf.get(item)] = element;
      }
      text.append(element);
    }
    if (isAnswer) {
      text.setAttribute("role", "listbox");
      text.setAttribute("aria-label", "Answer tokens");
      text.setAttribute("aria-orientation", "horizontal");
    }
    const role = create("div", "role", isAnswer ? "Answer" : (ROLES[turn.role] ?? turn.role));
    const article = create("article", `turn ${isAnswer ? "answer" : turn.role === "user" ? "asked" : "plain"}`, role, text);
    article.setAttribute("aria-label", `Turn of ${turn.role}`);
    container.append(article);
  }

  if (report.answer.length === 0) {
    container.append(create("p", "note", "The answer is empty: the model wrote no token, so there is no map to show."));
  }
  container.classList.toggle("ids", !report.hasTexts);

  answerElements.forEach((element, index) => {
    element.classList.add("selectable");
    element.setAttribute("role", "option");
    element.setAttribute("aria-selected", "false");
    element.dataset.token = index;
    element.tabIndex = index === 0 ? 0 : -1;
  });
  listen(container, state);

  let shaded = [];
  let current = null;
  return function show(view) {
    for (const element of shaded) {
      element.style.removeProperty("--relevance");
      element.classList.remove("shaded");
      element.removeAttribute("title");
      element.removeAttribute("aria-label");
    }
    shaded = [];
    current?.classList.remove("current");
    const selected = state.get().token;
    answerElements.forEach((element, index) => {
      element.classList.toggle("later", view !== null && index > view.token.index);
      if ((element.getAttribute("aria-selected") === "true") !== (index === selected)) {
        element.setAttribute("aria-selected", String(index === selected));
      }
      element.tabIndex = index === (selected ?? 0) ? 0 : -1;
    });
    if (view === null) {
      return;
    }

    current = answerElements[view.token.index];
    current.classList.add("current");
    for (const [index, value] of view.relevance) {
      const element = elements[index];
      const label = `relevance ${formatNumber(value)}`;
      element.style.setProperty("--relevance", value.toFixed(3));
      element.classList.add("shaded");
      element.title = label;
      if (element.getAttribute("role") === "option") {
        element.setAttribute("aria-label", `${spokenText(report.tokens.text[index])}, ${label}`);
      }
      shaded.push(element);
    }
  };
}

function tokenElement(text) {
  // Spaces before a word stay out of its shade, which would else hang over at the end of a line.
  const [, spaces, word] = /^( *)(.*)$/su.exec(visibleText(text));
  const element = create("span", "token", ...(word === "" ? [create("span", "word", spaces)] : [spaces, create("span", "word", word)]));
  if (text === "") {
    // The rest of a character that stands at an earlier token; a mark keeps it in reach.
    element.classList.add("rest");
    element.firstChild.textContent = "\u00B7";
  } else if (/^<\|.*\|>$/.test(text)) {
    element.classList.add("marker");
  }
  return element;
}

function chip(report, blockIndex, onChip) {
  const button = create("button", "chip", blockName(report, blockIndex));
  button.type = "button";
  button.addEventListener("click", () => onChip(blockIndex));
  return button;
}

function listen(container, state) {
  const tokenAt = (event) => {
    const element = event.target.closest?.(".selectable");
    return element ? Number(element.dataset.token) : null;
  };
  container.addEventListener("click", (event) => {
    const token = tokenAt(event);
    if (token !== null) {
      const again = token === state.get().token && state.get().candidate === null;
      state.change({ token: again ? null : token, candidate: null });
    }
  });
  container.addEventListener("pointerover", (event) => {
    const token = event.pointerType === "touch" ? null : tokenAt(event);
    if (token !== state.get().preview) {
      state.change({ preview: token });
    }
  });
  container.addEventListener("pointerleave", () => state.change({ preview: null }));
}

/** Moves the selection with the keyboard from anywhere but a form control: arrows, Home, End; Esc clears. */
export function listenToKeys(report, state) {
  addEventListener("keydown", (event) => {
    const { token } = state.get();
    const last = report.answer.length - 1;
    if (event.altKey || event.ctrlKey || event.metaKey || last < 0) {
      return;
    }
    if (event.key === "Escape") {
      state.change({ token: null, candidate: null, preview: null });
      return;
    }
    const inAnswer = event.target.matches?.(".selectable");
    if (!inAnswer && event.target !== document.body) {
      return;
    }
    const focused = inAnswer ? Number(event.target.dataset.token) : null;
    const target = {
      ArrowRight: token === null ? focused ?? 0 : Math.min(token + 1, last),
      ArrowLeft: token === null ? focused ?? last : Math.max(token - 1, 0),
      Home: 0,
      End: last,
      Enter: focused,
      " ": focused,
    }[event.key];
    if (target === undefined || target === null) {
      return;
    }
    event.preventDefault();
    state.change({ token: target, candidate: null, preview: null });
    document.querySelector(`.selectable[data-token="${target}"]`).focus();
  });
}
