// What is known between questions: the run that is shown, its conversation, and those of the other runs asked here.

import { Conversation } from "./conversation.js";

/** The questions of this tab. */
export class Session {
  /** @type {Map<string, Conversation>} */
  #known = new Map();

  /** What a question goes on from. */
  conversation = new Conversation();

  /**
   * The run that is shown or under way.
   * @type {string | null}
   */
  run = null;

  /** Whether there is something to go on from. */
  get goesOn() {
    return this.conversation.turns.length > 0;
  }

  /** A new question begins. */
  startAnew() {
    this.conversation = new Conversation();
    this.run = null;
  }

  /**
   * A run that was answered before is shown.
   * @param {string} run
   * @param {() => Promise<Conversation | null>} readOther reads its conversation, where it was asked elsewhere
   */
  async open(run, readOther) {
    this.run = run;
    this.conversation = this.#known.get(run) ?? new Conversation();
    const read = this.goesOn ? null : await readOther();
    // Meanwhile another one may have been opened.
    if (read !== null && this.run === run) {
      this.conversation = read;
    }
  }

  /**
   * A run has its answer.
   * @param {string} run
   * @param {Conversation} conversation with the answer
   */
  keep(run, conversation) {
    this.conversation = conversation;
    this.#known.set(run, conversation);
  }

  /**
   * What was asked in a run; null where that was elsewhere.
   * @param {string} run
   */
  questionOf(run) {
    return this.#known.get(run)?.question ?? null;
  }
}

/**
 * The run that an address names; null where it names none.
 * @param {string} search the address's part from ? on
 */
export function runOf(search) {
  const run = new URLSearchParams(search).get("run");
  return run !== null && /^[0-9a-f]{32}$/.test(run) ? run : null;
}
