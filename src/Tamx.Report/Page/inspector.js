// The card of what is selected: a token with its candidates, a span, a part of the prompt, or a region that was looked
// up.

import { agreementOf, pairOf, summaryOf } from "./compare.js";
import { weaknessOf } from "./caption.js";
import { create, segments } from "./dom.js";
import { formatNumber, formatPercent, oneLineText, spokenText } from "./text.js";

/**
 * @import {
 *   Agreement, AnswerToken, Card, Choice, ComparedRuns, ExplainedToken, Finding, InspectorActions, Region, Report,
 *   Runs, Selection, Span, State, TokenPlace, View
 * } from "./types.js"
 */

const MOST_SOURCES = 8;
const MOST_FOUND = 40;

/**
 * Builds the card.
 * @param {Runs} runs
 * @param {InspectorActions} actions
 */
export function buildInspector(runs, actions) {
  const element = create("section", { class: "inspector idle", "aria-label": "Selection" });
  /** @type {string | null} */
  let shown = null;
  /** @type {Card} */
  let card = { elements: [] };

  return {
    element,
    /**
     * @param {View} view
     * @param {State} state
     */
    show(view, state) {
      const wanted = keyOf(view, state);
      if (wanted !== shown) {
        shown = wanted;
        card = cardOf(runs, view, state, actions);
        element.classList.toggle("idle", view.found === null && view.selection === null && runs.other === null);
        element.replaceChildren(...card.elements);
      }
      card.show?.(view, state);
    },
  };
}

/**
 * What a card is about. A new one is made only when that changes, so that a change within it keeps the focus.
 * @param {View} view
 * @param {State} state
 */
function keyOf(view, state) {
  const { region, rank, unit, selection, method } = state;
  return JSON.stringify(view.found === null ? view.selection : [region, rank, unit, selection, method]);
}

/**
 * @param {Runs} runs
 * @param {View} view
 * @param {State} state
 * @param {InspectorActions} actions
 * @returns {Card}
 */
function cardOf(runs, view, state, actions) {
  const { found, selection } = view;
  if (found !== null && state.region !== null) {
    return { elements: regionCard(runs.report, found.ranking, state.region, state, actions) };
  }
  if (selection === null) {
    return { elements: runs.other !== null ? leastAgreement(runs, actions) : hint(runs.report) };
  }
  return selection.kind === "answer"
    ? answerCard(runs, selection, view.token, actions)
    : textCard(runs.report, selection, actions);
}

/** @param {Report} report */
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
      "Click or draw on the picture to find the words that came from there. " +
        "Click a word of the question to see what it led to.",
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

/** @param {string} name */
function key(name) {
  return create("kbd", "", name);
}

/**
 * @param {Runs} runs
 * @param {Selection} selection
 * @param {AnswerToken | null} token where only one is selected
 * @param {InspectorActions} actions
 * @returns {Card}
 */
function answerCard(runs, selection, token, actions) {
  const { report } = runs;
  const { from, to } = selection;
  const place = create("span", "place");
  const heading = create("h2", "", tokenText(report.answerText(selection)), place);
  const weak = create("p", { class: "weak", hidden: true });
  const candidates = token === null ? spanNote(report, selection) : candidateList(runs, token, actions);
  const sources = relevanceList(report, "answer", actions);
  const columns = create("div", "columns", candidates.element, ...otherCandidates(runs, token), sources.element);
  return {
    elements: [heading, weak, ...agreement(runs, { from, to }), columns],
    /**
     * @param {View} now
     * @param {State} state
     */
    show(now, state) {
      const count = report.answer.length;
      place.textContent =
        from === to ? `token ${from + 1} of ${count}` : `tokens ${from + 1}\u2013${to + 1} of ${count}`;
      const [{ strength } = { strength: null }] = now.layers;
      weak.hidden = !report.isWeak(strength);
      weak.textContent = strength === null ? "" : `In the picture: ${weaknessOf(strength)}.`;
      candidates.show?.(now);
      sources.show(now, state);
    },
  };
}

/**
 * @param {Report} report
 * @param {Span} span
 * @returns {{ element: HTMLElement, show?: (view: View) => void }}
 */
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

/**
 * @param {Runs} runs
 * @param {Span} span
 */
