import assert from "node:assert/strict";
import { test } from "node:test";
import { createSelection } from "../../src/Tamx.Report/Page/selection.js";
import { sampleReport, storeWith } from "./sample.js";

const answer = (from, to = from) => ({ kind: "answer", from, to });
const text = (from, to = from) => ({ kind: "text", from, to });

function begin(changes = {}) {
  const state = storeWith(changes);
  return { state, selecting: createSelection(sampleReport(), state), now: () => state.get().selection };
}

test("a click selects, and a second one takes back", () => {
  const { selecting, now } = begin();
  selecting.click("answer", 2, false);
  assert.deepEqual(now(), answer(2));

  selecting.click("answer", 2, false);
  assert.equal(now(), null);
});

test("a click on the token whose candidate is shown goes back to the token", () => {
  const { selecting, state, now } = begin({ selection: answer(2), candidate: 0 });
  selecting.click("answer", 2, false);

  assert.deepEqual(now(), answer(2));
  assert.equal(state.get().candidate, null);
});

test("Shift and a click extend from the anchor, to both sides", () => {
  const { selecting, now } = begin();
  selecting.click("answer", 2, false);
  selecting.click("answer", 3, true);
  assert.deepEqual(now(), answer(2, 3));

  selecting.click("answer", 0, true);
  assert.deepEqual(now(), answer(0, 2));
});

test("a drag backwards selects forwards", () => {
  const { selecting, now } = begin();
  selecting.drag("answer", 3, 1);

  assert.deepEqual(now(), answer(1, 3));
});

test("words are taken whole", () => {
  const { selecting, now } = begin({ unit: "word" });
  selecting.click("answer", 2, false);
  assert.deepEqual(now(), answer(1, 2));
  assert.deepEqual(selecting.unitAt("answer", 1), answer(1, 2));

  assert.deepEqual(selecting.step("answer", 1, false, null), answer(3));
  assert.deepEqual(selecting.step("answer", -1, false, null), answer(1, 2));
});

test("steps go to the neighbour, and stay at the ends", () => {
  const { selecting, now } = begin();
  assert.deepEqual(selecting.step("answer", 1, false, null), answer(0));
  assert.deepEqual(selecting.step("answer", -1, false, null), answer(0));
  assert.deepEqual(selecting.step("answer", Infinity, false, null), answer(3));
  assert.deepEqual(selecting.step("answer", 1, false, null), answer(3));
  assert.deepEqual(selecting.step("answer", -Infinity, false, null), answer(0));
  assert.deepEqual(now(), answer(0));
});

test("the first step goes to the token that has the focus", () => {
  assert.deepEqual(begin().selecting.step("answer", 1, false, 2), answer(2));
});

test("Shift and steps move the head: a span grows, shrinks, and turns round", () => {
  const { selecting, now } = begin();
  selecting.click("answer", 1, false);
  selecting.step("answer", 1, true, null);
  selecting.step("answer", 1, true, null);
  assert.deepEqual(now(), answer(1, 3));

  selecting.step("answer", -1, true, null);
  selecting.step("answer", -1, true, null);
  selecting.step("answer", -1, true, null);
  assert.deepEqual(now(), answer(0, 1));
});

test("a span that came with the address is extended from its start", () => {
  const { selecting, now } = begin({ selection: answer(1, 2) });
  selecting.step("answer", 1, true, null);

  assert.deepEqual(now(), answer(1, 3));
});

test("the prompt's steps pass over the answer's tokens", () => {
  const { selecting } = begin();

  assert.deepEqual(selecting.step("text", Infinity, false, null), text(3));
  assert.deepEqual(selecting.step("text", 1, false, null), text(3));
});

test("candidates are stepped through, from above the first to the last", () => {
  const { selecting, state } = begin({ selection: answer(2) });
  // The answer's own token is the second of the candidates [1, 0].
  selecting.stepCandidate(-1);
  assert.equal(state.get().candidate, 0);
  selecting.stepCandidate(-1);
  assert.equal(state.get().candidate, null);
  state.change({ candidate: 1 });
  selecting.stepCandidate(1);
  assert.equal(state.get().candidate, 1);
});

test("a span has no candidates", () => {
  const { selecting, state } = begin({ selection: answer(1, 2) });
  selecting.stepCandidate(1);

  assert.equal(state.get().candidate, null);
});

test("Esc takes back the selection first, then the region", () => {
  const region = { media: 0, frame: 0, top: 0, left: 0, bottom: 0, right: 0 };
  const { selecting, state, now } = begin({ selection: answer(1), region });
  selecting.clear();
  assert.equal(now(), null);
  assert.equal(state.get().region, region);

  selecting.clear();
  assert.equal(state.get().region, null);
});
