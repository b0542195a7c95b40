// Starts a report's file: reads its blocks of data and mounts the report.

import { pictureAddress, readDeflated, readDeflatedJson, readJson } from "./data.js";
import { mountReport } from "./mount.js";
import { Report } from "./report.js";

async function start() {
  const report = await readReport("");
  const isComparison = document.getElementById("comparison") !== null;
  const runs = {
    report,
    other: isComparison ? await readReport("-b") : null,
    comparison: isComparison ? readJson("comparison") : null,
  };
  mountReport(document.getElementById("report"), runs, {
    title: document.title,
    bytes: readJson("report-size").bytes,
    address: (picture) => pictureAddress(picture.element),
  });
  performance.mark("report-ready");
  document.documentElement.dataset.state = "ready";
}

async function readReport(suffix) {
  const [data, packed] = await Promise.all([readDeflatedJson(`report-data${suffix}`), readDeflated(`report-vectors${suffix}`)]);
  return new Report(data, packed);
}

start().catch((error) => {
  const failure = document.getElementById("failure");
  failure.textContent = `This report could not be opened: ${error.message}. It needs a browser from 2023 or later.`;
  failure.hidden = false;
  throw error;
});
