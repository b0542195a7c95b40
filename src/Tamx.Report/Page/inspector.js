// The card of what is selected: a token with its candidates, a span, a part of the prompt, or a region that was looked up.

import { agreementOf } from "./compare.js";
import { create, segments } from "./dom.js";
import { formatNumber, formatPercent, oneLineText, spokenText } from "./text.js";

const MOST_SOURCES = 8;
const MOST_FOUND = 40;

/**
 * Builds the card.
 * @param actions { candidate(rank), direction(value), rank(value), select(selection), preview(selection or null), clearRegion() }
 */
export function buildInspector(runs, actions) {
  const { report } = runs;
  const element = create("section", { class: "inspector idle", "aria-label": "Selection" });
  let shown = null;
  let card = null;

  return {
    element,
    show(view, state) {
      const key = keyOf(view, state);
      if (key !== shown) {
        shown = key;
        card = cardOf(runs, view, state, actions);
        element.classList.toggle("idle", view.found === null && view.selection === null && !runs.other);
        element.replaceChildren(...card.elements);
      }
      card.show?.(view, state);
    },
  };
}

// A card is made anew only for something else; what changes within it keeps its place and the focus.
function keyOf(view, state) {
  return JSON.stringify(view.found === null ? view.selection : [state.region, state.rank, state.unit, state.selection]);
}

function cardOf(runs, view, state, actions) {
  if (view.found !== null) {
    return { elements: regionCard(runs, view, state, actions) };
  }
  if (view.selection === null) {
    return { elements: runs.other ? leastAgreement(runs, actions) : hint(runs.report) };
  }
  return view.selection.kind === "answer" ? answerCard(runs, view, actions) : textCard(runs, view, actions);
}

function hint(report) {
  if (report.answer.length === 0) {
    return [];
  }
  return [
    create(
      "p",
      "",
      "Point at a word of the answer to see where in the picture it came from; click to keep it, drag over several.",
    ),
    create(
      "p",
      "",
      "Click or draw on the picture to find the words that came from there. Click a word of the question to see what it led to.",
    ),
    create(
      "p",
      "keys",
      key("\u2190"),
      key("\u2192"),
      " step, ",
      key("Shift"),
      " extends, ",
      key("\u2191"),
      key("\u2193"),
      " candidates, ",
      key("Esc"),
      " clears",
    ),
  ];
}

function key(name) {
  return create("kbd", "", name);
}

function answerCard(runs, view, actions) {
  const { report } = runs;
  const { from, to } = view.selection;
  const place = create("span", "place");
  const heading = create("h2", "", tokenText(report.answerText(view.selection)), place);
  const candidates = view.token === null ? spanNote(report, view.selection) : candidateList(view.token, actions);
  const sources = relevanceList(report, "answer", actions);
  return {
    elements: [heading, ...agreement(runs, view), create("div", "columns", candidates.element, sources.element)],
    show(now, state) {
      const count = report.answer.length;
      place.textContent =
        from === to ? `token ${from + 1} of ${count}` : `tokens ${from + 1}\u2013${to + 1} of ${count}`;
      candidates.show?.(now);
      sources.show(now, state);
    },
  };
}

function spanNote(report, { from, to }) {
  const joined = report.method.wordMaps === "mean" ? "mean" : "highest";
  return {
    element: create(
      "div",
      "part",
      create("h3", "", "Span"),
      create("p", "small", `Each cell shows the ${joined} value over the ${to - from + 1} tokens.`),
    ),
  };
}

function agreement(runs, { token }) {
  if (!runs.other || token === null) {
    return [];
  }
  const { correlation, iou } = agreementOf(runs, token.index);
  const fact = (name, value, title) =>
    create("span", { title }, `${name} `, create("b", "", value === null ? "\u2013" : value.toFixed(3)));
  return [
    create(
      "p",
      "agreement",
      fact("Correlation", correlation, "Pearson correlation of the two maps' cells"),
      fact("IoU", iou, "Intersection over union of the two maps' regions above Otsu's threshold"),
    ),
  ];
}

