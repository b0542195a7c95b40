// Builds a report inside an element: the entry for every page that shows one. The page says where its data comes from.

import { aboutThis } from "./about.js";
import { buildAsked } from "./asked.js";
import { buildCaption, captionOf } from "./caption.js";
import { buildChat, tokensOf } from "./chat.js";
import { colormaps } from "./colormaps.js";
import { buildClaims, spanOf } from "./claims.js";
import { buildControls, buildLegend } from "./controls.js";
import { create, dialogHeading, segments, targetOf } from "./dom.js";
import { currentNumbers, fileNameOf, numbersAsCsv, overlayPicture, save, selectionName } from "./exports.js";
import { allFacts, mainFacts, shortFacts } from "./facts.js";
import { buildInspector } from "./inspector.js";
import { listenToKeys } from "./keys.js";
import { buildMenu } from "./menu.js";
import { buildPictures, claimsOn } from "./pictures.js";
import { buildSearch } from "./search.js";
import { createSelection } from "./selection.js";
import { buildSheet } from "./sheet.js";
import { buildSplitter } from "./splitter.js";
import { createState } from "./state.js";
import { cellTables, tokenTable } from "./table.js";
import { oneLineText } from "./text.js";
import { methodNames, viewOf } from "./view.js";

/**
 * @import {
 *   AddressLimits, ArrivedToken, ClaimActions, MenuItem, Pictures, Region, ReportPage, Runs, Selection, Shade,
 *   State, StateStore, TokenPlace, View
 * } from "./types.js"
 */

/**
 * Shows a report.
 * @param {HTMLElement} root the element to fill
 * @param {Runs} runs
 * @param {ReportPage} page
 */
