// How the answer is written and explained. Only what differs from the server's own defaults is sent.

import { create, dialogHeading } from "./report/dom.js";

/** @import { Config, Option, Profile } from "./types.js" */

const STORE = "tamx-options";
const KINDS = ["tam", "lens", "evidence", "joint"];
const MAP_OPTIONS = [
  "method",
  "layer",
  "profile",
  "applyEci",
  "applyFilter",
  "kernelSize",
  "wordMaps",
  "explainPrompt",
];
const METHOD_NOTE = "tamx: like the TAMX library; paper: like the paper's code; tuned: what measured best";

/**
 * Builds the dialog.
 * @param {Config} config
 * @param {(count: number) => void} changed is told how many options differ from the server's
 */
export function buildOptions({ defaults, limits }, changed) {
  const { sampling } = defaults;
  const whole = { step: "1" };
  const fraction = { step: "any" };
  const onOff = ["on", "off"];
  const windows = ["1", "3", "5", "7", "9"];
  const system = text("system", "System message", "How the model should answer. Empty for none");
  const profile = choice("profile", "Method", METHOD_NOTE, Object.keys(defaults.profiles), defaults.options.profile);
  /** @type {[name: string, options: Option[]][]} */
  const groups = [
    [
      "Answer",
      [
        number("maxTokens", "Longest answer", "tokens", defaults.maxTokens, {
          ...whole,
          min: 1,
          max: limits.maxAnswerTokens,
        }),
        number("candidates", "Candidates", "explained along with each token", defaults.candidates, {
          ...whole,
          min: 0,
          max: limits.maxCandidates,
        }),
        number("temperature", "Temperature", "0 always takes the likeliest token", sampling.temperature, {
          ...fraction,
          min: 0,
          max: 10,
        }),
        number("topK", "Top-k", "0 for all", sampling.topK, { ...whole, min: 0, max: 100000 }),
        number("topP", "Top-p", "", sampling.topP, { ...fraction, min: 0, max: 1 }),
        number("seed", "Seed", "", sampling.seed, { ...whole, min: 0, max: 4294967295 }),
        system,
      ],
    ],
    [
      "Maps",
      [
        following("method", "Kind of map", "what a cell's brightness means", KINDS, () => "as calibrated, else tam"),
        number("layer", "Layer", "counted from 0; lens and joint need one", null, { ...whole, min: 0, max: 1000 }),
        profile,
        ofMethod("applyEci", "Causal inference", "subtracts what earlier words explain", onOff),
        ofMethod("applyFilter", "Rank filter", "smooths over neighbouring cells", onOff),
        ofMethod("kernelSize", "Filter window", "cells", windows),
        ofMethod("wordMaps", "A word's map", "from its tokens'", ["max", "mean"]),
        ofMethod("explainPrompt", "Prompt's words", "explains them too", onOff),
      ],
    ],
    [
      "Trust",
      [choice("verdicts", "Verdicts", "reads the answer once more, with a neutral picture in its place", onOff, "off")],
    ],
    [
      "Video",
      [
        number("fps", "Frames per second", "", defaults.fps, { ...fraction, min: 0.01, max: 60 }),
        number("maxFrames", "Most frames", "", limits.maxFrames, { ...whole, min: 1, max: limits.maxFrames }),
      ],
    ],
  ];
  const options = groups.flatMap(([, list]) => list);
  const element = create("dialog", { class: "options", "aria-label": "Options" });
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
        create("div", "fields", ...list.map((option) => option.element)),
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
            options.forEach((option) => option.set(null));
            refresh();
          },
        },
        "Back to the defaults",
      ),
      create("button", { type: "submit", class: "primary" }, "Done"),
    ),
  );
  element.append(
    dialogHeading("Options", () => element.close()),
    form,
  );
  // The dialog closes only with values that can be sent.
  element.addEventListener("cancel", (event) => form.reportValidity() || event.preventDefault());
  element.addEventListener("click", (event) => event.target === element && form.reportValidity() && element.close());
  form.addEventListener("input", refresh);
  restore();
  refresh();

  function refresh() {
    const method = defaults.profiles[profile.value] ?? defaults.options;
    options.forEach((option) => option.follow?.(method));
    const changedOnes = options.filter((option) => option.isOwn).map(({ name, value }) => [name, value]);
    sessionStorage.setItem(STORE, JSON.stringify(Object.fromEntries(changedOnes)));
    changed(changedOnes.length);
  }

  function restore() {
    try {
      const stored = JSON.parse(sessionStorage.getItem(STORE) ?? "{}");
      for (const option of options.filter(({ name }) => Object.hasOwn(stored, name))) {
        option.set(stored[option.name]);
      }
    } catch {
      sessionStorage.removeItem(STORE);
    }
  }

  /**
   * The values that differ from the server's, by name.
   * @param {string[]} names
   * @param {(value: string) => unknown} valueOf
   */
  const own = (names, valueOf) =>
    Object.fromEntries(
      options
        .filter(({ name, isOwn, isValid }) => names.includes(name) && isOwn && isValid)
        .map(({ name, value }) => [name, valueOf(value)]),
    );

  return {
    element,
    open() {
      element.showModal();
    },
    get system() {
      return system.value.trim();
    },
    /** The parts of a request that the options make; only what differs from the server's is sent. */
    request() {
      const sampled = own(["temperature", "topK", "topP", "seed"], Number);
      const method = own(MAP_OPTIONS, (value) =>
        value === "on" || value === "off" ? value === "on" : /^\d+$/.test(value) ? Number(value) : value,
      );
      return {
        ...own(["maxTokens", "candidates", "fps", "maxFrames"], Number),
        ...own(["verdicts"], (value) => value === "on"),
        ...(Object.keys(sampled).length > 0 ? { sampling: sampled } : {}),
        ...(Object.keys(method).length > 0 ? { options: method } : {}),
      };
    },
  };
}

