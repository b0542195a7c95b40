// Under a video: play, a slider over its frames, and a bar per frame with its share of the token's activation.

import { create } from "./dom.js";
import { formatPercent, formatSeconds } from "./text.js";

/** @import { Media } from "./types.js" */

const FRAME_MS = 450;

/**
 * Builds the controls.
 * @param {Media} media
 * @param {(frame: number) => void} showFrame is called when a frame is chosen
 */
export function buildTimeline(media, showFrame) {
  const count = media.frames.length;
  const bars = media.frames.map((_, frame) => {
    const level = create("span", "level");
    return { level, element: create("span", { class: "bar", onclick: () => choose(frame) }, level) };
  });
  const slider = create("input", {
    type: "range",
    min: "0",
    max: String(count - 1),
    "aria-label": `${media.name}: frame`,
  });
  const play = create(
    "button",
    { type: "button", class: "play", "aria-label": `Play ${media.name}`, "aria-pressed": "false" },
    "\u25B6",
  );
  const time = create("span", "time");
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let timer;

  /** @param {number} frame */
  const choose = (frame) => {
    stop();
    showFrame(frame);
  };
  const stop = () => {
    clearInterval(timer);
    timer = undefined;
    play.textContent = "\u25B6";
    play.setAttribute("aria-pressed", "false");
  };
  slider.addEventListener("input", () => choose(Number(slider.value)));
  play.addEventListener("click", () => {
    if (timer !== undefined) {
      stop();
      return;
    }
    play.textContent = "\u275A\u275A";
    play.setAttribute("aria-pressed", "true");
    timer = setInterval(() => showFrame((Number(slider.value) + 1) % count), FRAME_MS);
  });

  return {
    element: create(
      "div",
      "timeline",
      create("div", { class: "bars", "aria-hidden": "true" }, ...bars.map((bar) => bar.element)),
      create("div", "transport", play, slider, time),
    ),

    /**
     * Shows a frame, and each frame's share of the activation (null without a map).
     * @param {number} frame
     * @param {number[] | null} shares
     */
    show(frame, shares) {
      slider.value = String(frame);
      const seconds = media.frames[frame].picture?.seconds ?? null;
      const name = `${frame + 1} of ${count}${seconds === null ? "" : `, ${formatSeconds(seconds)}`}`;
      time.textContent = name;
      const share = shares?.[frame] ?? null;
      slider.setAttribute("aria-valuetext", share === null ? name : `${name}, share ${formatPercent(share)}`);
      const highest = Math.max(...(shares ?? []), 1e-12);
      bars.forEach(({ element, level }, i) => {
        element.classList.toggle("current", i === frame);
        level.style.height = `${(100 * (shares?.[i] ?? 0)) / highest}%`;
        element.title = shares === null ? "" : `frame ${i + 1}: ${formatPercent(shares[i])}`;
      });
    },
  };
}
