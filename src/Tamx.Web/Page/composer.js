// Where a question is written: pictures, text, an answer to explain instead of one that is written, options.

import { ACCEPTED, buildAttachments } from "./attachments.js";
import { defaultQuestion } from "./conversation.js";
import { icon } from "./icons.js";
import { buildOptions } from "./options.js";
import { create } from "./report/dom.js";

/** @import { Config, Conversation, Draft } from "./types.js" */

const DRAFT = "tamx-draft";

/**
 * Builds the composer.
 * @param {Config} config
 * @param {{ ask: (draft: Draft) => void, json: () => void }} actions
 */
export function buildComposer(config, actions) {
  const { limits, model } = config;
  const attachments = buildAttachments(
    { limits, seesPictures: model?.seesPictures ?? true, readsVideos: model?.readsVideoFiles ?? true },
    () => refresh(),
  );
  /** @type {HTMLInputElement} */
  const input = create("input", {
    type: "file",
    accept: ACCEPTED,
    multiple: true,
    hidden: true,
    onchange: () => {
      add([...(input.files ?? [])]);
      input.value = "";
    },
  });
  const question = create("textarea", {
    name: "question",
    rows: "1",
    maxlength: String(limits.maxTextCharacters),
    "aria-label": "Question",
    enterkeyhint: "send",
  });
  const answer = create("textarea", {
    name: "answer",
    rows: "1",
    maxlength: String(limits.maxTextCharacters),
    placeholder: "The answer to explain",
  });
  const answerPart = create(
    "label",
    { class: "given", hidden: true },
    create("span", "", "Explain this answer"),
    answer,
  );
  const attach = create(
    "button",
    {
      type: "button",
      class: "tool",
      title: "Add pictures or a video. They can be dropped or pasted anywhere, too",
      onclick: () => input.click(),
    },
    icon("add"),
    create("span", "", "Picture or video"),
  );
  const given = create(
    "button",
    {
      type: "button",
      class: "tool",
      "aria-pressed": "false",
      title: "Explain an answer of yours instead of one that the model writes",
      onclick: () => setGiven(answerPart.hidden === true, true),
    },
    icon("answer"),
    create("span", "", "Given answer"),
  );
  const json = create(
    "button",
    {
      type: "button",
      class: "tool",
      title: "The conversation as JSON, to edit, paste and save",
      onclick: actions.json,
    },
    icon("json"),
    create("span", "", "JSON"),
  );
  const count = create("span", { class: "badge", hidden: true });
  const tune = create(
    "button",
    { type: "button", class: "tool", title: "Sampling, maps, video", onclick: () => options.open() },
    icon("tune"),
    create("span", "", "Options"),
    count,
  );
  const send = create(
    "button",
    { type: "submit", class: "send primary", title: "Ask (Enter)" },
    icon("send"),
    create("span", "", "Ask"),
  );
  const anew = create(
    "p",
    { class: "small anew", hidden: true },
    "A question starts anew: this answer\u2019s files are no longer at hand.",
  );
  const refusals = create("ul", { class: "refusals", role: "alert", hidden: true });
  const options = buildOptions(config, (own) => {
    count.hidden = own === 0;
    count.textContent = String(own);
    count.title = `${own} changed`;
  });
  const element = create(
    "form",
    {
      class: "composer",
      "aria-label": "Question",
      onsubmit: (event) => {
        event.preventDefault();
        submit();
      },
    },
    attachments.element,
    question,
    answerPart,
    refusals,
    anew,
    create("div", "tools", attach, given, tune, json, send),
    input,
  );
  let goesOn = false;

  for (const area of [question, answer]) {
    area.addEventListener("input", () => {
      fit(area);
      refresh();
    });
    area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        submit();
      }
    });
  }
  question.value = sessionStorage.getItem(DRAFT) ?? "";
  refresh();

  function submit() {
    if (send.disabled) {
      return;
    }
    actions.ask(draft());
  }

  /** @returns {Draft} */
  function draft() {
    return {
      text: question.value.trim(),
      answer: answerPart.hidden || answer.value.trim() === "" ? null : answer.value,
      files: attachments.files,
      system: options.system,
      request: options.request(),
      conversation: null,
    };
  }

  /**
   * @param {boolean} isGiven
   * @param {boolean} takesFocus
   */
  function setGiven(isGiven, takesFocus = false) {
    answerPart.hidden = !isGiven;
    given.setAttribute("aria-pressed", String(isGiven));
    if (isGiven) {
      fit(answer);
    }
    if (takesFocus) {
      (isGiven ? answer : question).focus();
    }
  }

  function refresh() {
    sessionStorage.setItem(DRAFT, question.value);
    send.disabled = question.value.trim() === "" && (goesOn || attachments.files.length === 0);
    question.placeholder = goesOn
      ? "Ask a follow-up\u2026"
      : attachments.files.length > 0
        ? defaultQuestion(attachments.files)
        : "Ask about a picture\u2026";
  }

  /** @param {File[]} files */
  async function add(files) {
    const wrong = await attachments.add(files);
    refusals.hidden = wrong.length === 0;
    refusals.replaceChildren(...wrong.map((message) => create("li", "", message)));
    question.focus();
  }

  return {
    element,
    options: options.element,
    add,
    draft,
    /**
     * A conversation with the question as it stands, and the given answer.
     * @param {Conversation} conversation
     */
    extend(conversation) {
      const now = draft();
      const asked = now.text === "" && now.files.length === 0 ? conversation : conversation.asking(now);
      return now.answer === null ? asked : asked.answered(now.answer);
    },
    /**
     * Fills in an example.
     * @param {File} file
     * @param {string} text
     */
    async fill(file, text) {
      attachments.clear();
      question.value = text;
      await add([file]);
      fit(question);
      refresh();
      send.focus();
    },
    /**
     * Says whether a conversation goes on, or could not.
     * @param {boolean} isOne
     * @param {boolean} startsAnew
     */
    followUp(isOne, startsAnew = false) {
      goesOn = isOne;
      anew.hidden = !startsAnew;
      element.classList.toggle("going-on", isOne);
      refresh();
    },
    /** Empties it once its question has been answered. */
    clear() {
      question.value = "";
      answer.value = "";
      setGiven(false);
      attachments.clear();
      refusals.hidden = true;
      fit(question);
      refresh();
    },
    focus: () => question.focus(),
  };
}

/**
 * Makes a field as high as its text, within the limits of the style sheet.
 * @param {HTMLTextAreaElement} area
 */
function fit(area) {
  area.style.blockSize = "auto";
  area.style.blockSize = `${area.scrollHeight + 2}px`;
}
