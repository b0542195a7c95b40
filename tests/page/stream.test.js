import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { ApiError } from "../../src/Tamx.Web/Page/api.js";
import { sentence } from "../../src/Tamx.Web/Page/status.js";
import { AnswerStream, placeText, speedText } from "../../src/Tamx.Web/Page/stream.js";

/** The server, as far as a browser's request shows it. */
class FakeRequest {
  upload = /** @type {any} */ ({});
  headers = {};
  status = 200;
  responseText = "";
  isAborted = false;
  retryAfter = null;
  asked = "";
  form = null;
  onprogress() {}
  open(method, address) {
    this.asked = `${method} ${address}`;
  }
  setRequestHeader(name, value) {
    this.headers[name] = value;
  }
  getResponseHeader(name) {
    return name === "Retry-After" ? this.retryAfter : null;
  }
  send(form) {
    this.form = form;
  }
  abort() {
    this.isAborted = true;
  }

  /** Sends a piece of the answer, wherever it is cut. */
  say(text) {
    this.responseText += text;
    this.onprogress();
  }
  event(name, data) {
    this.say(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  }
}

/** @type {any} */
const page = globalThis;
let request;
let heard;
let fetched;

beforeEach(() => {
  heard = [];
  fetched = [];
  page.sessionStorage = { getItem: () => null };
  page.XMLHttpRequest = function () {
    request = new FakeRequest();
    return request;
  };
  page.fetch = (address, options) => {
    fetched.push(`${options.method} ${address}`);
    return Promise.resolve({ ok: true });
  };
});
afterEach(() => mock.timers.reset());

function begin(files = []) {
  const names = ["run", "progress", "head", "token", "done", "fail", "trouble"];
  const hear = Object.fromEntries(names.map((name) => [name, (...values) => heard.push([name, ...values])]));
  return new AnswerStream({ messages: [] }, files, /** @type {any} */ (hear));
}

test("a request is sent with its files, named as its messages name them", async () => {
  begin([new File(["abc"], "cat.png")]);

  assert.equal(request.asked, "POST api/explain");
  assert.equal(request.headers.Accept, "text/event-stream");
  assert.equal(await request.form.get("request").text(), '{"messages":[]}');
  assert.equal(request.form.get("file0").name, "cat.png");
});

test("an answer is heard as it comes, wherever its pieces are cut", () => {
  begin();
  request.upload.onprogress({ loaded: 1, total: 4 });
  const text = [
    'event: run\ndata: {"run":"a1"}\n\n',
    ": still here\n\n",
    'event: queued\ndata: {"position":2}\n\n',
    'event: progress\ndata: {"phase":"image","done":1,"total":3}\n\n',
    'event: head\ndata: {"bits":8}\n\n',
    'event: token\ndata: {"text":"A"}\n\n',
    'event: done\ndata: {"run":"a1"}\n\n',
  ].join("");
  for (let at = 0; at < text.length; at += 7) {
    request.say(text.slice(at, at + 7));
  }
  request.onload();

  assert.deepEqual(heard, [
    ["progress", "upload", 0.25, ""],
    ["run", "a1"],
    ["progress", "queued", null, ""],
    ["progress", "queued", null, "2 questions are before yours"],
    ["progress", "image", 1 / 3, "1 of 3"],
    ["head", { bits: 8 }],
    ["token", { text: "A" }],
    ["done", { run: "a1" }],
  ]);
});

test("loading the model and a single part are not counted, and a phase of unknown length has no share", () => {
  begin();
  request.event("progress", { phase: "image", done: 0, total: 1 });
  request.event("progress", { phase: "load", done: 3, total: 10 });
  request.event("progress", { phase: "report", done: 0, total: 0 });

  assert.deepEqual(heard, [
    ["progress", "image", 0, ""],
    ["progress", "load", 0.3, ""],
    ["progress", "report", null, ""],
  ]);
});

test("an error ends the answer, and nothing after it is heard", () => {
  begin();
  request.event("error", { error: { code: "model_died", message: "it died" } });
  request.event("token", {});
  request.onload();

  assert.equal(heard.length, 1);
  const [[name, error]] = heard;
  assert.deepEqual([name, error.code, error.message], ["fail", "model_died", "it died"]);
});

test("an answer that ends in the middle has failed", () => {
  begin();
  request.event("run", { run: "a1" });
  request.onload();

  assert.deepEqual([heard.at(-1)[0], heard.at(-1)[1].code], ["fail", "network"]);
});

test("a refusal has the server's words and when to ask again", () => {
  begin();
  Object.assign(request, {
    status: 503,
    retryAfter: "7",
    responseText: '{"error":{"code":"queue_full","message":"full"}}',
  });
  request.onload();

  const [[name, error]] = heard;
  assert.ok(error instanceof ApiError);
  assert.deepEqual(
    [name, error.status, error.code, error.message, error.retryAfter],
    ["fail", 503, "queue_full", "full", 7],
  );
});

test("a refusal that is no JSON is one all the same", () => {
  begin();
  Object.assign(request, { status: 502, responseText: "<html>" });
  request.onload();

  assert.deepEqual([heard[0][1].code, heard[0][1].status], ["unknown", 502]);
});

test("stopping before anything was sent gives up", async () => {
  const stream = begin();
  await stream.stop();

  assert.equal(request.isAborted, true);
  assert.deepEqual([heard[0][0], heard[0][1].code, fetched], ["fail", "stopped", []]);
});

test("stopping a run asks the server, which ends it", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const stream = begin();
  request.event("run", { run: "a1" });
  await stream.stop();
  request.event("done", { run: "a1" });
  mock.timers.tick(60_000);

  assert.deepEqual(fetched, ["POST api/runs/a1/stop"]);
  assert.deepEqual(
    heard.map(([name]) => name),
    ["run", "progress", "done"],
  );
  assert.equal(request.isAborted, false);
});