// Where two runs agree least: the first thing that somebody who compares wants to see.
function leastAgreement(runs, actions) {
  const { report } = runs;
  const entries = report.answer
    .map(({ index }) => ({ index, ...agreementOf(runs, index) }))
    .filter((one) => one.correlation !== null)
    .sort((a, b) => a.correlation - b.correlation)
    .slice(0, MOST_SOURCES);
  const rows = entries.map(({ index, correlation, iou }) =>
    create(
      "button",
      { type: "button", class: "row", onclick: () => actions.select({ kind: "answer", index }) },
      tokenText(report.answerText({ from: index, to: index })),
      barElement(Math.max(0, correlation)),
      number("correlation", correlation, (value) => value.toFixed(3)),
      number("intersection over union", iou, (value) => value.toFixed(3)),
    ),
  );
  const names = create("h3", "", "Token", create("span", "number", "correl."), create("span", "number", "IoU"));
  return [
    create("h2", "", "Where the runs agree least"),
    create("div", "part differing", names, create("div", "rows", ...rows)),
  ];
}

function textCard({ report }, view, actions) {
  const heading = create(
    "h2",
    "",
    tokenText(report.textOf(view.selection)),
    create("span", "place", "before the answer"),
  );
  const sources = relevanceList(report, "text", actions);
  return { elements: [heading, create("div", "columns", sources.element)], show: sources.show };
}

function candidateList(token, actions) {
  const inputs = [];
  const choices = choicesOf(token);
  const hasProbabilities = token.explained.some((one) => one.probability !== null);
  const [barName, bar] = barOf(choices.map((choice) => token.explained[choice.explained]));
  const list = create("div", { class: "rows", role: "radiogroup", "aria-label": "Candidates of this step" });
  for (const choice of choices) {
    const explained = token.explained[choice.explained];
    const input = create("input", {
      type: "radio",
      name: "candidate",
      "aria-label": candidateLabel(explained, choice),
      onchange: () => actions.candidate(choice.rank),
    });
    inputs.push({ input, explained: choice.explained });
    list.append(
      create(
        "label",
        {
          class: choice.explained === 0 ? "row written" : "row",
          title: choice.explained === 0 ? "the token that the answer holds" : null,
        },
        input,
        create("span", "rank", choice.rank === null ? "\u2013" : String(choice.rank + 1)),
        tokenText(explained.text, `token id ${explained.id}`),
        barElement(bar(explained), barName),
        ...(hasProbabilities ? [number("probability", explained.probability, formatPercent)] : []),
        number("logit", explained.logit, (value) => value.toFixed(2)),
      ),
    );
  }
  const names = create(
    "h3",
    { "aria-hidden": "true" },
    "Candidates",
    ...(hasProbabilities ? [create("span", "number", "prob.")] : []),
    create("span", "number", "logit"),
  );
  return {
    element: create("div", hasProbabilities ? "part candidates" : "part candidates without-probabilities", names, list),
    show: (view) => inputs.forEach(({ input, explained }) => (input.checked = explained === view.explainedIndex)),
  };
}

function relevanceList(report, kind, actions) {
  const direction = segments(
    "direction",
    "Text relevance",
    [
      { value: "from", text: "came from", title: "The text before that was relevant for this token" },
      { value: "to", text: "led to", title: "The later tokens for which this token was relevant" },
    ],
    actions.direction,
  );
  const title = kind === "text" ? create("h3", "", "Led to") : create("h3", "", "Text", direction.element);
  const list = create("div", "rows");
  return {
    element: create("div", "part sources", title, list),
    show(view, state) {
      direction.show(state.direction);
      const entries = [...view.shade.values]
        .filter(([, value]) => value > 0)
        .sort((a, b) => b[1] - a[1])
        .slice(0, MOST_SOURCES);
      const none = view.shade.kind === "to" ? "No later token depends on it." : "No text before it was relevant.";
      const rows = entries.map(([token, value]) => sourceRow(report, token, value, view.shade.highest, actions));
      list.replaceChildren(...(rows.length === 0 ? [create("p", "small", none)] : rows));
    },
  };
}

function sourceRow(report, token, value, highest, actions) {
  const index = report.answerIndex(token);
  const selection = index === undefined ? { kind: "text", index: token } : { kind: "answer", index };
  return create(
    "button",
    { type: "button", class: "row", onclick: () => actions.select(selection) },
    tokenText(report.tokens.text[token]),
    barElement(value / highest),
    number("relevance", value, (number) => number.toFixed(2)),
  );
}