export function mountReport(root, runs, page) {
  const { report } = runs;
  const listening = new AbortController();
  const { signal } = listening;
  /** @type {AddressLimits} */
  const limits = {
    get answerCount() {
      return report.answer.length;
    },
    get tokenCount() {
      return report.tokens.text.length;
    },
    isSelectable: (token) => report.relevant.has(token),
    candidateCount: (index) => report.answer[index].candidates.length,
    media: report.media,
    maps: Object.keys(colormaps),
    methodCount: runs.methods.length,
  };
  const state = createState(limits, signal);
  const selection = createSelection(report, state);
  /** @param {Partial<State>} changes */
  const change = (changes) => state.change(changes);
  /** @param {TokenPlace | null} at */
  const preview = (at) => {
    const now = state.get();
    const unit = at === null ? null : selection.unitAt(at.kind, at.index);
    const isSame = unit?.kind === now.preview?.kind && unit?.from === now.preview?.from && unit?.to === now.preview?.to;
    if (!isSame) {
      change({ preview: unit });
    }
  };

  const layerCount = runs.other !== null ? 3 : runs.methods.length;
  const hasClaims = [...runs.methods, ...(runs.other ? [runs.other] : [])].some(({ claims }) => claims.length > 0);
  const legend = buildLegend(layerCount);
  const caption = buildCaption(report);
  const controls = buildControls(methodNames(runs), hasClaims, change);
  /** @type {ClaimActions} */
  const claim = {
    select: (one) => {
      const { from, to } = spanOf(one);
      selection.drag("answer", from, to);
      chat.bringIntoSight({ kind: "answer", from, to });
    },
    preview: (one) => change({ preview: one === null ? null : { kind: "answer", ...spanOf(one) } }),
  };
  const claims = buildClaims(claim);
  /** @type {Region | null} */
  let drawn = null;
  const pictures = buildPictures(report, layerCount, {
    claim,
    region: (region, isDrawing) => {
      // A click on the cell that is looked up takes the look-up back; the end of a drag does not.
      const isAgain = !isDrawing && drawn === null && isSameCell(region, state.get().region);
      drawn = isDrawing ? region : null;
      change({ region: isAgain ? null : region, preview: null });
    },
    frame: (media, frame) => change({ frames: { ...state.get().frames, [media]: frame } }),
    read: legend.read,
    address: page.address,
  });
  const chat = buildChat(
    report,
    {
      click: selection.click,
      drag: selection.drag,
      preview,
      reveal: (media, frame) => {
        if (report.media[media].frames.length > 1) {
          change({ frames: { ...state.get().frames, [media]: frame } });
        }
        pictures.reveal(media);
      },
    },
    { isGrowing: page.isGrowing === true, signal },
  );
  const inspector = buildInspector(runs, {
    candidate: (rank) =>
      change({ selection: state.get().preview ?? state.get().selection, candidate: rank, preview: null }),
    direction: (direction) => change({ direction }),
    rank: (rank) => change({ rank }),
    select: ({ kind, index }) => {
      selection.click(kind, index, false);
      chat.bringIntoSight(state.get().selection ?? { kind, from: index, to: index });
    },
    span: ({ from, to }) => {
      selection.drag("answer", from, to);
      chat.bringIntoSight({ kind: "answer", from, to });
    },
    preview,
    clearRegion: () => change({ region: null }),
  });
  const search = buildSearch(report, state, {
    go: (match) => {
      selection.drag(match.kind, match.from, match.to);
      chat.bringIntoSight(match);
    },
    mark: (matches) => chat.mark(matches.flatMap((match) => tokensOf(report, match))),
  });
  const unit = segments(
    "unit",
    "Select",
    [
      { value: "token", text: "Tokens", title: "A click selects a token" },
      { value: "word", text: "Words", title: "A click selects a whole word" },
    ],
    (value) => {
      const now = state.get().selection;
      change({
        unit: value,
        selection: now !== null && value === "word" ? report.wholeWords(now) : now,
        candidate: null,
      });
    },
  );

  const right = create(
    "section",
    { class: "pane right", "aria-label": "Activation map" },
    controls.element,
    legend.element,
    caption.element,
    pictures.element,
    claims.element,
  );
  controls.element.append(fullScreenButton(right));
  const sheet = buildSheet(runs, page.address);
  const asked = buildAsked(report, (changes) => shade(changes));

  let view = viewOf(runs, state.get());
  /** @type {Shade | null} */
  let otherShade = null;
  const top = buildHeader(runs, page, { state, view: () => view, pictures, signal });
  root.classList.add("report");
  root.classList.toggle("comparing", runs.other !== null);
  pictures.element.classList.toggle("compared", runs.other !== null);
  root.classList.toggle("growing", page.isGrowing === true);
  root.replaceChildren(
    top.element,
    create(
      "main",
      "",
      create(
        "div",
        "pane left",
        create("div", "bar", unit.element, search.element),
        chat.element,
        inspector.element,
        ...(asked === null ? [] : [asked]),
        ...(page.below ? [page.below] : []),
      ),
      buildSplitter(),
      right,
      sheet.element,
    ),
  );
  listenToKeys(selection, chat.focus, signal);
  addEventListener("beforeprint", () => sheet.fill(state.get()), { signal });
  addEventListener("afterprint", sheet.empty, { signal });
  /** @param {ClipboardEvent} event */
  const copy = (event) => {
    const selected = state.get().selection;
    const isInField = (targetOf(event)?.closest("input") ?? null) !== null;
    if (selected !== null && String(getSelection()) === "" && !isInField) {
      event.clipboardData?.setData("text/plain", report.textOf(selected).trim());
      event.preventDefault();
    }
  };
  addEventListener("copy", copy, { signal });

  state.listen((now) => {
    view = viewOf(runs, now);
    const shown = otherShade ?? view.shade;
    root.dataset.shade = shown.kind;
    unit.show(now.unit);
    controls.show(now);
    search.show(now);
    chat.show({ ...view, shade: shown }, now);
    pictures.show(view, now);
    claims.show(view);
    legend.show(view, now);
    caption.show(view);
    inspector.show(view, now);
  });
  state.readAddress();
  const { selection: addressed, region } = state.get();
  if (addressed !== null) {
    chat.bringIntoSight(addressed);
  } else if (region === null && runs.other === null && !page.isGrowing && report.answer.length > 0) {
    // The chat stays at its top: whoever opens a long answer begins to read there.
    state.show({ selection: telling() });
  }

  /** What is shown first: the token or word whose map stands out most. */
  function telling() {
    const found = report.mostTelling();
    return state.get().unit === "word" ? report.wholeWords(found) : found;
  }

  /**
   * The newest token of an answer in the making. It is shown as if the pointer were on it, until something else is
   * pointed at or selected.
   * @type {Selection | null}
   */
  let followed = null;
  const isFollowing = () =>
    state.get().selection === null && state.get().region === null && (state.get().preview ?? followed) === followed;

  /** @param {Map<number, number> | null} changes */
  function shade(changes) {
    const highest = Math.max(0, ...[...(changes?.values() ?? [])].map(Math.abs));
    otherShade = changes && { kind: "change", values: changes, highest, strength: 1, full: Math.min(1, highest) };
    state.change({});
  }

  return {
    state,
    /**
     * Shows the next tokens of an answer.
     * @param {ArrivedToken[]} tokens
     */
    append(tokens) {
      const following = isFollowing();
      chat.append(Math.min(...tokens.map(({ token, packed }) => report.append(token, packed))));
      search.refresh();
      top.refresh();
      const last = report.answer.length - 1;
      followed = { kind: "answer", from: last, to: last };
      state.change(following ? { preview: followed } : {});
    },
    /**
     * There are no more tokens.
     * @param {MenuItem[]} exports further ones
     */
    finish(exports) {
      root.classList.remove("growing");
      top.refresh();
      top.addExports(exports);
      if (followed !== null && isFollowing()) {
        const shown = telling();
        state.change({ preview: null, selection: shown });
        chat.bringIntoSight(shown);
      }
    },
    /**
     * Shades the text by the change of ln p of its tokens, by their indices; null for what is selected again.
     * @param {Map<number, number> | null} changes
     */
    shade,
    unmount() {
      listening.abort();
      root.replaceChildren();
      root.classList.remove("report", "comparing", "growing");
    },
  };
}

