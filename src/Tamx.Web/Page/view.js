// The app's places on the page: the start, a question that waits for its answer, a report; and what stands around them.

import { ApiError } from "./api.js";
import { create } from "./report/dom.js";
import { problemCard } from "./status.js";

/** @import { Config, Conversation } from "./types.js" */
/** @import { PageFrame } from "./report/types.js" */

/** What is on the page; one place at a time. */
export class View {
  #root;
  #startAnew;
  #showRuns;
  #problems = create("div", "problems");
  #below;
  /** @type {{ unmount(): void } | null} */
  #report = null;

  /**
   * @param {HTMLElement} root the element to fill
   * @param {{ status: Node, whatIf: Node, composer: Node }} parts what stands below every place
   * @param {{ startAnew: () => void, showRuns: () => void }} actions
   */
  constructor(root, { status, whatIf, composer }, { startAnew, showRuns }) {
    this.#root = root;
    this.#startAnew = startAnew;
    this.#showRuns = showRuns;
    this.#below = create("div", "below", status, this.#problems, whatIf, composer);
  }

  /**
   * Shows the page before a question.
   * @param {Config} config
   * @param {Node} examples
   * @param {Promise<Node[]>} newest the answers so far
   */
  showStart(config, examples, newest) {
    this.#leave("Tamx");
    const list = create("ul", "run-list");
    const recent = create(
      "section",
      { class: "recent", hidden: true, "aria-label": "Answers so far" },
      create("h2", "", "Answers so far"),
      list,
    );
    this.#root.className = "start";
    this.#root.replaceChildren(
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
          "Ask about a picture or a video. For each word of the answer, Tamx shows the part of the picture " +
            "and the words of the prompt that it came from.",
        ),
        this.#below,
        create("p", "small facts-line", factsLine(config)),
        examples,
        recent,
      ),
    );
    newest.then(
      (items) => {
        list.replaceChildren(...items);
        recent.hidden = items.length === 0;
      },
      () => {},
    );
  }

  /**
   * Shows a question before its answer begins.
   * @param {Conversation} conversation
   */
  showPreview(conversation) {
    this.#leave(titleOf(conversation.question));
    const preview = conversation.preview(this.#below);
    this.#root.className = "report";
    this.#root.replaceChildren(
      create(
        "header",
        "top",
        ...this.#lead(),
        create("h1", { dir: "auto" }, conversation.question),
        create("span", "spring"),
        ...this.#actions(),
      ),
      preview.element,
    );
    preview.chat.focus();
  }

  /**
   * Makes room for a report, and gives what stands around it.
   * @param {string} title
   * @returns {PageFrame}
   */
  frameFor(title) {
    this.#leave(titleOf(title));
    return { title, lead: this.#lead(), actions: this.#actions(), below: this.#below };
  }

  /**
   * A report has taken its place.
   * @param {{ unmount(): void }} report
   */
  shows(report) {
    this.#report = report;
  }

  /** The report is whole. */
  markDone() {
    this.#root.dataset.state = "done";
  }

  /**
   * Shows what went wrong.
   * @param {unknown} error
   * @param {(() => void) | null} retry
   */
  showProblem(error, retry) {
    const close = () => this.#problems.replaceChildren();
    this.#problems.replaceChildren(problemCard(ApiError.of(error), { retry, close }));
  }

  /** @param {string} title */
  #leave(title) {
    this.#report?.unmount();
    this.#report = null;
    this.#root.className = "";
    delete this.#root.dataset.state;
    this.#problems.replaceChildren();
    document.title = title;
  }

  #lead() {
    const goHome = (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#startAnew();
    };
    const icon = create("img", { src: "assets/icon.svg", role: "presentation", width: "22", height: "22" });
    return [create("a", { class: "brand", href: ".", title: "A new question", onclick: goHome }, icon, "Tamx")];
  }

  #actions() {
    const begin = create("button", { type: "button", class: "new", onclick: this.#startAnew }, "New");
    return [create("div", "actions outer", this.#runsButton(), begin)];
  }

  #runsButton() {
    return create("button", { type: "button", onclick: this.#showRuns }, "Answers");
  }
}

/** @param {string} text */
function titleOf(text) {
  return `${text} \u00B7 Tamx`;
}

/** @param {Config} config */
function factsLine({ model, limits }) {
  const name = model
    ? [model.name, model.quantization, model.description].filter(Boolean).join(", ")
    : "The model is being loaded";
  const megabytes = Math.round(limits.maxPictureBytes / 1e6);
  return [
    name,
    `up to ${limits.maxPictures} pictures of ${megabytes}\u2009MB, videos of ${limits.maxFrames} frames`,
    "nothing leaves this server",
  ].join(" \u00B7 ");
}
