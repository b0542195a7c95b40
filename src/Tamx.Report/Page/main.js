// Starts the page and joins its parts: a change of state becomes one view, and every part shows that view.

import { buildChat, listenToKeys } from "./chat.js";
import { colormaps, gradient } from "./colormaps.js";
import { commonRange, rawMap, readReport, textRelevance } from "./data.js";
import { showFacts } from "./facts.js";
import { buildInspector } from "./inspector.js";
import { buildPictures } from "./pictures.js";
import { createState } from "./state.js";
import { formatRange } from "./text.js";

const byId = (id) => document.getElementById(id);

async function start() {
  const report = await readReport();
  const allRange = commonRange(report);
  const state = createState((name, value, read) => isValid(report, name, value, read));

  showFacts(byId("facts"), byId("made"), report);
  const pictures = buildPictures(byId("pictures"), report);
  const showInChat = buildChat(byId("chat"), report, state, pictures.reveal);
  const showInInspector = buildInspector(byId("inspector"), report, state);
  const showControls = buildControls(byId("controls"), state);
  listenToKeys(report, state);

  state.listen((now) => {
    const view = viewOf(report, now, allRange);
    showControls(now);
    showInChat(view);
    pictures.show(view);
    showInInspector(view);
    showScale(byId("map-scale"), view, colormaps[now.map]);
  });
  state.readAddress();
  document.documentElement.dataset.state = "ready";
}

// What a state shows: the token in preview, else the selected one, with its maps in raw units; null if there is neither.
function viewOf(report, state, allRange) {
  const index = state.preview ?? state.token;
  if (index === null) {
    return null;
  }
  const token = report.answer[index];
  const isSelected = index === state.token;
  const explainedIndex = isSelected && state.candidate !== null ? token.candidates[state.candidate] : 0;
  const explained = token.explained[explainedIndex];
  const maps = report.blocks.map((_, blockIndex) => rawMap(report, token, explained, blockIndex));
  return {
    token,
    explainedIndex,
    maps,
    relevance: textRelevance(report, token, explained),
    range: state.scale === "all" ? allRange : ownRange(maps),
    colours: colormaps[state.map],
    smooth: state.drawn === "smooth",
    opacity: state.opacity / 100,
  };
}

function ownRange(maps) {
  const present = maps.filter((map) => map !== null);
  return present.length === 0
    ? [0, 0]
    : [Math.min(...present.map((map) => map.minimum)), Math.max(...present.map((map) => map.maximum))];
}

function isValid(report, name, value, read) {
  switch (name) {
    case "token":
      return value < report.answer.length;
    case "candidate":
      return read.token !== null && value < (report.answer[read.token]?.candidates.length ?? 0);
    case "map":
      return Object.hasOwn(colormaps, value);
    case "scale":
      return value === "token" || value === "all";
    case "drawn":
      return value === "smooth" || value === "cells";
    case "opacity":
      return value <= 100;
    default:
      return false;
  }
}

function buildControls(form, state) {
  const { scale, drawn, map, opacity } = form.elements;
  for (const name of Object.keys(colormaps)) {
    map.add(new Option(name[0].toUpperCase() + name.slice(1), name));
  }
  form.addEventListener("input", () =>
    state.change({ scale: scale.value, drawn: drawn.value, map: map.value, opacity: Number(opacity.value) }),
  );
  form.addEventListener("submit", (event) => event.preventDefault());
  return (now) => {
    scale.value = now.scale;
    drawn.value = now.drawn;
    map.value = now.map;
    opacity.value = now.opacity;
  };
}

function showScale(element, view, colours) {
  const [low, high] = view === null ? ["low", "high"] : formatRange(view.range);
  element.querySelector(".low").textContent = low;
  element.querySelector(".high").textContent = high;
  element.querySelector(".ramp").style.backgroundImage = gradient(colours);
}

start().catch((error) => {
  const failure = byId("failure");
  failure.textContent = `This report could not be opened: ${error.message}. It needs a browser from 2023 or later.`;
  failure.hidden = false;
  throw error;
});
