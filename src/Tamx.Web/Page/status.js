// How far an answer has come, with a button to stop it; or what went wrong, in words for people.

import { icon } from "./icons.js";
import { create } from "./report/dom.js";

/** @import { ApiError } from "./types.js" */

/** @type {Record<string, string>} */
const PHASES = {
  upload: "Uploading",
  queued: "Waiting",
  load: "Loading the model",
  image: "Looking at the pictures",
  prefill: "Reading the prompt",
  generate: "Writing",
  verdict: "Comparing with a neutral picture",
  report: "Writing the report",
};

/**
 * Builds the strip.
 * @param {() => void} stop is called by its button
 */
export function buildStatus(stop) {
  const name = create("span", { class: "phase", role: "status" });
  const note = create("span", "phase-note");
  const fill = create("span", "fill");
  const bar = create(
    "div",
    { class: "progress", role: "progressbar", "aria-label": "Progress", "aria-valuemin": "0", "aria-valuemax": "100" },
    fill,
  );
  const button = create(
    "button",
    { type: "button", class: "stop", onclick: stop },
    icon("stop"),
    create("span", "", "Stop"),
  );
  const element = create("div", { class: "status", hidden: true }, create("div", "line", name, note, button), bar);
  return {
    element,

    /**
     * @param {string} phase
     * @param {number | null} share how much of the phase is done, or null where that cannot be known
     * @param {string} text
     */
    show(phase, share, text = "") {
      element.hidden = false;
      button.disabled = phase === "report";
      if (name.textContent !== PHASES[phase]) {
        name.textContent = PHASES[phase];
      }
      note.textContent = text;
      bar.classList.toggle("indeterminate", share === null);
      fill.style.inlineSize = share === null ? "" : `${100 * Math.min(1, share)}%`;
      if (share === null) {
        bar.removeAttribute("aria-valuenow");
      } else {
        bar.setAttribute("aria-valuenow", String(Math.round(100 * share)));
      }
    },
    stopping() {
      button.disabled = true;
      name.textContent = "Stopping";
    },
    hide() {
      element.hidden = true;
      button.disabled = false;
    },
  };
}

/** @type {Record<string, [heading: string, more: string]>} */
const HEADINGS = {
  network: ["The server does not answer", "Is tamx serve still running there?"],
  queue_full: ["The server is busy", ""],
  model_died: ["The model broke off", "Its process is being started again; your question is still here."],
  model_unavailable: ["The model cannot be loaded", ""],
  model_failed: ["The model failed", ""],
  time_limit: ["That took too long", ""],
  body_timeout: ["The upload took too long", ""],
  stopped: ["Stopped before the first word", ""],
  wrong_api_key: ["The key is not right", ""],
  no_such_run: [
    "This answer is no longer there",
    "The server keeps only the last ones, and none whose page was left before its end.",
  ],
  internal_error: ["The server made a mistake", ""],
};
/** Codes of errors after which trying again may help. */
const OURS = [
  "network",
  "queue_full",
  "model_died",
  "model_unavailable",
  "internal_error",
  "time_limit",
  "body_timeout",
  "stopped",
  "model_failed",
];

/**
 * What went wrong, as a card.
 * @param {ApiError} error
 * @param {{ retry: (() => void) | null, close: () => void }} actions
 */
export function problemCard({ code, status, message, retryAfter }, { retry, close }) {
  const [heading, more] = HEADINGS[code] ?? [status === 413 ? "That is too large" : "This cannot be asked", ""];
  const again =
    retry === null || !OURS.includes(code)
      ? null
      : create("button", { type: "button", class: "primary", onclick: retry }, "Try again");
  if (again !== null && retryAfter !== null) {
    wait(again, Math.min(60, Math.ceil(retryAfter)));
  }
  return create(
    "div",
    { class: "problem", role: "alert" },
    create(
      "div",
      "",
      create("h2", "", heading),
      create("p", "", sentence(message)),
      ...(more ? [create("p", "", more)] : []),
    ),
    create(
      "div",
      "buttons",
      ...(again ? [again] : []),
      create("button", { type: "button", class: "quiet", onclick: close }, "Close"),
    ),
  );
}

/**
 * @param {HTMLButtonElement} button
 * @param {number} seconds
 */
function wait(button, seconds) {
  /** @param {number} left */
  const show = (left) => {
    button.disabled = left > 0;
    button.textContent = left > 0 ? `Try again in ${left} s` : "Try again";
    if (left > 0) {
      setTimeout(() => show(left - 1), 1000);
    }
  };
  show(seconds);
}

/**
 * A message as a sentence. A name at its start stays as it is.
 * @param {string} message
 */
export function sentence(message) {
  const text = message.trim();
  const start = /^[a-z]+ /.test(text) ? text[0].toUpperCase() + text.slice(1) : text;
  return start + (/[.!?)]$/.test(text) ? "" : ".");
}
