// Builds a report inside an element: the entry for every page that shows one. Where its data comes from is the page's business.

import { buildChat, tokensOf } from "./chat.js";
import { colormaps } from "./colormaps.js";
import { buildControls, buildLegend } from "./controls.js";
import { create, segments } from "./dom.js";
import { currentNumbers, numbersAsCsv, overlayPicture, save } from "./exports.js";
import { allFacts, shortFacts } from "./facts.js";
import { buildInspector } from "./inspector.js";
import { listenToKeys } from "./keys.js";
import { buildMenu } from "./menu.js";
import { buildPictures } from "./pictures.js";
import { buildSearch } from "./search.js";
import { createSelection } from "./selection.js";
import { createState } from "./state.js";
import { cellTables, tokenTable } from "./table.js";
import { viewOf } from "./view.js";

/**
 * Shows a report.
 * @param root the element to fill
 * @param runs { report, other, comparison }: a Report; in a comparison also the second run and how the two fit together
 * @param page { title, bytes (size of the file, or null), address(picture) }, and on a page of more than a report: lead, actions (elements
 *   before and after the header's own), exports ([{ name, action }], further ones), below (element under the conversation), isGrowing (tokens
 *   will be appended)
 * @returns {object} state; append(tokens): the next ones of an answer; finish(exports): there are no more, but further exports; unmount()
 */
export function mountReport(root, runs, page) {
  const { report } = runs;
  const listening = new AbortController();
  const { signal } = listening;
  report.media.forEach((media, index) => {
    media.index = index;
    media.frames.forEach((frame) =>
      Object.assign(frame, { rows: report.blocks[frame.block].rows, columns: report.blocks[frame.block].columns }),
    );
  });
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
  };
  const state = createState(limits, signal);
  const selection = createSelection(report, state);
  const change = (changes) => state.change(changes);
  const preview = (at) => {
    const now = state.get();
    const unit = at === null ? null : selection.unitAt(at.kind, at.index);
    const isSame = unit?.kind === now.preview?.kind && unit?.from === now.preview?.from && unit?.to === now.preview?.to;
    if (!isSame) {
      change({ preview: unit });
    }
  };

  const layerNames = runs.other ? [...runs.comparison.names, "Difference"] : [""];
  const legend = buildLegend(layerNames);
  const controls = buildControls(change);
  const pictures = buildPictures(report, layerNames, {
    region: (region, isDrawing) => {
      const now = state.get().region;
      const isSame =
        !isDrawing &&
        region !== null &&
        now !== null &&
        Object.keys(region).every((key) => region[key] === now[key]) &&
        isOneCell(region) &&
        drawn === null;
      drawn = isDrawing ? region : null;
      change({ region: isSame ? null : region, preview: null });
    },
    frame: (media, frame) => change({ frames: { ...state.get().frames, [media]: frame } }),
    read: legend.read,
    address: page.address,
  });
  let drawn = null;
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
    { isGrowing: page.isGrowing, signal },
  );
  const inspector = buildInspector(runs, {
    candidate: (rank) =>
      change({ selection: state.get().preview ?? state.get().selection, candidate: rank, preview: null }),
    direction: (direction) => change({ direction }),
    rank: (rank) => change({ rank }),
    select: ({ kind, index }) => {
      selection.click(kind, index, false);
      chat.bringIntoSight(state.get().selection ?? { kind, from: index });
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

  let view = null;
  const top = buildHeader(runs, page, state, () => view, pictures, signal);
  root.classList.add("report");
  root.classList.toggle("comparing", layerNames.length > 1);
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
        ...(page.below ? [page.below] : []),
      ),
      create(
        "section",
        { class: "pane right", "aria-label": "Activation map" },
        controls.element,
        legend.element,
        pictures.element,
      ),
    ),
  );
  listenToKeys(selection, chat.focus, signal);
  const copy = (event) => {
    const selected = state.get().selection;
    if (selected !== null && String(getSelection()) === "" && !event.target.closest?.("input")) {
      event.clipboardData.setData("text/plain", report.textOf(selected).trim());
      event.preventDefault();
    }
  };
  addEventListener("copy", copy, { signal });

  state.listen((now) => {
    view = viewOf(runs, now);
    root.dataset.shade = view.shade.kind;
    unit.show(now.unit);
    controls.show(now);
    search.show(now);
    chat.show(view, now);
    pictures.show(view, now);
    legend.show(view, now);
    inspector.show(view, now);
  });
  state.readAddress();
  if (state.get().selection !== null) {
    chat.bringIntoSight(state.get().selection);
  }

  // An answer in the making is followed: its newest token is shown as under the pointer, unless something else is pointed at or selected.
  let followed = null;
  const isFollowing = () =>
    state.get().selection === null && state.get().region === null && (state.get().preview ?? followed) === followed;

  return {
    state,
    append(tokens) {
      const following = isFollowing();
      chat.append(Math.min(...tokens.map(({ token, packed }) => report.append(token, packed))));
      search.refresh();
      top.refresh();
      const last = report.answer.length - 1;
      followed = { kind: "answer", from: last, to: last };
      state.change(following ? { preview: followed } : {});
    },
    finish(exports) {
      root.classList.remove("growing");
      top.refresh();
      top.addExports(exports);
      if (followed !== null && isFollowing()) {
        const selection = report.mostTelling();
        state.change({ preview: null, selection });
        chat.bringIntoSight(selection);
      }
    },
    unmount() {
      listening.abort();
      root.replaceChildren();
      root.classList.remove("report", "comparing", "growing");
    },
  };
}