function regionCard({ report }, view, state, actions) {
  const { media, top, left, bottom, right } = state.region;
  const lines = (name, from, to) => (from === to ? `${name} ${from + 1}` : `${name}s ${from + 1}\u2013${to + 1}`);
  const close = create(
    "button",
    { type: "button", class: "close", "aria-label": "Clear the region", onclick: actions.clearRegion },
    "\u00D7",
  );
  const rank = segments(
    "rank",
    "Order",
    [
      { value: "share", text: "by share", title: "The part of the token's activation that lies in the region" },
      { value: "strength", text: "by strength", title: "The mean raw activation in the region" },
    ],
    actions.rank,
  );
  rank.show(state.rank);
  const heading = create(
    "h2",
    "",
    create("span", "", "What came from here"),
    create(
      "span",
      "place",
      `${report.media[media].name}, ${lines("row", top, bottom)}, ${lines("column", left, right)}`,
    ),
    close,
  );
  const { ranking } = view.found;
  const highest = Math.max(ranking[0]?.[state.rank] ?? 0, 1e-12);
  const rows = ranking
    .slice(0, MOST_FOUND)
    .filter((one) => one[state.rank] > 0)
    .map((one) => {
      const isCurrent =
        state.selection?.kind === "answer" &&
        state.selection.from === one.span.from &&
        state.selection.to === one.span.to;
      return create(
        "button",
        {
          type: "button",
          class: "row",
          "aria-pressed": String(isCurrent),
          onclick: () => actions.select({ kind: "answer", index: one.span.from }),
          onpointerenter: () => actions.preview({ kind: "answer", index: one.span.from }),
          onpointerleave: () => actions.preview(null),
        },
        tokenText(report.answerText(one.span)),
        barElement(one[state.rank] / highest),
        number("share of its activation", one.share, formatPercent),
        number("mean activation in the region", one.strength, formatNumber),
      );
    });
  const names = create("h3", "", rank.element, create("span", "number", "share"), create("span", "number", "strength"));
  return [
    heading,
    create(
      "div",
      "part found",
      names,
      rows.length === 0 ? create("p", "small", "No token was active here.") : create("div", "rows", ...rows),
    ),
  ];
}

// Ranked candidates, and the answer's token before them where sampling took it from further down.
function choicesOf(token) {
  const ranked = token.candidates.map((explained, rank) => ({ explained, rank }));
  return token.candidates.includes(0) ? ranked : [{ explained: 0, rank: null }, ...ranked];
}

// Bars show probabilities; without them, the softmax over the logits of the listed tokens alone, which is in the right order.
function barOf(listed) {
  if (listed.every((one) => one.probability !== null)) {
    return ["probability", (one) => one.probability];
  }
  const logits = listed.map((one) => one.logit ?? -Infinity);
  const highest = Math.max(...logits);
  if (highest === -Infinity) {
    return ["no logit recorded", () => 0];
  }
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - highest), 0);
  return ["share among the candidates listed here", (one) => Math.exp((one.logit ?? -Infinity) - highest) / sum];
}

function barElement(part, title) {
  const fill = create("span", "fill");
  fill.style.inlineSize = `${100 * part}%`;
  return create("span", { class: "bar", title: title ?? null }, fill);
}

function tokenText(text, title) {
  return create(
    "bdi",
    { class: "token-text", title: title ?? null },
    text.trim() === "" ? spokenText(text) : oneLineText(text),
  );
}

function number(name, value, format) {
  const title = value === null ? `${name} not recorded` : `${name} ${formatNumber(value)}`;
  return create("span", { class: "number", title }, value === null ? "\u2013" : format(value));
}

function candidateLabel(explained, choice) {
  const parts = [spokenText(explained.text)];
  if (choice.explained === 0) {
    parts.push("the answer's token");
  }
  if (explained.probability !== null) {
    parts.push(`probability ${formatPercent(explained.probability)}`);
  }
  if (explained.logit !== null) {
    parts.push(`logit ${explained.logit.toFixed(2)}`);
  }
  return parts.join(", ");
}
