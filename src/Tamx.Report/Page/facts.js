// How the report was made: the main facts in one line, all of them in a list.

import { askedText } from "./asked.js";
import { commandOf } from "./command.js";
import { create } from "./dom.js";
import { formatBytes, formatNumber } from "./text.js";

/** @import { Fact, Report } from "./types.js" */

/**
 * The line under the title.
 * @param {Report} report
 * @param {string[]} methods names of all by which its maps were made
 * @param {number | null} bytes size of the report's file
 */
export function shortFacts(report, methods, bytes) {
  const { run, method } = report;
  /** @type {[text: string | null, name?: string][]} */
  const facts = [
    [run.model ?? run.modelFile],
    [run.quantization],
    [run.modelDescription, "about"],
    [method.profile === "Tamx" ? null : `profile ${method.profile}`],
    [methods.join(" and ")],
    [method.eci ? null : "no ECI"],
    [dateOf(run.created)],
    [`${report.answer.length} tokens`],
    [bytes === null ? null : formatBytes(bytes)],
  ];
  return create(
    "ul",
    { class: "facts", "aria-label": "How this was made, in short" },
    ...facts
      .filter(([text]) => text !== null)
      .map(([text, name]) => create("li", name ?? "", create("bdi", "", text ?? ""))),
  );
}

/**
 * What was asked, of what, when, and how to ask it again.
 * @param {Report} report
 */
export function mainFacts(report) {
  return factList(asked(report));
}

/**
 * All facts, as a list of names and values.
 * @param {Report} report
 * @param {number | null} bytes size of the report's file
 */
export function allFacts(report, bytes) {
  const { run, method } = report;
  const grids = report.blocks.map(
    ({ frames, rows, columns }) => `${frames > 1 ? `${frames}\u00D7` : ""}${rows}\u00D7${columns}`,
  );
  /** @param {boolean} value */
  const onOff = (value) => (value ? "on" : "off");
  /** @type {Fact[]} */
  const all = [
    ...asked(report),
    ["About the model", run.modelDescription],
    ["Model file", run.modelFile],
    ["Projector file", run.projectorFile],
    ["Architecture", run.architecture],
    ["Hidden size", report.hiddenSize],
    ["Tokens", `${report.sequenceLength}, of which ${report.answer.length} answer`],
    ["Vision grids", [...grids.slice(0, 12), ...(grids.length > 12 ? [`\u2026 (${grids.length})`] : [])].join(", ")],
    ["Method", method.name],
    ["Profile", method.profile],
    ["Causal inference (ECI)", onOff(method.eci)],
    ["ECI strength", method.eci ? method.eciStrength : null],
    ["Rank filter", method.filter ? `${method.kernelSize}\u00D7${method.kernelSize}` : "off"],
    ["Words", `${method.wordMaps} over their tokens`],
    ...Object.entries(method.options).map(
      ([name, value]) => /** @type {Fact} */ ([spaced(name), typeof value === "boolean" ? onOff(value) : value]),
    ),
    ["Engine", method.engine],
    ["Temperature", run.temperature === 0 ? "0 (greedy)" : run.temperature],
    ["Top-k", run.topK],
    ["Top-p", run.topP],
    ["Min-p", run.minP],
    ["Seed", run.seed],
    ["Context size", run.contextSize],
    ["Threads", run.threadCount],
    ["GPU layers", run.gpuLayerCount],
    ...Object.entries(run.seconds).map(
      ([phase, seconds]) =>
        /** @type {Fact} */ ([`Time: ${phase}`, seconds === null ? null : `${formatNumber(seconds)} s`]),
    ),
    ["Traced by", run.tamxVersion && `Tamx ${run.tamxVersion}`],
    ["llama.cpp", run.llamaVersion],
    ["Written by", `Tamx ${report.writer}`],
    ["Map values", `${report.bits} bits`],
    ["Text relevance", `the ${report.mostSources} strongest per token`],
    ["This file", bytes === null ? null : `${bytes.toLocaleString("en")} bytes`],
  ];
  return factList(all);
}

/**
 * @param {Report} report
 * @returns {Fact[]}
 */
function asked(report) {
  return [
    ["Question", report.hasTexts ? report.question : null],
    ["Region", report.asked && askedText(report, report.asked)],
    ["Model", report.run.model],
    ["Quantization", report.run.quantization],
    ["Date", dateOf(report.run.created)],
    ["Make it again", commandOf(report)],
  ];
}

/** @param {Fact[]} facts */
function factList(facts) {
  return create(
    "dl",
    "made",
    ...facts
      .filter(([, value]) => value !== null && value !== undefined && value !== "")
      .map(([name, value]) =>
        create(
          "div",
          name === "Make it again" ? "command" : "",
          create("dt", "", name),
          create("dd", "", create("bdi", "", String(value))),
        ),
      ),
  );
}

/** @param {string | null | undefined} created */
function dateOf(created) {
  return created ? new Date(created).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" }) : null;
}

/** @param {string} name */
function spaced(name) {
  const words = name
    .replace(/([A-Z])/g, " $1")
    .toLowerCase()
    .trim();
  return words[0].toUpperCase() + words.slice(1);
}