function agreement(runs, span) {
  if (runs.other === null) {
    return [];
  }
  const { correlation, iou, difference } = agreementOf(runs, span);
  /** @type {(name: string, value: number | null, title: string) => HTMLElement} */
  const fact = (name, value, title) =>
    create("span", { title }, `${name} `, create("b", "", value === null ? "\u2013" : value.toFixed(3)));
  return [
    create(
      "p",
      "agreement",
      fact("Correlation", correlation, "Pearson correlation of the two maps' cells"),
      fact("IoU", iou, "Intersection over union of the two maps' regions above Otsu's threshold"),
      fact("Difference", difference, "Mean difference of the two maps' cells, each on its own scale from 0 to 1"),
    ),
  ];
}

/** @type {Record<string, (one: Agreement) => number>} */
const ORDERS = {
  correlation: ({ correlation }) => correlation ?? 1,
  iou: ({ iou }) => iou ?? 1,
  difference: ({ difference }) => -(difference ?? 0),
};

/**
 * What two runs come to, and where they agree least, which is the first thing to look at in a comparison.
 * @param {ComparedRuns} runs
 * @param {InspectorActions} actions
 */
function leastAgreement(runs, actions) {
  const { report } = runs;
  const words = report.words
    .map((span) => ({ span, ...agreementOf(runs, span) }))
    .filter(({ difference }) => difference !== null);
  const list = create("div", "rows");
  const order = segments(
    "order",
    "Order",
    [
      { value: "difference", text: "by difference", title: "The mean difference of the cells, the greatest first" },
      { value: "correlation", text: "by correlation", title: "Pearson's correlation of the cells, the least first" },
      { value: "iou", text: "by IoU", title: "Intersection over union of the regions, the least first" },
    ],
    (value) => show(value),
  );
  /** @param {"difference" | "correlation" | "iou"} chosen */
  function show(chosen) {
    order.show(chosen);
    const sorted = words.toSorted((a, b) => ORDERS[chosen](a) - ORDERS[chosen](b)).slice(0, MOST_FOUND);
    list.replaceChildren(
      ...sorted.map(({ span, correlation, iou, difference }) =>
        create(
          "button",
          { type: "button", class: "row", onclick: () => actions.span(span) },
          tokenText(report.answerText(span)),
          barElement(difference ?? 0),
          number("mean difference", difference, (value) => value.toFixed(3)),
          number("correlation", correlation, (value) => value.toFixed(3)),
          number("intersection over union", iou, (value) => value.toFixed(3)),
        ),
      ),
    );
  }
  show("difference");
  const names = create(
    "h3",
    "",
    "Word",
    ...["diff.", "correl.", "IoU"].map((name) => create("span", "number", name)),
  );
  return [
    create("h2", "", "Where the runs agree least"),
    create("p", "small", summaryOf(runs)),
    order.element,
    create("div", "part differing", names, list),
  ];
}

/**
 * What the second run would have written in a token's place.
 * @param {Runs} runs
 * @param {AnswerToken | null} token
 */
function otherCandidates(runs, token) {
  if (runs.other === null || token === null) {
    return [];
  }
  const pair = pairOf(runs.comparison, { from: token.index, to: token.index });
  if (pair === null || pair.from !== pair.to) {
    return [];
  }
  const other = runs.other.answer[pair.from];
  const choices = choicesOf(other);
  const [barName, bar] = barOf(choices.map((choice) => other.explained[choice.explained]));
  const rows = choices.map(({ explained, rank }) => {
    const one = other.explained[explained];
    return create(
      "div",
      explained === 0 ? "row written" : "row",
      create("span", "rank", rank === null ? "\u2013" : String(rank + 1)),
      tokenText(one.text, `token id ${one.id}`),
      barElement(bar(one), barName),
      number("probability", one.probability, formatPercent),
      number("logit", one.logit, (value) => value.toFixed(2)),
    );
  });
  const columns = ["prob.", "logit"].map((name) => create("span", "number", name));
  const names = create("h3", "", runs.comparison.names[1], ...columns);
  return [create("div", "part candidates others", names, create("div", "rows", ...rows))];
}

/**
 * @param {Report} report
 * @param {Selection} selection
 * @param {InspectorActions} actions
 * @returns {Card}
 */
function textCard(report, selection, actions) {
  const place = create("span", "place", "before the answer");
  const heading = create("h2", "", tokenText(report.textOf(selection)), place);
  const sources = relevanceList(report, "text", actions);
  return { elements: [heading, create("div", "columns", sources.element)], show: sources.show };
}

/**
 * @param {Runs} runs
 * @param {AnswerToken} token
 * @param {InspectorActions} actions
 */
