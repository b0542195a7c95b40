// The pictures and videos with the maps over them, one figure each. In a comparison it is one per run, and one for the
// difference.

import { USES, askedMedia } from "./asked.js";
import { create } from "./dom.js";
import { sumOf } from "./report.js";
import { buildStage } from "./stage.js";
import { formatPercent, formatSeconds } from "./text.js";
import { buildTimeline } from "./video.js";
import { frameSums } from "./view.js";
import { createZoom, frameRatio, zoomStep } from "./zoom.js";

/** @import { Claim, Frame, Layer, Media, PictureActions, Report, State, View, Zoom } from "./types.js" */

/**
 * Builds the figures.
 * @param {Report} report
 * @param {number} layerCount the most that are drawn side by side
 * @param {PictureActions} actions
 */
export function buildPictures(report, layerCount, actions) {
  const figures = report.media.flatMap((media) => {
    const picture = media.frames.find((frame) => frame.picture !== null)?.picture ?? null;
    const [first] = media.frames;
    const [width, height] = picture === null ? [first.columns, first.rows] : [picture.width, picture.height];
    // What stands side by side shows the same part.
    const zoom = createZoom(width / height, width);
    return Array.from({ length: layerCount }, (_, layer) => buildFigure(media, layer, width / height, zoom, actions));
  });
  for (const { media, stage } of figures) {
    if (report.asked && media === askedMedia(report)) {
      stage.asked(report.asked.box, USES[report.asked.use]);
    }
  }
  /** @param {number} media */
  const figureOf = (media) => figures[media * layerCount];
  const element = create("div", { class: "pictures" }, ...figures.map((one) => one.element));
  if (figures.length === 0) {
    element.append(
      create("p", "note", "There is no picture in this conversation. The text relevance is shown."),
    );
  }

  return {
    element,
    figures,
    /** @param {number} media */
    shownFrame: (media) => figureOf(media).frame,
    /**
     * @param {View} view
     * @param {State} state
     */
    show(view, state) {
      const sums = view.layers.map((layer) => report.media.map((media) => frameSums(layer, media)));
      element.classList.toggle("many", report.media.length * view.names.length > 1);
      for (const figure of figures) {
        figure.show(view, state, sums[figure.layer] ?? null, sums[0]?.[figure.media.index] ?? null);
      }
    },
    /** @param {number} media */
    reveal(media) {
      const figure = figureOf(media);
      figure.element.scrollIntoView({ block: "nearest" });
      figure.element.classList.remove("revealed");
      void figure.element.offsetWidth; // Starts the animation again.
      figure.element.classList.add("revealed");
    },
  };
}

/**
 * The frame of a video that a state shows: the one chosen, else the one with the greatest share, else the first.
 * @param {Media} media
 * @param {State} state
 * @param {(number | null)[] | null} sums
 */
export function frameOf(media, state, sums) {
  const chosen = state.frames[media.index];
  if (chosen !== undefined || sums === null) {
    return chosen ?? 0;
  }
  return sums.reduce((/** @type {number} */ best, sum, i) => ((sum ?? 0) > (sums[best] ?? 0) ? i : best), 0);
}

/**
 * @param {Media} media
 * @param {number} layer
 * @param {number} ratio
 * @param {Zoom} zoom
 * @param {PictureActions} actions
 */
