// The answers that the server still has.

import { deleteRun, getFile, getRuns } from "./api.js";
import { icon } from "./icons.js";
import { create, dialogHeading } from "./report/dom.js";
import { fileNameOf, save } from "./report/exports.js";

/** @import { Run, RunFile } from "./types.js" */
/** @import { MenuItem } from "./report/types.js" */

/** @type {[name: string, file: RunFile][]} */
const FILES = [
  ["Report (HTML)", "report.html"],
  ["Trace (safetensors)", "trace.safetensors"],
  ["Maps (JSON)", "maps.json"],
];

/**
 * Builds the dialog.
 * @param {(run: string) => void} open is told which one is chosen
 * @param {(error: unknown) => void} failed
 */
export function buildRuns(open, failed) {
  const body = create("div", "body");
  const element = create("dialog", { class: "runs", "aria-label": "Answers so far" });
  element.append(
    dialogHeading("Answers so far", () => element.close()),
    body,
  );
  element.addEventListener("click", (event) => event.target === element && element.close());

  async function fill() {
    const runs = (await getRuns()).filter(isFinished);
    body.replaceChildren(
      runs.length === 0
        ? create("p", "note", "There are no answers yet. The server keeps the last ones until it ends.")
        : create("ul", "run-list", ...runs.map((run) => create("li", "", ...itemOf(run, true)))),
    );
  }

  /**
   * @param {Run} run
   * @param {boolean} canDelete
   */
  function itemOf(run, canDelete) {
    const chosen = () => {
      element.close();
      open(run.run);
    };
    const choose = create(
      "button",
      { type: "button", class: "run", onclick: chosen },
      create("bdi", "run-prompt", run.prompt || "(no text)"),
      create("span", "run-time", `${timeOf(run.created)}${run.state === "stopped" ? ", stopped" : ""}`),
      create("bdi", "run-answer", run.answer || "(empty)"),
    );
    const remove = async () => {
      try {
        await deleteRun(run.run);
        await fill();
      } catch (error) {
        element.close();
        failed(error);
      }
    };
    const label = `Delete: ${run.prompt}`;
    const bin = create(
      "button",
      { type: "button", class: "bin", "aria-label": label, title: "Delete", onclick: remove },
      icon("bin"),
    );
    return canDelete ? [choose, bin] : [choose];
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
    /**
     * The newest, as elements.
     * @param {number} count
     */
    async list(count) {
      const runs = (await getRuns()).filter(isFinished).slice(0, count);
      return runs.map((run) => create("li", "", ...itemOf(run, false)));
    },
  };
}

/**
 * A run's files, to be saved.
 * @param {string} run
 * @param {string} title
 * @param {(error: unknown) => void} failed
 * @returns {MenuItem[]}
 */
export function exportsOf(run, title, failed) {
  return FILES.map(([name, file]) => ({
    name,
    action: async () => {
      try {
        save(await (await getFile(run, file)).blob(), `${fileNameOf(title)}${file.slice(file.indexOf("."))}`);
      } catch (error) {
        failed(error);
      }
    },
  }));
}

/** @param {Run} run */
function isFinished({ state }) {
  return state === "done" || state === "stopped";
}

/** @param {string} created */
function timeOf(created) {
  const date = new Date(created);
  const isToday = date.toDateString() === new Date().toDateString();
  return date.toLocaleString([], isToday ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" });
}