function candidateList(runs, token, actions) {
  /** @type {{ input: HTMLInputElement, explained: number }[]} */
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
    runs.other === null ? "Candidates" : runs.comparison.names[0],
    ...(hasProbabilities ? [create("span", "number", "prob.")] : []),
    create("span", "number", "logit"),
  );
  return {
    element: create("div", hasProbabilities ? "part candidates" : "part candidates without-probabilities", names, list),
    /** @param {View} view */
    show: (view) => inputs.forEach(({ input, explained }) => (input.checked = explained === view.explainedIndex)),
  };
}

/**
 * @param {Report} report
 * @param {Selection["kind"]} kind
 * @param {InspectorActions} actions
 */
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
    /**
     * @param {View} view
     * @param {State} state
     */
    show(view, state) {
      direction.show(state.direction);
      const entries = [...view.shade.values]
        .filter(([, value]) => value > 0)
        .sort((a, b) => b[1] - a[1])
        .slice(0, MOST_SOURCES);
      const none = view.shade.kind === "to" ? "No later token depends on it." : "No text before it was relevant.";
      const rows = entries.map(([token, value]) => sourceRow(report, token, value, view.shade.highest, actions));
      const { strength } = view.shade;
      const isWeak = rows.length > 0 && report.isWeak(strength);
      list.replaceChildren(
        ...(rows.length === 0 ? [create("p", "small", none)] : rows),
        ...(isWeak ? [create("p", "weak", `Weak: ${formatPercent(strength)} of the strongest.`)] : []),
      );
    },
  };
}

/**
 * @param {Report} report
 * @param {number} token
 * @param {number} value
 * @param {number} highest
 * @param {InspectorActions} actions
 */
function sourceRow(report, token, value, highest, actions) {
  const index = report.answerIndex(token);
  /** @type {TokenPlace} */
  const selection = index === undefined ? { kind: "text", index: token } : { kind: "answer", index };
  return create(
    "button",
    { type: "button", class: "row", onclick: () => actions.select(selection) },
    tokenText(report.tokens.text[token]),
    barElement(value / highest),
    number("relevance", value, (relevance) => relevance.toFixed(2)),
  );
}

/**
 * @param {Report} report
 * @param {Finding[]} ranking
 * @param {Region} region
 * @param {State} state
 * @param {InspectorActions} actions
 */
function regionCard(report, ranking, { media, top, left, bottom, right }, state, actions) {
  /** @type {(name: string, from: number, to: number) => string} */
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
        ...(report.isWeak(one.whole) ? [create("span", "weak", "weak")] : []),
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

/**
 * The candidates by rank. The answer's token stands before them if sampling took it from further down.
 * @param {AnswerToken} token
 * @returns {Choice[]}
 */
function choicesOf(token) {
  const ranked = token.candidates.map((explained, rank) => ({ explained, rank }));
  return token.candidates.includes(0) ? ranked : [{ explained: 0, rank: null }, ...ranked];
}

/**
 * What the bars show: probabilities. Where these are missing, it is the softmax over the logits of the listed tokens
 * alone, which keeps their order.
 * @param {ExplainedToken[]} listed
 * @returns {[name: string, part: (one: ExplainedToken) => number]}
 */
function barOf(listed) {
  if (listed.every((one) => one.probability !== null)) {
    return ["probability", (one) => one.probability ?? 0];
  }
  const logits = listed.map((one) => one.logit ?? -Infinity);
  const highest = Math.max(...logits);
  if (highest === -Infinity) {
    return ["no logit recorded", () => 0];
  }
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - highest), 0);
  return ["share among the candidates listed here", (one) => Math.exp((one.logit ?? -Infinity) - highest) / sum];
}

/**
 * @param {number} part
 * @param {string} [title]
 */
function barElement(part, title) {
  const fill = create("span", "fill");
  fill.style.inlineSize = `${100 * part}%`;
  return create("span", { class: "bar", title: title ?? null }, fill);
}

/**
 * @param {string} text
 * @param {string} [title]
 */
function tokenText(text, title) {
  return create(
    "bdi",
    { class: "token-text", title: title ?? null },
    text.trim() === "" ? spokenText(text) : oneLineText(text),
  );
}

/**
 * @param {string} name
 * @param {number | null} value
 * @param {(value: number) => string} format
 */
function number(name, value, format) {
  const title = value === null ? `${name} not recorded` : `${name} ${formatNumber(value)}`;
  return create("span", { class: "number", title }, value === null ? "\u2013" : format(value));
}

/**
 * @param {ExplainedToken} explained
 * @param {Choice} choice
 */
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
