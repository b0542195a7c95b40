// Starts a report's file: reads its blocks of data and mounts the report.

import { ownBlock, pictureAddresses, readComparison, readRun } from "./data.js";
import { existing } from "./dom.js";
import { mountReport } from "./mount.js";
import { mountSupport } from "./support.js";

async function start() {
  const isComparison = document.getElementById("comparison") !== null;
  const runs = await (isComparison ? readComparison : readRun)(ownBlock);
  const address = pictureAddresses(ownBlock);
  mountReport(existing("report"), runs, {
    title: document.title,
    bytes: JSON.parse(ownBlock("report-size").text).bytes,
    address: (picture) => address(picture.element),
  });
  mountSupport(existing("report"), runs.report, JSON.parse(ownBlock("support").text));
  performance.mark("report-ready");
  document.documentElement.dataset.state = "ready";
}

start().catch((error) => {
  const failure = existing("failure");
  failure.textContent = `This report could not be opened: ${error.message}. It needs a browser from 2023 or later.`;
  failure.hidden = false;
  throw error;
});
