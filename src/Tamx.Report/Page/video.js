// Under a video: play, a slider over its frames, and a bar per frame with its share of the token's activation.

import { create } from "./dom.js";
import { formatPercent, formatSeconds } from "./text.js";

const FRAME_MS = 450;

/** Builds the controls; showFrame(frame) is called when one is chosen. */
export function buildTimeline(media, showFrame) {
  const count = media.frames.length;
  const bars = media.frames.map((_, frame) =>
    create("span", { class: "bar", onclick: () => choose(frame) }, create("span", "level")),
  );
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
  let timer = null;

  const choose = (frame) => {
    stop();
    showFrame(frame);
  };
  const stop = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "\u25B6";
    play.setAttribute("aria-pressed", "false");
  };
  slider.addEventListener("input", () => choose(Number(slider.value)));
  play.addEventListener("click", () => {
    if (timer !== null) {
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
      create("div", { class: "bars", "aria-hidden": "true" }, ...bars),
      create("div", "transport", play, slider, time),
    ),

    /** Shows a frame, and each frame's share of the activation (null without a map). */
    show(frame, shares) {
      slider.value = frame;
      const seconds = media.frames[frame].picture?.seconds ?? null;
      const name = `${frame + 1} of ${count}${seconds === null ? "" : `, ${formatSeconds(seconds)}`}`;
      time.textContent = name;
      const share = shares?.[frame] ?? null;
      slider.setAttribute("aria-valuetext", share === null ? name : `${name}, share ${formatPercent(share)}`);
      const highest = Math.max(...(shares ?? []), 1e-12);
      bars.forEach((bar, i) => {
        bar.classList.toggle("current", i === frame);
        bar.firstChild.style.height = `${(100 * (shares?.[i] ?? 0)) / highest}%`;
        bar.title =
          shares?.[i] === undefined || shares[i] === null ? "" : `frame ${i + 1}: ${formatPercent(shares[i])}`;
      });
    },
  };
}