/** @param {HTMLElement} element what it shows alone */
function fullScreenButton(element) {
  const change = () => (document.fullscreenElement === null ? element.requestFullscreen() : document.exitFullscreen());
  return create(
    "button",
    { type: "button", class: "full", title: "Pictures over the whole screen, and back", onclick: change },
    "Full screen",
  );
}

/**
 * Whether both are one and the same cell of a frame.
 * @param {Region | null} a
 * @param {Region | null} b
 */
function isSameCell(a, b) {
  const places = [a, b].map((region) =>
    region !== null && region.top === region.bottom && region.left === region.right
      ? [region.media, region.frame, region.top, region.left].join()
      : null,
  );
  return places[0] !== null && places[0] === places[1];
}

/**
 * @param {Runs} runs
 * @param {ReportPage} page
 * @param {{ state: StateStore, view: () => View, pictures: Pictures, signal: AbortSignal }} shown
 */
function buildHeader(runs, page, { state, view, pictures, signal }) {
  const { report } = runs;
  const fileName = () => fileNameOf(page.title) + selectionName(report, view());
  const numbers = () => currentNumbers(report, view(), state.get());
  const exports = buildMenu(
    "Export",
    [
      { name: "Picture (PNG)", action: savePicture },
      {
        name: "Numbers (CSV)",
        action: () => save(new Blob(["\uFEFF", numbersAsCsv(numbers())], { type: "text/csv" }), `${fileName()}.csv`),
      },
      {
        name: "Numbers (JSON)",
        action: () => save(new Blob([JSON.stringify(numbers())], { type: "application/json" }), `${fileName()}.json`),
      },
      ...(page.exports ?? []),
    ],
    signal,
  );
  async function savePicture() {
    const { layers, claims } = view();
    const shown = pictures.figures.filter(({ element }) => !element.hidden);
    const figures = shown.map(({ stage, ratio, layer, media, frame }) => ({
      stage,
      ratio,
      name: [media.name, media.frames[frame].picture?.name, layers[layer]?.name].filter(Boolean).join(", "),
      look: layers[layer]?.look ?? null,
      claims: state.get().boxes ? claimsOn(media.frames[frame], claims[layer] ?? []) : [],
    }));
    const lines = [captionOf(report, view()).join(""), page.title, oneLineText(numbers().answer)];
    const columns = view().names.length > 1 ? view().names.length : Math.ceil(Math.sqrt(figures.length));
    save(await overlayPicture(figures, lines, columns), `${fileName()}.png`);
  }
  const made = dialog("How this was made", () => [
    allFacts(report, page.bytes),
    ...runs.methods.slice(1).flatMap((other) => [create("h3", "", other.method.name), allFacts(other, null)]),
    ...(runs.other !== null ? [create("h3", "", runs.comparison.names[1]), allFacts(runs.other, null)] : []),
  ]);
  const about = dialog("What am I looking at?", () => aboutThis(mainFacts(report)));
  const table = dialog("Numbers", () => [
    tokenTable(runs, view().reports[0]),
    cellTables(report, view(), pictures.shownFrame),
  ]);
  let facts = shortFacts(report, methodNames(runs), page.bytes);
  const element = create(
    "header",
    "top",
    ...(page.lead ?? []),
    create("h1", { dir: "auto" }, page.title),
    facts,
    create("div", "actions", about.button, table.button, made.button, exports.element),
    ...(page.actions ?? []),
    about.element,
    table.element,
    made.element,
  );
  return {
    element,
    addExports: exports.add,
    /** Shows the run's facts again, since they have changed. */
    refresh() {
      const now = shortFacts(report, methodNames(runs), page.bytes);
      facts.replaceWith(now);
      facts = now;
    },
  };
}

/**
 * A button that opens a dialog. Its content is made anew each time.
 * @param {string} name
 * @param {() => Node[]} content
 */
function dialog(name, content) {
  const body = create("div", "body");
  const element = create("dialog", { "aria-label": name });
  element.append(
    dialogHeading(name, () => element.close()),
    body,
  );
  element.addEventListener("click", (event) => event.target === element && element.close());
  const open = () => {
    body.replaceChildren(...content());
    element.showModal();
  };
  return { element, button: create("button", { type: "button", onclick: open }, name) };
}