function isOneCell({ top, left, bottom, right }) {
  return top === bottom && left === right;
}

function buildHeader(runs, page, state, viewNow, pictures, signal) {
  const { report } = runs;
  const fileName =
    page.title
      .replace(/[^\p{L}\p{N}]+/gu, "-")
      .replace(/^-|-$/g, "")
      .slice(0, 60) || "tamx";
  const numbers = () => currentNumbers(report, viewNow(), state.get());
  const exports = buildMenu(
    "Export",
    [
      { name: "Picture (PNG)", action: savePicture },
      {
        name: "Numbers (CSV)",
        action: () => save(new Blob(["\uFEFF", numbersAsCsv(numbers())], { type: "text/csv" }), `${fileName}.csv`),
      },
      {
        name: "Numbers (JSON)",
        action: () => save(new Blob([JSON.stringify(numbers())], { type: "application/json" }), `${fileName}.json`),
      },
      ...(page.exports ?? []),
    ],
    signal,
  );
  async function savePicture() {
    const view = viewNow();
    const shown = pictures.figures.map((figure) => ({
      stage: figure.stage,
      ratio: Number(figure.element.style.getPropertyValue("--ratio")),
      look: view.layers[figure.layer]?.look ?? null,
    }));
    save(await overlayPicture(shown), `${fileName}.png`);
  }
  const made = dialog("How this was made", () => [
    allFacts(report, page.bytes),
    ...(runs.other ? [create("h3", "", runs.comparison.names[1]), allFacts(runs.other, null)] : []),
  ]);
  const table = dialog("Numbers", () => [
    tokenTable(runs),
    cellTables(
      report,
      viewNow(),
      state.get(),
      (media) => pictures.figures.find((one) => one.media.index === media).frame,
    ),
  ]);
  let facts = shortFacts(report, page.bytes);
  const element = create(
    "header",
    "top",
    ...(page.lead ?? []),
    create("h1", { dir: "auto" }, page.title),
    facts,
    create("div", "actions", table.button, made.button, exports.element),
    ...(page.actions ?? []),
    table.element,
    made.element,
  );
  return {
    element,
    addExports: exports.add,
    /** The run's facts have changed. */
    refresh() {
      const now = shortFacts(report, page.bytes);
      facts.replaceWith(now);
      facts = now;
    },
  };
}

function dialog(name, content) {
  const body = create("div", "body");
  const element = create(
    "dialog",
    { "aria-label": name },
    create(
      "div",
      "heading",
      create("h2", "", name),
      create(
        "button",
        { type: "button", class: "close", "aria-label": "Close", onclick: () => element.close() },
        "\u00D7",
      ),
    ),
    body,
  );
  const button = create(
    "button",
    {
      type: "button",
      onclick: () => {
        body.replaceChildren(...content());
        element.showModal();
      },
    },
    name,
  );
  element.addEventListener("click", (event) => event.target === element && element.close());
  return { element, button };
}
