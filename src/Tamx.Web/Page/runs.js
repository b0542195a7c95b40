// The answers that the server still has.

import { deleteRun, getRuns } from "./api.js";
import { create } from "./report/dom.js";
import { icon } from "./icons.js";

/** Builds the dialog; open(run) is called with the id of the one that is chosen. Returns element, show(), and list(count): the newest, as elements. */
export function buildRuns(open, failed) {
  const body = create("div", "body");
  const element = create(
    "dialog",
    { class: "runs", "aria-label": "Answers so far" },
    create(
      "div",
      "heading",
      create("h2", "", "Answers so far"),
      create(
        "button",
        { type: "button", class: "close", "aria-label": "Close", onclick: () => element.close() },
        "\u00D7",
      ),
    ),
    body,
  );
  element.addEventListener("click", (event) => event.target === element && element.close());

  async function fill() {
    const runs = (await getRuns()).filter(isFinished);
    body.replaceChildren(
      runs.length === 0
        ? create("p", "note", "There is none yet. The server keeps the last answers until it ends.")
        : create("ul", "run-list", ...runs.map((run) => create("li", "", ...itemOf(run, true)))),
    );
  }

  function itemOf(run, canDelete) {
    const choose = create(
      "button",
      {
        type: "button",
        class: "run",
        onclick: () => {
          element.close();
          open(run.run);
        },
      },
      create("bdi", "run-prompt", run.prompt || "(no text)"),
      create("span", "run-time", timeOf(run.created) + (run.state === "stopped" ? ", stopped" : "")),
      create("bdi", "run-answer", run.answer || "(empty)"),
    );
    const remove = create(
      "button",
      {
        type: "button",
        class: "bin",
        "aria-label": `Delete: ${run.prompt}`,
        title: "Delete",
        onclick: async () => {
          try {
            await deleteRun(run.run);
            await fill();
          } catch (error) {
            element.close();
            failed(error);
          }
        },
      },
      icon("bin"),
    );
    return canDelete ? [choose, remove] : [choose];
  }

  return {
    element,
    async show() {
      try {
        await fill();
        element.showModal();
      } catch (error) {
        failed(error);
      }
    },
    async list(count) {
      const runs = (await getRuns()).filter(isFinished).slice(0, count);
      return runs.map((run) => create("li", "", ...itemOf(run, false)));
    },
  };
}

function isFinished({ state }) {
  return state === "done" || state === "stopped";
}

function timeOf(created) {
  const date = new Date(created);
  const isToday = date.toDateString() === new Date().toDateString();
  return date.toLocaleString([], isToday ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}
