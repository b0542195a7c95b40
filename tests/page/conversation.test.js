import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation, defaultQuestion } from "../../src/Tamx.Web/Page/conversation.js";
import { runOf, Session } from "../../src/Tamx.Web/Page/session.js";

const file = (kind) => /** @type {any} */ ({ kind, file: { name: `a.${kind}` } });
const draft = (text, files = [], system = "") => ({
  text,
  files,
  system,
  answer: null,
  request: {},
  conversation: null,
});

test("what is read is what was written, whole or as a list", async () => {
  const files = [file("picture"), file("video")];
  const written = new Conversation()
    .asking(draft("What?", files, "Be brief."))
    .answered("A cat.")
    .asking(draft("And now?"));

  const read = await Conversation.parse(JSON.stringify(written.messages()), files);
  assert.deepEqual(read.turns, written.turns);
  const whole = await Conversation.parse(JSON.stringify({ messages: written.messages() }), files);
  assert.deepEqual(whole.messages(), written.messages());
});

test("what is wrong with a conversation is said", async () => {
  for (const [json, expected] of [
    ["{}", /a list of messages/],
    ['[{"role":"bot","content":""}]', /message 1: its role is one of system, user, assistant/],
    ['[{"role":"user","content":3}]', /message 1: its content is/],
    ['[{"role":"user","content":[{"image_url":{"url":"upload:file1"}}]}]', /message 1: a picture is upload:file0/],
    ['[{"role":"user","content":[{"image_url":{"url":"https:x.png"}}]}]', /message 1: a picture is upload:file0/],
    ["[", /JSON/],
  ]) {
    await assert.rejects(Conversation.parse(/** @type {string} */ (json), [file("picture")]), { message: expected });
  }
});

test("an answer at the end is one to explain, and a question has to be there", () => {
  const asked = new Conversation().asking(draft("What?"));
  assert.equal(asked.split().answer, null);
  assert.deepEqual(asked.answered("A cat.").split(), { asked, answer: "A cat." });
  assert.throws(() => new Conversation().split(), /question of the user/);
});

test("a question alone is one message", () => {
  assert.deepEqual(new Conversation().asking(draft("Why?")).messages(), [{ role: "user", content: "Why?" }]);
});

test("files come before the text, by their place in the request", () => {
  const first = new Conversation().asking(draft("And this?", [file("picture")], "Be brief."));
  const second = first.answered("A cat.").asking(draft("These?", [file("video"), file("picture")], "Be brief."));

  assert.deepEqual(second.messages(), [
    { role: "system", content: "Be brief." },
    {
      role: "user",
      content: [
        { type: "image_url", image_url: { url: "upload:file0" } },
        { type: "text", text: "And this?" },
      ],
    },
    { role: "assistant", content: "A cat." },
    {
      role: "user",
      content: [
        { type: "video", video: "upload:file1" },
        { type: "image_url", image_url: { url: "upload:file2" } },
        { type: "text", text: "These?" },
      ],
    },
  ]);
  assert.equal(second.question, "These?");
  assert.equal(second.files.length, 3);
});

test("a conversation does not change where one goes on from it", () => {
  const before = new Conversation().asking(draft("One"));
  before.answered("A").asking(draft("Two", [file("picture")]));

  assert.deepEqual([before.turns.length, before.files.length], [1, 0]);
});

test("files without a text are asked about", () => {
  assert.equal(defaultQuestion([file("video"), file("video")]), "Describe this video.");
  assert.equal(defaultQuestion([file("video"), file("picture")]), "Describe this image.");
  assert.equal(defaultQuestion([]), "Describe this image.");
  assert.equal(new Conversation().asking(draft("", [file("video")])).question, "Describe this video.");
});

test("a run that was asked here can be gone on from, another one if its conversation can be read", async () => {
  const session = new Session();
  assert.equal(session.goesOn, false);

  const answered = session.conversation.asking(draft("Why?")).answered("So.");
  session.keep("a1", answered);
  assert.equal(session.goesOn, true);
  assert.equal(session.questionOf("a1"), "Why?");
  assert.equal(session.questionOf("b2"), null);

  await session.open("b2", async () => null);
  assert.deepEqual([session.run, session.goesOn], ["b2", false]);
  const other = new Conversation().asking(draft("Where?")).answered("There.");
  await session.open("c3", async () => other);
  assert.equal(session.conversation, other);
  await session.open("a1", async () => other);
  assert.deepEqual([session.run, session.conversation], ["a1", answered]);
  session.startAnew();
  assert.deepEqual([session.run, session.goesOn, session.questionOf("a1")], [null, false, "Why?"]);
});

test("an address names a run by 32 hexadecimal digits and nothing else", () => {
  const run = "0123456789abcdef0123456789abcdef";

  assert.equal(runOf(`?run=${run}`), run);
  for (const wrong of [
    "",
    "?run=",
    `?run=${run}0`,
    `?run=${run.toUpperCase()}`,
    "?run=../../api/runs",
    `?Run=${run}`,
  ]) {
    assert.equal(runOf(wrong), null, wrong);
  }
});
