// The web app: a question, its answer as it is written, and the report that it becomes, all in one place.

import { ApiError, getConfig, getFile, getRuns } from "./api.js";
import { buildComposer } from "./composer.js";
import { listenToFiles } from "./dropping.js";
import { askForKey } from "./key.js";
import { existing } from "./report/dom.js";
import { growReport, openReport } from "./report/live.js";
import { buildRuns, exportsOf } from "./runs.js";
import { runOf, Session } from "./session.js";
import { buildStatus, problemCard } from "./status.js";
import { AnswerStream } from "./stream.js";
import { View } from "./view.js";

/** @import { AnswerListener, Config, Conversation, Draft } from "./types.js" */

const root = existing("app");

async function start() {
  const config = await getConfig();
  const app = new App(config);
  if (config.keyNeeded && !(await isKeyRight())) {
    await askForKey();
  }
  await app.open();
}

async function isKeyRight() {
  try {
    await getRuns();
    return true;
  } catch (error) {
    if (ApiError.of(error).status === 401) {
      return false;
    }
    throw error;
  }
}

class App {
  #config;
  #session = new Session();
  #composer;
  #status;
  #runs;
  #view;
  /**
   * The answer that is on its way.
   * @type {AnswerStream | null}
   */
  #stream = null;

  /** @param {Config} config */
  constructor(config) {
    this.#config = config;
    this.#composer = buildComposer(config, (draft) => this.#ask(draft));
    this.#status = buildStatus(() => this.#stop());
    this.#runs = buildRuns(
      (run) => {
        this.#letGo();
        this.#openRun(run);
      },
      (error) => this.#view.showProblem(error, null),
    );
    this.#view = new View(
      root,
      { status: this.#status.element, composer: this.#composer.element },
      { startAnew: () => this.#startAnew(), showRuns: () => this.#runs.show() },
    );
    document.body.append(this.#composer.options, this.#runs.element);
    listenToFiles(
      () => this.#stream === null,
      (files) => this.#composer.add(files),
    );
    // A change of the part after # is the report's own affair.
    addEventListener("popstate", () => runOf(location.search) !== this.#session.run && this.open());
  }

  /** Opens what the address says. */
  async open() {
    this.#letGo();
    const run = runOf(location.search);
    if (run === null) {
      this.#showStart();
    } else {
      await this.#openRun(run);
    }
  }

  #startAnew() {
    this.#letGo();
    history.pushState(null, "", location.pathname);
    this.#showStart();
  }

  #showStart() {
    this.#session.startAnew();
    this.#composer.followUp(false);
    this.#view.showStart(this.#config, this.#runs.list(4));
    if (matchMedia("(pointer: fine)").matches) {
      this.#composer.focus();
    }
  }

  /** @param {string} run */
  async #openRun(run) {
    try {
      const html = await (await getFile(run, "report.html")).text();
      const known = this.#session.questionOf(run);
      const report = await openReport(root, html, ({ question }) => {
        const title = known ?? (question || "Report");
        return { ...this.#view.frameFor(title), exports: this.#exports(run, title) };
      });
      this.#view.shows(report);
      if (runOf(location.search) !== run) {
        history.pushState(null, "", `?run=${run}`);
      }
      this.#session.open(run);
      this.#composer.followUp(this.#session.goesOn);
      this.#view.markDone();
    } catch (error) {
      history.replaceState(null, "", location.pathname);
      this.#showStart();
      this.#view.showProblem(error, null);
    }
  }

  /** @param {Draft} draft */
  #ask(draft) {
    const conversation = this.#session.conversation.asking(draft);
    const files = conversation.files.map((one) => one.file);
    const given = draft.answer === null ? {} : { answer: draft.answer };
    this.#view.showPreview(conversation);
    this.#composer.element.hidden = true;
    if (files.length > 0) {
      this.#status.show("upload", 0);
    } else {
      this.#status.show("queued", null);
    }
    this.#stream = new AnswerStream(
      { messages: conversation.messages(), ...draft.request, ...given },
      files,
      this.#listener(draft, conversation),
    );
  }

  /**
   * What becomes of an answer.
   * @param {Draft} draft
   * @param {Conversation} conversation with the question
   * @returns {AnswerListener}
   */
  #listener(draft, conversation) {
    const { question } = conversation;
    const from = this.#session.run;
    /** @type {ReturnType<typeof growReport> | null} */
    let report = null;
    return {
      run: (run) => {
        this.#session.run = run;
        history.pushState(null, "", `?run=${run}`);
      },
      progress: (phase, share, note) => this.#status.show(phase, share, note),
      head: (head) => {
        this.#composer.followUp(true);
        report = growReport(root, head, () => this.#view.frameFor(question));
        this.#view.shows(report);
      },
      token: (token) => report?.append(token),
      done: ({ run, answer, seconds }) => {
        report?.finish(seconds, this.#exports(run, question));
        this.#session.keep(run, conversation.answered(answer));
        this.#end();
        this.#composer.clear();
        this.#view.markDone();
      },
      fail: (error) => {
        report?.finish({}, []);
        this.#end();
        this.#composer.followUp(this.#session.goesOn);
        this.#fail(error, { draft, from, isShown: report !== null });
      },
      trouble: (error) => this.#view.showProblem(error, null),
    };
  }

  /**
   * Goes back to where the question was asked, unless a part of the answer is there to be seen.
   * @param {ApiError} error
   * @param {{ draft: Draft, from: string | null, isShown: boolean }} asked from: the run that was shown then
   */
  async #fail(error, { draft, from, isShown }) {
    const retry = () => this.#ask(draft);
    if (error.status === 401) {
      await askForKey();
      retry();
      return;
    }
    this.#session.run = null;
    history.replaceState(null, "", location.pathname);
    if (!isShown && from !== null) {
      await this.#openRun(from);
    } else if (!isShown) {
      this.#showStart();
    }
    this.#view.showProblem(error, retry);
  }

  async #stop() {
    if (this.#stream !== null) {
      this.#status.stopping();
      await this.#stream.stop();
    }
  }

  #letGo() {
    this.#stream?.letGo();
    this.#end();
  }

  // There is nothing on its way any more.
  #end() {
    this.#stream = null;
    this.#status.hide();
    this.#composer.element.hidden = false;
  }

  /**
   * @param {string} run
   * @param {string} title
   */
  #exports(run, title) {
    return exportsOf(run, title, (error) => this.#view.showProblem(error, null));
  }
}

start().catch((error) => {
  root.replaceChildren(
    problemCard(ApiError.of(error), { retry: () => location.reload(), close: () => root.replaceChildren() }),
  );
  if (!(error instanceof ApiError)) {
    throw error;
  }
});
