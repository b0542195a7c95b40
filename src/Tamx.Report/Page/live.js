// The report inside another page: a finished file, or one that grows while its answer is written. GrowingReport.cs
// writes what that one takes.

import { addressesOf, blocksOf, fromBase64, pictureAddresses, readRun } from "./data.js";
import { mountReport } from "./mount.js";
import { Report } from "./report.js";
import { mountSupport } from "./support.js";

/** @import { ArrivedToken, GrowingHead, GrowingToken, MenuItem, PageFrame, Picture, SupportBlock } from "./types.js" */

/**
 * Shows a report that grows.
 * @param {HTMLElement} root the element to fill
 * @param {GrowingHead} head what comes before the first token
 * @param {(report: Report) => PageFrame} pageOf is called when all is ready to be shown
 */
export function growReport(root, head, pageOf) {
  const leaving = new AbortController();
  const address = addressesOf((name) => {
    const { bytes, mediaType } = head.pictures[name];
    return new Blob([fromBase64(bytes)], { type: mediaType });
  }, leaving.signal);
  const report = new Report(head.data, fromBase64(head.vectors));
  const mounted = mountReport(
    root,
    { report, methods: [report], other: null, comparison: null },
    {
      ...pageOf(report),
      isGrowing: true,
      bytes: null,
      address: (picture) => address(picture.element),
    },
  );

  /**
   * Tokens that come faster than the screen is drawn are shown together.
   * @type {ArrivedToken[]}
   */
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
    shade: mounted.shade,
    /** @param {GrowingToken & { vectors: string }} token */
    append(token) {
      waiting.push({ token, packed: fromBase64(token.vectors) });
      drawing ||= requestAnimationFrame(draw);
    },
    /**
     * Says how far to trust it, once it has its end.
     * @param {SupportBlock} support
     */
    support(support) {
      mountSupport(root, report, support);
    },
    /**
     * There are no more tokens.
     * @param {Record<string, number>} seconds by phase
     * @param {MenuItem[]} exports further ones
     */
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
 * @param {HTMLElement} root the element to fill
 * @param {string} html the file
 * @param {(report: Report) => PageFrame} pageOf is called when all is ready to be shown
 */
export async function openReport(root, html, pageOf) {
  const leaving = new AbortController();
  const block = blocksOf(html);
  const runs = await readRun(block);
  const { report } = runs;
  const address = pictureAddresses(block, leaving.signal);
  const mounted = mountReport(root, runs, {
    ...pageOf(report),
    bytes: JSON.parse(block("report-size").text).bytes,
    address: (picture) => address(picture.element),
  });
  mountSupport(root, report, JSON.parse(block("support").text));
  return {
    report,
    state: mounted.state,
    shade: mounted.shade,
    /**
     * A picture of the report as a file.
     * @param {Picture} picture
     */
    file({ element, name }) {
      const { text, mediaType } = block(element);
      const type = mediaType ?? "";
      return new File([fromBase64(text)], name ?? `picture.${type.split("/")[1]}`, { type });
    },
    unmount() {
      mounted.unmount();
      leaving.abort();
    },
  };
}
