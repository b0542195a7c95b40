// Starts a report's file: reads its blocks of data and mounts the report.

import { ownBlock, pictureAddresses, readReport } from "./data.js";
import { mountReport } from "./mount.js";

async function start() {
  const report = await readReport(ownBlock, "");
  const isComparison = document.getElementById("comparison") !== null;
  const runs = {
    report,
    other: isComparison ? await readReport(ownBlock, "-b") : null,
    comparison: isComparison ? JSON.parse(ownBlock("comparison").text) : null,
  };
  const address = pictureAddresses(ownBlock);
  mountReport(document.getElementById("report"), runs, {
    title: document.title,
    bytes: JSON.parse(ownBlock("report-size").text).bytes,
    address: (picture) => address(picture.element),
  });
  performance.mark("report-ready");
  document.documentElement.dataset.state = "ready";
}

start().catch((error) => {
  const failure = document.getElementById("failure");
  failure.textContent = `This report could not be opened: ${error.message}. It needs a browser from 2023 or later.`;
  failure.hidden = false;
  throw error;
});
