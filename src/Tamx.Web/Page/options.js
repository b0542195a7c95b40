// How the answer is written and explained. Only what differs from the server's own defaults is sent.

import { create } from "./report/dom.js";

const STORE = "tamx-options";

/**
 * Builds the dialog.
 * @param config the server's /api/config
 * @param changed told how many options differ from the defaults
 * @returns {object} element; open(); request(): the parts of a request; system: the system message, or ""
 */
export function buildOptions({ defaults, limits }, changed) {
  const { sampling } = defaults;
  const profiles = Object.keys(defaults.profiles);
  const groups = [
    [
      "Answer",
      [
        number("maxTokens", "Longest answer", "tokens", defaults.maxTokens, 1, limits.maxAnswerTokens, 1),
        number(
          "candidates",
          "Candidates",
          "explained besides each token",
          defaults.candidates,
          0,
          limits.maxCandidates,
          1,
        ),
        number("temperature", "Temperature", "0 always takes the likeliest token", sampling.temperature, 0, 10, 0.05),
        number("topK", "Top-k", "0 for all", sampling.topK, 0, 100000, 1),
        number("topP", "Top-p", "", sampling.topP, 0, 1, 0.01),
        number("seed", "Seed", "", sampling.seed, 0, 4294967295, 1),
        text("system", "System message", "How the model should answer; empty for none"),
      ],
    ],
    [
      "Maps",
      [
        choice(
          "profile",
          "Method",
          "tamx: as the library TAMX; paper: as the paper's code; tuned: what measured best",
          profiles,
          defaults.options.profile,
          null,
        ),
        choice(
          "applyEci",
          "Causal inference",
          "subtract what the words before explain",
          ["on", "off"],
          null,
          onOff("applyEci"),
        ),
        choice(
          "applyFilter",
          "Rank filter",
          "smooths over neighbouring cells",
          ["on", "off"],
          null,
          onOff("applyFilter"),
        ),
        choice("kernelSize", "Filter window", "cells", ["1", "3", "5", "7", "9"], null, (profile) =>
          String(profile.kernelSize),
        ),
        choice("wordMaps", "A word's map", "from its tokens'", ["max", "mean"], null, (profile) => profile.wordMaps),
        choice("explainPrompt", "Prompt's words", "explain them too", ["on", "off"], null, onOff("explainPrompt")),
      ],
    ],
    [
      "Video",
      [
        number("fps", "Frames per second", "", defaults.fps, 0.01, 60, 0.01),
        number("maxFrames", "Most frames", "", limits.maxFrames, 1, limits.maxFrames, 1),
      ],
    ],
  ];
  const fields = Object.fromEntries(groups.flatMap(([, list]) => list).map((field) => [field.name, field]));
  const form = create(
    "form",
    {
      method: "dialog",
      class: "body",
      onsubmit: (event) => {
        event.preventDefault();
        element.close();
      },
    },
    ...groups.map(([name, list]) =>
      create(
        "fieldset",
        "",
        create("legend", "", name),
        create("div", "fields", ...list.map((field) => field.element)),
      ),
    ),
    create(
      "div",
      "buttons",
      create(
        "button",
        {
          type: "button",
          class: "quiet",
          onclick: () => {
            Object.values(fields).forEach((field) => field.set(null));
            refresh();
          },
        },
        "Back to the defaults",
      ),
      create("button", { type: "submit", class: "primary" }, "Done"),
    ),
  );
  const element = create(
    "dialog",
    { class: "options", "aria-label": "Options" },
    create(
      "div",
      "heading",
      create("h2", "", "Options"),
      create(
        "button",
        { type: "button", class: "close", "aria-label": "Close", onclick: () => element.close() },
        "\u00D7",
      ),
    ),
    form,
  );
  // What cannot be is not kept: the dialog closes only with values that can be sent.
  element.addEventListener("cancel", (event) => form.reportValidity() || event.preventDefault());
  element.addEventListener("click", (event) => event.target === element && form.reportValidity() && element.close());
  form.addEventListener("input", refresh);
  restore();
  refresh();

  function refresh() {
    const profile = defaults.profiles[fields.profile.value] ?? defaults.options;
    Object.values(fields).forEach((field) => field.follow?.(profile));
    const own = Object.values(fields).filter((field) => field.isOwn);
    sessionStorage.setItem(STORE, JSON.stringify(Object.fromEntries(own.map((field) => [field.name, field.value]))));
    changed(own.length);
  }

  function restore() {
    try {
      Object.entries(JSON.parse(sessionStorage.getItem(STORE) ?? "{}")).forEach(([name, value]) =>
        fields[name]?.set(value),
      );
    } catch {
      sessionStorage.removeItem(STORE);
    }
  }

  const own = (names, value) =>
    Object.fromEntries(
      names
        .map((name) => fields[name])
        .filter((field) => field.isOwn && field.isValid)
        .map((field) => [field.name, value(field)]),
    );

  return {
    element,
    open() {
      element.showModal();
    },
    get system() {
      return fields.system.value.trim();
    },
    request() {
      const numbers = own(["maxTokens", "candidates", "fps", "maxFrames"], (field) => Number(field.value));
      const sampled = own(["temperature", "topK", "topP", "seed"], (field) => Number(field.value));
      const options = own(
        ["profile", "applyEci", "applyFilter", "kernelSize", "wordMaps", "explainPrompt"],
        ({ value }) =>
          value === "on" || value === "off" ? value === "on" : /^\d+$/.test(value) ? Number(value) : value,
      );
      return {
        ...numbers,
        ...(Object.keys(sampled).length > 0 ? { sampling: sampled } : {}),
        ...(Object.keys(options).length > 0 ? { options } : {}),
      };
    },
  };
}

function number(name, label, note, normal, min, max, step) {
  const input = create("input", {
    type: "number",
    name,
    value: String(normal),
    min: String(min),
    max: String(max),
    step: step < 1 ? "any" : String(step),
    required: true,
    inputmode: "decimal",
  });
  return {
    name,
    element: field(label, note, input),
    get value() {
      return input.value;
    },
    get isOwn() {
      return Number(input.value) !== Number(normal);
    },
    get isValid() {
      return input.validity.valid;
    },
    set: (value) => (input.value = value ?? normal),
  };
}

function text(name, label, note) {
  const input = create("textarea", { name, rows: "2" });
  const element = field(label, note, input);
  element.classList.add("wide");
  return {
    name,
    element,
    isValid: true,
    get value() {
      return input.value;
    },
    get isOwn() {
      return input.value.trim() !== "";
    },
    set: (value) => (input.value = value ?? ""),
  };
}

// A choice without a normal value of its own follows the profile until it is made.
function choice(name, label, note, values, normal, ofProfile) {
  const following = create("option");
  following.value = "";
  const select = create(
    "select",
    { name },
    ...(ofProfile ? [following] : []),
    ...values.map((value) => create("option", { value }, value)),
  );
  select.value = normal ?? "";
  return {
    name,
    element: field(label, note, select),
    isValid: true,
    get value() {
      return select.value;
    },
    get isOwn() {
      return select.value !== (normal ?? "");
    },
    set: (value) => (select.value = value ?? normal ?? ""),
    follow: ofProfile && ((profile) => (following.textContent = `as the method (${ofProfile(profile)})`)),
  };
}

function onOff(name) {
  return (profile) => (profile[name] ? "on" : "off");
}

function field(label, note, input) {
  return create("label", "option", create("span", "option-name", label), input, create("span", "option-note", note));
}