/**
 * @param {string} name
 * @param {string} label
 * @param {string} note
 * @param {number | null} normal null where nothing is said unless a value is given
 * @param {{ min: number, max: number, step: string }} range
 * @returns {Option}
 */
function number(name, label, note, normal, range) {
  const value = String(normal ?? "");
  const required = normal !== null;
  const input = create("input", { type: "number", name, value, ...range, required, inputmode: "decimal" });
  return {
    name,
    element: labelled(label, note, input),
    get value() {
      return input.value;
    },
    get isOwn() {
      return input.value === "" ? required : Number(input.value) !== normal;
    },
    get isValid() {
      return input.validity.valid;
    },
    set: (own) => (input.value = own ?? value),
  };
}

/**
 * @param {string} name
 * @param {string} label
 * @param {string} note
 * @returns {Option}
 */
function text(name, label, note) {
  const input = create("textarea", { name, rows: "2" });
  const element = labelled(label, note, input);
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
    set: (own) => (input.value = own ?? ""),
  };
}

/**
 * @param {string} name
 * @param {string} label
 * @param {string} note
 * @param {string[]} values
 * @param {string} normal
 * @param {HTMLElement[]} before further choices, which stand first
 * @returns {Option}
 */
function choice(name, label, note, values, normal, before = []) {
  const choices = values.map((value) => create("option", { value }, value));
  const select = create("select", { name }, ...before, ...choices);
  select.value = normal;
  return {
    name,
    element: labelled(label, note, select),
    isValid: true,
    get value() {
      return select.value;
    },
    get isOwn() {
      return select.value !== normal;
    },
    set: (own) => (select.value = own ?? normal),
  };
}

/**
 * A choice that follows the method until it is made.
 * @param {Exclude<keyof Profile, "profile">} name
 * @param {string} label
 * @param {string} note
 * @param {string[]} values
 * @returns {Option}
 */
function ofMethod(name, label, note, values) {
  return following(name, label, note, values, (profile) => {
    const value = profile[name];
    return `as the method (${typeof value === "boolean" ? (value ? "on" : "off") : value})`;
  });
}

/**
 * A choice that something else makes until it is made here.
 * @param {string} name
 * @param {string} label
 * @param {string} note
 * @param {string[]} values
 * @param {(profile: Profile) => string} textOf says what is chosen then
 */
function following(name, label, note, values, textOf) {
  const unmade = create("option");
  unmade.value = "";
  const option = choice(name, label, note, values, "", [unmade]);
  option.follow = (profile) => (unmade.textContent = textOf(profile));
  return option;
}

/**
 * @param {string} label
 * @param {string} note
 * @param {HTMLElement} input
 */
function labelled(label, note, input) {
  return create("label", "option", create("span", "option-name", label), input, create("span", "option-note", note));
}
