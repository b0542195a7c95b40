// A conversation as the API takes it, and as it is shown while its answer is not there yet.

import { create } from "./report/dom.js";
import { frameRatio } from "./report/zoom.js";

/** @import { Attachment, ConversationTurn, Draft } from "./types.js" */

const ROLES = { system: "System", user: "User", assistant: "Assistant" };

/**
 * What is asked where there are files and no text.
 * @param {Pick<Attachment, "kind">[]} files
 */
export function defaultQuestion(files) {
  return files.length > 0 && files.every((one) => one.kind === "video")
    ? "Describe this video."
    : "Describe this image.";
}

/** Turns and files so far; immutable. */
export class Conversation {
  /**
   * @param {ConversationTurn[]} turns
   * @param {Attachment[]} files
   */
  constructor(turns = [], files = []) {
    this.turns = turns;
    this.files = files;
  }

  /**
   * With a question more.
   * @param {Draft} draft
   */
  asking({ text, files, system }) {
    /** @type {ConversationTurn[]} */
    const first = this.turns.length === 0 && system !== "" ? [{ role: "system", text: system, files: [] }] : [];
    /** @type {ConversationTurn} */
    const asked = {
      role: "user",
      text: text || defaultQuestion(files),
      files: files.map((_, i) => this.files.length + i),
    };
    return new Conversation([...this.turns, ...first, asked], [...this.files, ...files]);
  }

  /**
   * With the answer.
   * @param {string} text
   */
  answered(text) {
    return new Conversation([...this.turns, { role: "assistant", text, files: [] }], this.files);
  }

  /** The messages of a request. */
  messages() {
    return this.turns.map(({ role, text, files }) =>
      files.length === 0
        ? { role, content: text }
        : {
            role,
            content: [
              ...files.map((index) =>
                this.files[index].kind === "video"
                  ? { type: "video", video: `upload:file${index}` }
                  : { type: "image_url", image_url: { url: `upload:file${index}` } },
              ),
              { type: "text", text },
            ],
          },
    );
  }

  /** The last question. */
  get question() {
    return this.turns.findLast((turn) => turn.role === "user")?.text ?? "";
  }

  /**
   * Shows it in the places where the report will show it.
   * @param {Node} below
   */
  preview(below) {
    /** @param {number} index */
    const nameOf = (index) => `${this.files[index].kind === "video" ? "Video" : "Picture"} ${index + 1}`;
    const turns = this.turns.map(({ role, text, files }) =>
      create(
        "article",
        { class: `turn ${role === "user" ? "asked" : "plain"}`, "aria-label": `Turn of ${role}` },
        create("div", "role", ROLES[role]),
        create(
          "div",
          { class: "turn-text", dir: "auto" },
          ...files.map((index) => create("span", "chip still", nameOf(index))),
          text,
        ),
      ),
    );
    const figures = this.files.map(({ address, kind, file, width, height }, index) => {
      const media =
        kind === "video" && !file.type.startsWith("image/")
          ? create("video", { src: `${address}#t=0.1`, preload: "metadata", "aria-label": file.name })
          : create("img", { src: address, alt: file.name });
      const stage = create("div", "stage", media);
      const caption = create("figcaption", "", create("span", "name", nameOf(index)), create("bdi", "file", file.name));
      const figure = create("figure", "", stage, caption);
      for (const element of [figure, stage]) {
        element.style.setProperty("--ratio", String(frameRatio(width / height)));
      }
      return figure;
    });
    const pictures = create("div", figures.length > 1 ? "pictures many" : "pictures", ...figures);
    const chat = create("section", { class: "chat", tabindex: "-1", "aria-label": "Conversation" }, ...turns);
    const element = create(
      "main",
      "preview",
      create("div", "pane left", create("div", "bar"), chat, below),
      create(
        "section",
        { class: "pane right", "aria-label": "Pictures" },
        create("div", "controls"),
        create("div", "legend"),
        pictures,
      ),
    );
    return { element, chat };
  }
}
