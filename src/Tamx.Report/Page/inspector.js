// The selected token and the step's other candidates.

import { create, formatNumber, formatPercent, oneLineText, spokenText } from "./text.js";

/** Returns what shows a selection; choosing a candidate changes the state. */
export function buildInspector(container, report, state) {
  let shownToken;
  let inputs = [];
  return function show(view) {
    const token = view?.token ?? null;
    if (token !== shownToken) {
      shownToken = token;
      inputs = [];
      container.classList.toggle("idle", token === null);
      container.replaceChildren(...(token === null ? hint(report) : card(container, report, token, state, inputs)));
    }
    for (const { input, choice } of inputs) {
      input.checked = choice.explained === view.explainedIndex;
    }
  };
}

function hint(report) {
  if (report.answer.length === 0) {
    return [];
  }
  const keys = create("p", "keys");
  keys.append(key("\u2190"), " ", key("\u2192"), " step through the answer, ", key("Esc"), " clears.");
  return [create("p", "", "Point at a word of the answer to see where in the picture it came from; click to keep it."), keys];
}

function key(name) {
  return create("kbd", "", name);
}

function card(container, report, token, state, inputs) {
  const heading = create(
    "h2",
    "",
    tokenText(token.explained[0]),
    create("span", "place", `token ${token.index + 1} of ${report.answer.length}`),
  );
  const choices = choicesOf(token);
  const hasProbabilities = token.explained.some((one) => one.probability !== null);
  const [barName, bar] = barOf(choices.map((choice) => token.explained[choice.explained]));
  const list = create("div", "candidates");
  list.setAttribute("role", "radiogroup");
  container.classList.toggle("without-probabilities", !hasProbabilities);
  list.setAttribute("aria-label", "Candidates of this step");
  for (const choice of choices) {
    const explained = token.explained[choice.explained];
    const input = create("input");
    input.type = "radio";
    input.name = "candidate";
    input.addEventListener("change", () => state.change({ token: token.index, candidate: choice.rank, preview: null }));
    const fill = create("span", "fill");
    fill.style.inlineSize = `${100 * bar(explained)}%`;
    const track = create("span", "bar", fill);
    track.title = barName;
    const row = create(
      "label",
      "candidate",
      input,
      create("span", "rank", choice.rank === null ? "\u2013" : String(choice.rank + 1)),
      tokenText(explained),
      track,
      ...(hasProbabilities ? [number("probability", explained.probability, formatPercent)] : []),
      number("logit", explained.logit, (value) => value.toFixed(2)),
    );
    if (choice.explained === 0) {
      row.classList.add("written");
      row.title = "the token that the answer holds";
    }
    input.setAttribute("aria-label", spokenLabel(explained, choice));
    list.append(row);
    inputs.push({ input, choice });
  }
  const head = create(
    "div",
    "candidate head",
    create("span"),
    create("span", "rank", "#"),
    create("span", "", "Candidate"),
    create("span"),
    ...(hasProbabilities ? [create("span", "number", "prob.")] : []),
    create("span", "number", "logit"),
  );
  head.setAttribute("aria-hidden", "true");
  return [heading, head, list];
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

function tokenText(explained) {
  const element = create("bdi", "token-text", oneLineText(explained.text));
  element.title = `token id ${explained.id}`;
  return element;
}

function number(name, value, format) {
  const element = create("span", "number", value === null ? "\u2013" : format(value));
  element.title = value === null ? `${name} not recorded` : `${name} ${formatNumber(value)}`;
  return element;
}

function spokenLabel(explained, choice) {
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
