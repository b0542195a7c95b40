// The report on a page of its own: one that grows while its answer is written (GrowingReport.cs writes what it takes), or a finished file.

import { addressesOf, blocksOf, fromBase64, pictureAddresses, readReport } from "./data.js";
import { mountReport } from "./mount.js";
import { Report } from "./report.js";

/**
 * Shows a report that grows.
 * @param root the element to fill
 * @param head what comes before the first token
 * @param pageOf(report) gives the page as mountReport takes it, without isGrowing, bytes and address; called when all is ready to be shown
 * @returns {object} report, state; append(token); finish(seconds per phase, further exports): there are no more tokens; unmount()
 */
export function growReport(root, head, pageOf) {
  const leaving = new AbortController();
  const address = addressesOf(
    ({ bytes, mediaType }) => new Blob([fromBase64(bytes)], { type: mediaType }),
    leaving.signal,
  );
  const report = new Report(head.data, fromBase64(head.vectors));
  const mounted = mountReport(
    root,
    { report, other: null, comparison: null },
    {
      ...pageOf(report),
      isGrowing: true,
      bytes: null,
      address: (picture) => address(head.pictures[picture.element]),
    },
  );

  // Tokens that come faster than the screen is drawn are shown together.
  let waiting = [];
  let drawing = 0;
  const draw = () => {
    cancelAnimationFrame(drawing);
    drawing = 0;
    if (waiting.length > 0) {
      const tokens = waiting;
      waiting = [];
      mounted.append(tokens);
    }
  };
  return {
    report,
    state: mounted.state,
    append(token) {
      waiting.push({ token, packed: fromBase64(token.vectors) });
      drawing ||= requestAnimationFrame(draw);
    },
    finish(seconds, exports) {
      draw();
      Object.assign(report.run.seconds, seconds);
      mounted.finish(exports);
    },
    unmount() {
      cancelAnimationFrame(drawing);
      mounted.unmount();
      leaving.abort();
    },
  };
}

/**
 * Shows a report's file.
 * @param root the element to fill
 * @param html the file
 * @param pageOf(report) gives the page as mountReport takes it, without bytes and address; called when all is ready to be shown
 * @returns {object} report, state; unmount()
 */
export async function openReport(root, html, pageOf) {
  const leaving = new AbortController();
  const block = blocksOf(html);
  const report = await readReport(block, "");
  const address = pictureAddresses(block, leaving.signal);
  const mounted = mountReport(
    root,
    { report, other: null, comparison: null },
    {
      ...pageOf(report),
      bytes: JSON.parse(block("report-size").text).bytes,
      address: (picture) => address(picture.element),
    },
  );
  return {
    report,
    state: mounted.state,
    unmount() {
      mounted.unmount();
      leaving.abort();
    },
  };
}
