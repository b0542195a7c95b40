// The command that makes a run again, as far as the run knows.

/** @import { Media, Report } from "./types.js" */

/**
 * What to type. Files stand with their names alone.
 * @param {Report} report
 */
export function commandOf(report) {
  const { run, method, media, turns } = report;
  /** @type {(string | number | null)[][]} */
  const parts = [["tamx explain"], ["-m", run.modelFile], ["--mmproj", run.projectorFile]];
  const asked = turns.filter((turn) => turn.items.some((item) => report.answerIndex(item) === undefined));
  if (asked.length === 1 && asked[0].role === "user" && report.hasTexts) {
    const pictures = media.filter((one) => !one.isVideo && !one.isWhole).map(nameOf);
    const videos = media.filter((one) => one.isVideo).map(nameOf);
    parts.push(pictures.length > 0 ? ["--image", ...pictures] : []);
    parts.push(...videos.map((name) => ["--video", name]), ["-p", report.question]);
  } else {
    parts.push(["--messages", "chat.json"]);
  }
  parts.push(
    ["--temp", run.temperature],
    ...(run.temperature
      ? [
          ["--top-k", run.topK],
          ["--top-p", run.topP],
          ["--min-p", run.minP],
          ["--seed", run.seed],
        ]
      : []),
    ...regionParts(report),
    ["--profile", method.profile === "Tamx" ? null : method.profile.toLowerCase()],
    ...Object.entries(method.changed).map(([name, value]) => ["--set", `${name}=${value}`]),
  );
  return parts
    .filter((part) => part.length > 0 && part.every((one) => one !== null && one !== undefined))
    .map(([flag, ...values]) => [flag, ...values.map((value) => quoted(String(value)))].join(" "))
    .join(" ");
}

/**
 * @param {Report} report
 * @returns {(string | number | null)[][]}
 */
function regionParts({ asked }) {
  if (asked === null) {
    return [];
  }
  const { use, picture, box, alpha } = asked;
  const edges = box.map((edge) => String(Number(edge.toFixed(6)))).join(",");
  const flag = { hide: "--hide", keep: "--keep", lookAt: "--look-at" }[use];
  return [
    [flag, picture === 0 ? edges : `${picture}:${edges}`],
    ["--alpha", alpha],
  ];
}

/** @param {Media} media */
function nameOf({ name, frames }) {
  return frames.find((frame) => frame.picture !== null)?.picture?.name ?? name;
}

/**
 * A value as a shell takes it.
 * @param {string} value
 */
function quoted(value) {
  return /^[\w./:@%+=,-]+$/.test(value) ? value : `"${value.replace(/["\\$`]/g, "\\$&")}"`;
}
