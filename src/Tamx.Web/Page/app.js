// The web app: a question, its answer as it is written, and the report that it becomes, all in one place.

import { explain, getConfig, getFile, getRuns, stopRun } from "./api.js";
import { buildComposer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { askForKey } from "./key.js";
import { create } from "./report/dom.js";
import { save } from "./report/exports.js";
import { growReport, openReport } from "./report/live.js";
import { buildRuns } from "./runs.js";
import { buildStatus, problemCard } from "./status.js";

const root = document.getElementById("app");
const STOP_PATIENCE_MS = 15_000;
const FILES = [
  ["Report (HTML)", "report.html"],
  ["Trace (safetensors)", "trace.safetensors"],
  ["Maps (JSON)", "maps.json"],
];

async function start() {
  const config = await getConfig();
  const app = new App(config);
  if (config.keyNeeded && !(await isKeyRight())) {
    await askForKey();
  }
  app.open();
}

async function isKeyRight() {
  try {
    await getRuns();
    return true;
  } catch (error) {
    if (error.status === 401) {
      return false;
    }
    throw error;
  }
}

class App {
  #config;
  #composer;
  #status;
  #runs;
  #problems = create("div", "problems");
  #below;
  #conversation = new Conversation();
  #known = new Map();
  #shown = null;
  #run = null;
  #job = null;

  constructor(config) {
    this.#config = config;
    this.#composer = buildComposer(config, (draft) => this.#ask(draft));
    this.#status = buildStatus(() => this.#stop());
    const openAnother = (run) => {
      this.#letGo();
      this.#openRun(run);
    };
    this.#runs = buildRuns(openAnother, (error) => this.#showProblem(error, null));
    this.#below = create("div", "below", this.#status.element, this.#problems, this.#composer.element);
    document.body.append(this.#composer.options, this.#runs.element);
    this.#listenToFiles();
    // A change of the part after # is the report's own affair.
    addEventListener("popstate", () => runOfAddress() !== this.#run && this.open());
  }

  /** Opens what the address says. */
  open() {
    this.#letGo();
    const run = runOfAddress();
    if (run === null) {
      this.#showStart();
    } else {
      this.#openRun(run);
    }
  }

  // The page before a question.
  #showStart() {
    this.#leave();
    this.#run = null;
    this.#conversation = new Conversation();
    this.#composer.followUp(false);
    const { model, limits } = this.#config;
    const recent = create(
      "section",
      { class: "recent", hidden: true, "aria-label": "Answers so far" },
      create("h2", "", "Answers so far"),
      create("ul", "run-list"),
    );
    document.title = "Tamx";
    root.className = "start";
    root.replaceChildren(
      create(
        "header",
        "top",
        ...this.#lead(),
        create("span", "spring"),
        create("div", "actions outer", this.#runsButton()),
      ),
      create(
        "main",
        "",
        create("h1", "", "See where every word comes from"),
        create(
          "p",
          "intro",
          "Ask about a picture or a video. For each word of the answer, Tamx shows the part of the picture and the words of the prompt that it came from.",
        ),
        this.#below,
        create("p", "small facts-line", factsLine(model, limits)),
        recent,
      ),
    );
    if (matchMedia("(pointer: fine)").matches) {
      this.#composer.focus();
    }
    this.#runs.list(4).then(
      (items) => {
        recent.lastChild.replaceChildren(...items);
        recent.hidden = items.length === 0;
      },
      () => {},
    );
  }

  #ask(draft) {
    this.#problems.replaceChildren();
    const before = this.#conversation;
    const conversation = before.asking(draft);
    const request = {
      messages: conversation.messages(),
      ...draft.request,
      ...(draft.answer === null ? {} : { answer: draft.answer }),
    };
    const files = conversation.files.map((one) => one.file);
    const job = {
      conversation,
      before,
      draft,
      from: this.#run,
      run: null,
      tokens: 0,
      started: 0,
      heard: 0,
      call: null,
      report: null,
    };
    this.#job = job;
    this.#leave();
    this.#showPreview(conversation);
    this.#status.show(files.length > 0 ? "upload" : "queued", files.length > 0 ? 0 : null);
    this.#composer.element.hidden = true;
    job.call = explain(request, files, {
      upload: (share) => job.run === null && this.#status.show("upload", share),
      event: (name, data) => this.#hear(job, name, data),
      end: () =>
        this.#job === job &&
        this.#fail(job, {
          code: "network",
          status: 0,
          message: "the server ended the answer in the middle",
          retryAfter: null,
        }),
      fail: (error) => this.#fail(job, error),
    });
    root.querySelector(".chat").focus();
  }

  #showPreview(conversation) {
    document.title = `${conversation.question} \u00B7 Tamx`;
    root.className = "report";
    root.replaceChildren(
      create(
        "header",
        "top",
        ...this.#lead(),
        create("h1", { dir: "auto" }, conversation.question),
        create("span", "spring"),
        ...this.#actions(),
      ),
      conversation.preview(this.#below),
    );
  }

  #hear(job, name, data) {
    if (this.#job !== job) {
      return;
    }
    job.heard = performance.now();
    const status = this.#status;
    switch (name) {
      case "run":
        job.run = this.#run = data.run;
        history.pushState(null, "", `?run=${data.run}`);
        status.show("queued", null);
        break;
      case "queued":
        status.show(
          "queued",
          null,
          data.position === 1 ? "one question is before yours" : `${data.position} questions are before yours`,
        );
        break;
      case "progress":
        if (data.phase === "generate") {
          job.started ||= performance.now();
          status.show("generate", data.total > 0 ? data.done / data.total : null, job.tokens === 0 ? "" : speedOf(job));
        } else {
          status.show(
            data.phase,
            data.total > 0 ? data.done / data.total : null,
            data.total > 1 && data.phase !== "load" ? `${data.done} of ${data.total}` : "",
          );
        }
        break;
      case "head":
        this.#composer.followUp(true);
        job.report = growReport(root, data, () => this.#pageOf(job.conversation.question));
        this.#shown = job.report;
        break;
      case "token":
        job.tokens++;
        job.report.append(data);
        break;
      case "done":
        this.#finish(job, data);
        break;
    }
  }

  #finish(job, done) {
    this.#job = null;
    job.report.finish(done.seconds, this.#exports(done.run, job.conversation.question));
    this.#conversation = job.conversation.answered(done.answer);
    this.#known.set(done.run, this.#conversation);
    this.#status.hide();
    this.#composer.element.hidden = false;
    this.#composer.clear();
    root.dataset.state = "done";
  }

  #fail(job, error) {
    if (this.#job !== job) {
      return;
    }
    this.#job = null;
    job.report?.finish({}, []);
    this.#status.hide();
    this.#composer.element.hidden = false;
    this.#conversation = job.before;
    this.#composer.followUp(job.before.turns.length > 0);
    if (error.status === 401) {
      askForKey().then(() => this.#ask(job.draft));
      return;
    }
    const retry = () => this.#ask(job.draft);
    this.#run = null;
    history.replaceState(null, "", location.pathname);
    if (job.report !== null) {
      this.#showProblem(error, retry);
    } else if (job.from !== null) {
      this.#openRun(job.from).then(() => this.#showProblem(error, retry));
    } else {
      this.#showStart();
      this.#showProblem(error, retry);
    }
  }

  async #stop() {
    const job = this.#job;
    if (job === null) {
      return;
    }
    this.#status.stopping();
    if (job.run === null) {
      job.call.abort();
      this.#fail(job, { code: "stopped", status: 0, message: "nothing was sent to the model", retryAfter: null });
      return;
    }
    job.heard = performance.now();
    this.#waitForStop(job);
    await stopRun(job.run).catch((error) => this.#showProblem(error, null));
  }

  // The model stops at once, but what there is has to be written; only a server that says nothing is given up.
  #waitForStop(job) {
    if (this.#job !== job) {
      return;
    }
    if (performance.now() - job.heard > STOP_PATIENCE_MS) {
      job.call.abort();
      this.#fail(job, {
        code: "stopped",
        status: 0,
        message: "the server did not say what became of it",
        retryAfter: null,
      });
    } else {
      setTimeout(() => this.#waitForStop(job), 500);
    }
  }

  async #openRun(run) {
    try {
      const html = await (await getFile(run, "report.html")).text();
      this.#shown = await openReport(root, html, (report) => {
        const question = this.#known.get(run)?.question ?? (report.question || "Report");
        return { ...this.#pageOf(question), exports: this.#exports(run, question) };
      });
      if (runOfAddress() !== run) {
        history.pushState(null, "", `?run=${run}`);
      }
      this.#run = run;
      this.#conversation = this.#known.get(run) ?? new Conversation();
      this.#composer.followUp(this.#known.has(run));
      root.dataset.state = "done";
    } catch (error) {
      history.replaceState(null, "", location.pathname);
      this.#showStart();
      this.#showProblem(problemOf(error), null);
    }
  }

  // Makes room for a report.
  #pageOf(title) {
    this.#leave();
    document.title = `${title} \u00B7 Tamx`;
    return { title, lead: this.#lead(), actions: this.#actions(), below: this.#below };
  }

  #leave() {
    this.#shown?.unmount();
    this.#shown = null;
    root.className = "";
    delete root.dataset.state;
    this.#problems.replaceChildren();
  }

  #showProblem(error, retry) {
    this.#problems.replaceChildren(problemCard(error, { retry, close: () => this.#problems.replaceChildren() }));
  }

  #exports(run, title) {
    const name =
      title
        .replace(/[^\p{L}\p{N}]+/gu, "-")
        .replace(/^-|-$/g, "")
        .slice(0, 60) || "tamx";
    return FILES.map(([label, file]) => ({
      name: label,
      action: async () => {
        try {
          save(await (await getFile(run, file)).blob(), `${name}${file.slice(file.indexOf("."))}`);
        } catch (error) {
          this.#showProblem(error, null);
        }
      },
    }));
  }

  #lead() {
    return [
      create(
        "a",
        {
          class: "brand",
          href: "/",
          title: "A new question",
          onclick: (event) => {
            event.preventDefault();
            this.#startAnew();
          },
        },
        create("img", { src: "/assets/icon.svg", role: "presentation", width: "22", height: "22" }),
        "Tamx",
      ),
    ];
  }

  #actions() {
    return [
      create(
        "div",
        "actions outer",
        this.#runsButton(),
        create("button", { type: "button", class: "new", onclick: () => this.#startAnew() }, "New"),
      ),
    ];
  }

  #runsButton() {
    return create("button", { type: "button", onclick: () => this.#runs.show() }, "Answers");
  }

  // The server cancels what nobody waits for.
  #letGo() {
    this.#job?.call.abort();
    this.#job = null;
    this.#status.hide();
    this.#composer.element.hidden = false;
  }

  #startAnew() {
    this.#letGo();
    history.pushState(null, "", location.pathname);
    this.#showStart();
  }

  // Files come from anywhere on the page: dropped, or pasted.
  #listenToFiles() {
    const hasFiles = (transfer) => [...(transfer?.types ?? [])].includes("Files");
    let depth = 0;
    const mark = (isOver) => document.body.classList.toggle("dropping", isOver);
    addEventListener("dragenter", (event) => {
      if (hasFiles(event.dataTransfer)) {
        depth++;
        mark(this.#job === null);
      }
    });
    addEventListener("dragleave", () => {
      depth = Math.max(0, depth - 1);
      mark(depth > 0 && this.#job === null);
    });
    addEventListener("dragover", (event) => hasFiles(event.dataTransfer) && event.preventDefault());
    addEventListener("drop", (event) => {
      depth = 0;
      mark(false);
      if (hasFiles(event.dataTransfer)) {
        event.preventDefault();
        this.#take([...event.dataTransfer.files]);
      }
    });
    addEventListener("paste", (event) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length > 0) {
        event.preventDefault();
        this.#take(files);
      }
    });
  }

  #take(files) {
    if (this.#job === null) {
      this.#composer.add(files);
    }
  }
}

function speedOf({ tokens, started }) {
  const seconds = (performance.now() - started) / 1000;
  const count = tokens === 1 ? "1 token" : `${tokens} tokens`;
  return seconds > 0.5 ? `${count}, ${(tokens / seconds).toFixed(tokens / seconds < 10 ? 1 : 0)} per second` : count;
}

function factsLine(model, limits) {
  const name = model ? [model.name, model.quantization].filter(Boolean).join(", ") : "The model is being loaded";
  return `${name} \u00B7 up to ${limits.maxPictures} pictures of ${Math.round(limits.maxPictureBytes / 1e6)}\u2009MB, videos of ${limits.maxFrames} frames \u00B7 nothing leaves this server`;
}

function runOfAddress() {
  const run = new URLSearchParams(location.search).get("run");
  return run !== null && /^[0-9a-f]{32}$/.test(run) ? run : null;
}

function problemOf(error) {
  return error.code === undefined ? { code: "unknown", status: 0, message: error.message, retryAfter: null } : error;
}

start().catch((error) => {
  root.replaceChildren(
    problemCard(problemOf(error), { retry: () => location.reload(), close: () => root.replaceChildren() }),
  );
  if (error.code === undefined) {
    throw error;
  }
});
