// Starts a report's file: reads its blocks of data and mounts the report.

import { ownBlock, pictureAddresses, readReport } from "./data.js";
import { existing } from "./dom.js";
import { mountReport } from "./mount.js";
import { mountSupport } from "./support.js";

/** @import { Runs } from "./types.js" */

async function start() {
  const report = await readReport(ownBlock, "");
  const isComparison = document.getElementById("comparison") !== null;
  /** @type {Runs} */
  const runs = isComparison
    ? { report, other: await readReport(ownBlock, "-b"), comparison: JSON.parse(ownBlock("comparison").text) }
    : { report, other: null, comparison: null };
  const address = pictureAddresses(ownBlock);
  mountReport(existing("report"), runs, {
    title: document.title,
    bytes: JSON.parse(ownBlock("report-size").text).bytes,
    address: (picture) => address(picture.element),
  });
  mountSupport(existing("report"), report, JSON.parse(ownBlock("support").text));
  performance.mark("report-ready");
  document.documentElement.dataset.state = "ready";
}

start().catch((error) => {
  const failure = existing("failure");
  failure.textContent = `This report could not be opened: ${error.message}. It needs a browser from 2023 or later.`;
  failure.hidden = false;
  throw error;
});
