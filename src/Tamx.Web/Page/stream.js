// One answer on its way from the server: how far it is, its tokens, its end, and stopping it.

import { ApiError, explain, stopRun } from "./api.js";

/** @import { AnswerListener, ServerEvents } from "./types.js" */

const STOP_PATIENCE_MS = 15_000;
const STOP_CHECK_MS = 500;

/** An answer that has been asked for. After its end, or once it is let go of, nothing is heard any more. */
export class AnswerStream {
  #hear;
  #call;
  #isOver = false;
  /** @type {string | null} */
  #run = null;
  #tokens = 0;
  #writingSince = 0;
  #heardAt = 0;

  /**
   * Asks.
   * @param {object} request the request's JSON; its messages name files as upload:file0, upload:file1, ...
   * @param {File[]} files
   * @param {AnswerListener} hear
   */
  constructor(request, files, hear) {
    this.#hear = hear;
    this.#call = explain(request, files, {
      upload: (share) => this.#run === null && !this.#isOver && hear.progress("upload", share, ""),
      event: (name, data) => this.#take(name, data),
      end: () => this.#fail(new ApiError(0, { code: "network", message: "the server ended the answer in the middle" })),
      fail: (error) => this.#fail(error),
    });
  }

  /** Has the model stop. What it has written stays, so the answer goes on to its end. */
  async stop() {
    if (this.#run === null) {
      this.#giveUp("nothing was sent to the model");
      return;
    }
    this.#heardAt = performance.now();
    this.#waitForStop();
    await stopRun(this.#run).catch((error) => this.#hear.trouble(error));
  }

  /** Lets go of it; the server cancels what nobody waits for. */
  letGo() {
    this.#isOver = true;
    this.#call.abort();
  }

  /**
   * @param {string} name
   * @param {unknown} data
   */
  #take(name, data) {
    if (this.#isOver) {
      return;
    }
    this.#heardAt = performance.now();
    switch (name) {
      case "run":
        this.#run = /** @type {ServerEvents["run"]} */ (data).run;
        this.#hear.run(this.#run);
        this.#hear.progress("queued", null, "");
        break;
      case "queued":
        this.#hear.progress("queued", null, placeText(/** @type {ServerEvents["queued"]} */ (data).position));
        break;
      case "progress":
        this.#progress(/** @type {ServerEvents["progress"]} */ (data));
        break;
      case "head":
        this.#hear.head(/** @type {ServerEvents["head"]} */ (data));
        break;
      case "token":
        this.#tokens++;
        this.#hear.token(/** @type {ServerEvents["token"]} */ (data));
        break;
      case "verdict":
        this.#hear.verdict(/** @type {ServerEvents["verdict"]} */ (data));
        break;
      case "done":
        this.#isOver = true;
        this.#hear.done(/** @type {ServerEvents["done"]} */ (data));
        break;
    }
  }

  /** @param {ServerEvents["progress"]} progress */
  #progress({ phase, done, total }) {
    const share = total > 0 ? done / total : null;
    if (phase === "generate") {
      this.#writingSince ||= performance.now();
      const seconds = (performance.now() - this.#writingSince) / 1000;
      this.#hear.progress(phase, share, this.#tokens === 0 ? "" : speedText(this.#tokens, seconds));
    } else {
      this.#hear.progress(phase, share, total > 1 && phase !== "load" ? `${done} of ${total}` : "");
    }
  }

  // The model stops at once, but what it has written takes a while; only a server that says nothing is given up.
  #waitForStop() {
    if (this.#isOver) {
      return;
    }
    if (performance.now() - this.#heardAt > STOP_PATIENCE_MS) {
      this.#giveUp("the server did not say what became of it");
    } else {
      setTimeout(() => this.#waitForStop(), STOP_CHECK_MS);
    }
  }

  /** @param {string} message */
  #giveUp(message) {
    this.#call.abort();
    this.#fail(new ApiError(0, { code: "stopped", message }));
  }

  /** @param {ApiError} error */
  #fail(error) {
    if (!this.#isOver) {
      this.#isOver = true;
      this.#hear.fail(error);
    }
  }
}

/**
 * How many questions are answered before this one.
 * @param {number} position
 */
export function placeText(position) {
  return position === 1 ? "one question is before yours" : `${position} questions are before yours`;
}

/**
 * How fast an answer is written, after its first half second.
 * @param {number} tokens
 * @param {number} seconds
 */
export function speedText(tokens, seconds) {
  const count = tokens === 1 ? "1 token" : `${tokens} tokens`;
  const speed = tokens / seconds;
  return seconds > 0.5 ? `${count}, ${speed.toFixed(speed < 10 ? 1 : 0)} per second` : count;
}
