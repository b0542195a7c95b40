// The web app: a question, its answer as it is written, and the report that it becomes, all in one place.

import { ApiError, getConfig, getFile, getRuns } from "./api.js";
import { buildComposer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { listenToFiles } from "./dropping.js";
import { buildExamples } from "./examples.js";
import { buildJson } from "./json.js";
import { askForKey } from "./key.js";
import { existing } from "./report/dom.js";
import { growReport, openReport } from "./report/live.js";
import { buildRuns, exportsOf } from "./runs.js";
import { runOf, Session } from "./session.js";
import { buildStatus, problemCard } from "./status.js";
import { AnswerStream } from "./stream.js";
import { View } from "./view.js";
import { buildWhatIf, changesOf, regionRequest } from "./whatif.js";

/** @import { AnswerListener, Config, Draft, ReadToken, WhatIf } from "./types.js" */
/** @import { Region, WordSupport } from "./report/types.js" */

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
  #examples;
  #whatIf;
  /**
   * The report that is shown and whole.
   * @type {ReturnType<typeof growReport> | Awaited<ReturnType<typeof openReport>> | null}
   */
  #shown = null;
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
    this.#composer = buildComposer(config, {
      ask: (draft) => this.#ask(draft),
      json: () => json.open(),
    });
    const json = buildJson(
      () => this.#composer.extend(this.#session.conversation),
      (conversation, answer) => this.#ask({ ...this.#composer.draft(), answer, conversation }),
    );
    this.#examples = buildExamples(
      (file, question) => this.#composer.fill(file, question),
      (error) => this.#view.showProblem(error, null),
    );
    this.#whatIf = buildWhatIf(
      (what) => this.#askWhatIf(what),
      (run) => {
        this.#letGo();
        this.#openRun(run);
      },
    );
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
      { status: this.#status.element, whatIf: this.#whatIf.element, composer: this.#composer.element },
      { startAnew: () => this.#startAnew(), showRuns: () => this.#runs.show() },
    );
    document.body.append(this.#composer.options, json.element, this.#runs.element);
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
    this.#view.showStart(this.#config, this.#examples, this.#runs.list(4));
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
      await this.#session.open(run, () => Conversation.ofReport(report.report, report.file));
      this.#composer.followUp(this.#session.goesOn, !this.#session.goesOn);
      this.#offerWhatIf(report);
      this.#view.markDone();
    } catch (error) {
      history.replaceState(null, "", location.pathname);
      this.#showStart();
      this.#view.showProblem(error, null);
    }
  }

  /** @param {Draft} draft */
  #ask(draft) {
    const conversation = draft.conversation ?? this.#session.conversation.asking(draft);
    const files = conversation.files.map((one) => one.file);
    const given = draft.answer === null ? {} : { answer: draft.answer };
    this.#shown = null;
    this.#whatIf.show(false);
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
    /** @type {WordSupport[]} */
    let words = [];
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
      verdict: (verdict) => (words = verdict.words.map(({ pictureGain, ...word }) => ({ ...word, gain: pictureGain }))),
      done: ({ run, answer, seconds, calibration = null }) => {
        report?.finish(seconds, this.#exports(run, question));
        report?.support({ calibration, words, checks: [] });
        this.#session.keep(run, conversation.answered(answer));
        this.#end();
        this.#composer.clear();
        if (report !== null) {
          this.#offerWhatIf(report);
        }
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

  /**
   * Lets a region of a report's picture be hidden, kept or looked at, once there is a conversation to ask again.
   * @param {ReturnType<typeof growReport> | Awaited<ReturnType<typeof openReport>>} report
   */
  #offerWhatIf(report) {
    this.#shown = report;
    /** @type {Region | null} */
    let region = null;
    const show = () => {
      const now = report.state.get().region;
      if (this.#shown === report && now !== region) {
        region = now;
        report.shade(null);
        this.#whatIf.show(now !== null && this.#session.goesOn && !report.report.media[now.media].isVideo);
      }
    };
    report.state.listen(show);
    show();
  }

  /** @param {WhatIf} what */
  #askWhatIf(what) {
    const report = this.#shown;
    const region = report?.state.get().region ?? null;
    const { asked, answer } = this.#session.conversation.split();
    if (report === null || region === null || this.#stream !== null) {
      return;
    }
    const { use, isAnew } = what;
    const files = asked.files.map(({ file }) => file);
    /** @type {ReadToken[]} */
    const tokens = [];
    this.#composer.element.hidden = true;
    this.#status.show("upload", 0);
    const given = isAnew ? {} : { answer };
    const { request } = this.#composer.draft();
    const place = { region: regionRequest(report.report, region, what), verdicts: false };
    this.#stream = new AnswerStream({ messages: asked.messages(), ...request, ...place, ...given }, files, {
      run: () => {},
      progress: (phase, share, note) => this.#status.show(phase, share, note),
      head: () => {},
      token: ({ explained }) => tokens.push(explained.explained[0]),
      verdict: () => {},
      done: (done) => {
        this.#end();
        if (isAnew) {
          this.#whatIf.answered(answer ?? "", done.answer, done.run);
          return;
        }
        const changes = changesOf(report.report, tokens, done.regionChanges ?? []);
        this.#whatIf.changed(use, changes, done.run);
        report.shade(new Map(changes.map(({ index, change }) => [report.report.answer[index].token, change])));
      },
      fail: (error) => {
        this.#end();
        this.#view.showProblem(error, null);
      },
      trouble: (error) => this.#view.showProblem(error, null),
    });
  }

  async #stop() {
    if (this.#stream !== null) {
      this.#status.stopping();
      await this.#stream.stop();
    }
  }

  #letGo() {
    this.#shown = null;
    this.#whatIf.show(false);
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