test("only a server that says nothing for fifteen seconds is given up", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  let now = 1000;
  mock.method(performance, "now", () => now);
  const wait = (ms) => {
    for (let i = 0; i < ms; i += 500) {
      now += 500;
      mock.timers.tick(500);
    }
  };
  const stream = begin();
  request.event("run", { run: "a1" });
  await stream.stop();
  wait(14_000);
  request.event("progress", { phase: "report", done: 0, total: 0 });
  wait(15_000);
  assert.equal(request.isAborted, false);

  wait(1_000);
  mock.restoreAll();
  assert.equal(request.isAborted, true);
  assert.deepEqual([heard.at(-1)[0], heard.at(-1)[1].code], ["fail", "stopped"]);
});

test("an answer that is let go of says nothing any more", () => {
  const stream = begin();
  stream.letGo();
  request.event("run", { run: "a1" });
  request.upload.onprogress({ loaded: 1, total: 1 });
  request.onload();

  assert.deepEqual([heard, request.isAborted], [[], true]);
});

test("places and speeds are put into words", () => {
  assert.equal(placeText(1), "one question is before yours");
  assert.equal(placeText(3), "3 questions are before yours");
  assert.equal(speedText(1, 0.2), "1 token");
  assert.equal(speedText(30, 2), "30 tokens, 15 per second");
  assert.equal(speedText(3, 2), "3 tokens, 1.5 per second");
});

test("what is thrown elsewhere is an error like the server's", () => {
  const own = new ApiError(401, { code: "wrong_api_key", message: "no" });

  assert.equal(ApiError.of(own), own);
  assert.deepEqual([ApiError.of(new TypeError("x")).code, ApiError.of(new TypeError("x")).message], ["unknown", "x"]);
  assert.equal(ApiError.of("text").message, "text");
});

test("a message is a sentence, but a name at its start stays", () => {
  assert.equal(sentence("the model is busy"), "The model is busy.");
  assert.equal(sentence("tamx-demo.gguf cannot be read"), "tamx-demo.gguf cannot be read.");
  assert.equal(sentence(" is it there?"), "Is it there?");
});