function buildFigure(media, layer, ratio, zoom, actions) {
  const [first] = media.frames;
  const picture = media.frames.find((frame) => frame.picture !== null)?.picture ?? null;
  let shownFrame = 0;
  const stage = buildStage(
    { ratio, rows: first.rows, columns: first.columns },
    zoom,
    {
      region: (box, isDrawing) =>
        actions.region(box === null ? null : { media: media.index, frame: shownFrame, ...box }, isDrawing),
      read: (value) => actions.read(layer, value),
    },
  );
  const timeline =
    media.frames.length > 1 && layer === 0 ? buildTimeline(media, (frame) => actions.frame(media.index, frame)) : null;
  const share = create("span", "share");
  const weak = create("span", "weak");
  const file = create("bdi", "file", picture === null ? "no picture" : (picture.name ?? ""));
  const time = create("span", "time");
  const title = create("span", "name");
  const closer = layer === 0 ? [zoomButtons(media.name, zoom, stage.element)] : [];
  const caption = create("figcaption", "", title, weak, time, file, share, ...closer);
  const element = create(
    "figure",
    media.frames.length > 1 ? "video" : "",
    stage.element,
    caption,
    ...(timeline === null ? [] : [timeline.element]),
  );
  element.style.setProperty("--ratio", String(frameRatio(ratio)));

  return {
    element,
    media,
    layer,
    stage,
    ratio,
    get frame() {
      return shownFrame;
    },
    /**
     * @param {View} view
     * @param {State} state
     * @param {(number | null)[][] | null} sums of this layer's maps, by picture and frame
     * @param {(number | null)[] | null} leading of the first layer's map of this picture, by frame
     */
    show(view, state, sums, leading) {
      element.hidden = layer >= view.names.length;
      const layerName = view.names.length > 1 ? (view.names[layer] ?? "") : "";
      const name = [media.name, ...(layerName ? [layerName] : [])].join(", ");
      title.textContent = layerName || media.name;
      file.hidden = layerName !== "";
      const own = sums?.[media.index] ?? null;
      shownFrame = frameOf(media, state, leading);
      const frame = media.frames[shownFrame];
      if (frame.picture !== null) {
        stage.picture(
          actions.address(frame.picture),
          frame.picture.width,
          frame.picture.height,
          `${name}${frame.picture.name ? `, ${frame.picture.name}` : ""}`,
        );
      }
      const seconds = frame.picture?.seconds ?? null;
      time.textContent =
        media.frames.length > 1 ? (seconds === null ? `frame ${shownFrame + 1}` : formatSeconds(seconds)) : "";
      const shown = view.layers[layer] ?? null;
      const grid = shown?.grid(media.index, shownFrame) ?? null;
      stage.show(grid, shown?.look ?? null, name);
      stage.claims(state.boxes ? claimsOn(frame, view.claims[layer] ?? []) : [], view.selection, actions.claim);
      const { region } = state;
      stage.region(region !== null && region.media === media.index && region.frame === shownFrame ? region : null);

      const total = sumOf((sums ?? []).flat().map((sum) => sum ?? 0));
      const shares =
        own === null || own.every((sum) => sum === null)
          ? null
          : own.map((sum) => (total > 0 ? (sum ?? 0) / total : 0));
      timeline?.show(shownFrame, shares);
      const strength = grid === null ? null : (shown?.strength ?? null);
      weak.textContent = !view.reports[0].isWeak(strength) ? "" : strength === 0 ? "zero map" : "weak";
      const isMissing = shown !== null && grid === null;
      share.classList.toggle("missing", isMissing);
      const whole = shares !== null && (sums ?? []).length > 1 && !shown?.isDifference ? sumOf(shares) : null;
      share.textContent = isMissing ? missing(shown) : whole !== null ? formatPercent(whole) : "";
      share.title = whole !== null ? "share of this token's activation over all pictures" : "";
    },
  };
}

/**
 * Buttons that do what wheel, fingers and keys do.
 * @param {string} name
 * @param {Zoom} zoom
 * @param {HTMLElement} frame
 */
function zoomButtons(name, zoom, frame) {
  /** @type {(text: string, label: string, action: () => void) => HTMLElement} */
  const button = (text, label, onclick) =>
    create("button", { type: "button", title: label, "aria-label": `${text} ${label}: ${name}`, onclick }, text);
  const size = () => frame.getBoundingClientRect();
  return create(
    "span",
    "zoom",
    button("\u2212", "smaller", () => zoom.by(1 / zoomStep ** 2, size())),
    button("+", "larger", () => zoom.by(zoomStep ** 2, size())),
    button("Fit", "the whole picture", () => zoom.fit()),
    button("100\u2009%", "the picture's own pixels", () => zoom.actual(size())),
  );
}

/**
 * The claims about a frame.
 * @param {Frame} frame
 * @param {Claim[]} claims
 */
export function claimsOn({ block }, claims) {
  return claims.filter((claim) => claim.block === block);
}

/** @param {Layer} layer */
function missing(layer) {
  return layer.name ? "no map here" : "no map: comes after this token";
}
