// How the report was made: the main facts in one line, all of them in a list.

import { create, formatNumber } from "./text.js";

/** Fills the header's line and list. */
export function showFacts(line, list, report) {
  const { run, method } = report;
  const grids = report.blocks.map((block) => (block.frames > 1 ? `${block.frames}\u00D7` : "") + `${block.rows}\u00D7${block.columns}`);
  const filter = method.filter ? `filter ${method.kernelSize}\u00D7${method.kernelSize}` : "no filter";
  const short = [
    run.model ?? run.modelFile,
    run.quantization,
    `profile ${method.profile}`,
    method.eci ? "ECI" : "no ECI",
    filter,
    `engine ${method.engine}`,
    `${report.answer.length} of ${report.sequenceLength} tokens`,
    grids.length > 0 ? `grid ${grids.slice(0, 3).join(", ")}${grids.length > 3 ? ", \u2026" : ""}` : null,
    `Tamx ${report.writer}`,
  ];
  line.append(...short.filter(Boolean).map((text) => create("li", "", create("bdi", "", text))));

  const all = [
    ["Model", run.model],
    ["Model file", run.modelFile],
    ["Projector file", run.projectorFile],
    ["Architecture", run.architecture],
    ["Quantization", run.quantization],
    ["Hidden size", report.hiddenSize],
    ["Tokens", `${report.sequenceLength}, of which ${report.answer.length} answer`],
    ["Vision grids", grids.join(", ")],
    ["Profile", method.profile],
    ["Causal inference (ECI)", method.eci ? "on" : "off"],
    ["Rank filter", method.filter ? `${method.kernelSize}\u00D7${method.kernelSize}` : "off"],
    ["Engine", method.engine],
    ["Temperature", run.temperature === 0 ? "0 (greedy)" : run.temperature],
    ["Top-k", run.topK],
    ["Top-p", run.topP],
    ["Seed", run.seed],
    ["Context size", run.contextSize],
    ["Threads", run.threadCount],
    ["GPU layers", run.gpuLayerCount],
    ...Object.entries(run.seconds).map(([phase, seconds]) => [`Time: ${phase}`, seconds === null ? null : `${formatNumber(seconds)} s`]),
    ["Traced by", run.tamxVersion && `Tamx ${run.tamxVersion}`],
    ["llama.cpp", run.llamaVersion],
    ["Written by", `Tamx ${report.writer}`],
  ];
  for (const [name, value] of all) {
    if (value !== null && value !== undefined && value !== "") {
      list.append(create("div", "", create("dt", "", name), create("dd", "", create("bdi", "", String(value)))));
    }
  }
}
