// A conversation as the API takes it, and as it is shown while its answer is not there yet.

import { readFile } from "./attachments.js";
import { create } from "./report/dom.js";
import { frameRatio } from "./report/zoom.js";

/** @import { Attachment, ConversationTurn, Draft } from "./types.js" */
/** @import { Picture, Report } from "./report/types.js" */

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

  /**
   * The conversation that a report shows, with its pictures; null where it has a video, of which a report holds frames
   * alone, or no texts.
   * @param {Report} report
   * @param {(picture: Picture) => File} fileOf
   * @returns {Promise<Conversation | null>}
   */
  static async ofReport(report, fileOf) {
    if (!report.hasTexts || report.media.some((media) => media.isVideo || media.frames[0].picture === null)) {
      return null;
    }
    const files = [];
    for (const media of report.media.filter((one) => !one.isWhole)) {
      const one = await readFile(fileOf(/** @type {Picture} */ (media.frames[0].picture)));
      if (typeof one === "string") {
        return null;
      }
      files.push(one);
    }
    /** @type {ConversationTurn[]} */
    const turns = [];
    for (const { role, items } of report.turns) {
      const text = items
        .filter((item) => item >= 0 && !/^<\|.*\|>$/.test(report.tokens.text[item]))
        .map((item) => report.tokens.text[item])
        .join("");
      const last = turns.at(-1);
      // A thought and what was said after it are one answer.
      if (role === "assistant" && last?.role === "assistant") {
        last.text += text;
      } else {
        const indices = new Set(items.filter((item) => item < 0).map((item) => pictureOf(report, -1 - item)));
        turns.push({ role: /** @type {ConversationTurn["role"]} */ (role), text: text.trim(), files: [...indices] });
      }
    }
    return new Conversation(turns, files);
  }

  /**
   * Reads messages as JSON. What is wrong with them is said in one line.
   * @param {string} json
   * @param {Attachment[]} files what upload:file0, upload:file1, ... name
   * @returns {Promise<Conversation>}
   */
  static async parse(json, files) {
    const parsed = JSON.parse(json);
    const messages = Array.isArray(parsed) ? parsed : parsed?.messages;
    if (!Array.isArray(messages)) {
      throw new Error("a conversation is a list of messages");
    }
    const all = [...files];
    /** @type {ConversationTurn[]} */
    const turns = [];
    for (const [i, message] of messages.entries()) {
      const name = `message ${i + 1}`;
      if (!Object.hasOwn(ROLES, message?.role)) {
        throw new Error(`${name}: its role is one of ${Object.keys(ROLES).join(", ")}`);
      }
      const parts = typeof message.content === "string" ? [{ type: "text", text: message.content }] : message.content;
      if (!Array.isArray(parts)) {
        throw new Error(`${name}: its content is a text or a list of parts`);
      }
      /** @type {ConversationTurn} */
      const turn = { role: message.role, text: "", files: [] };
      for (const part of parts) {
        if (typeof part?.text === "string") {
          turn.text += part.text;
        } else {
          turn.files.push(await fileAt(part?.image_url?.url ?? part?.image ?? part?.video, all, name));
        }
      }
      turns.push(turn);
    }
    return new Conversation(turns, all);
  }

  /** The conversation up to its last question, and the answer after it, if there is one. */
  split() {
    const last = this.turns.at(-1);
    const answer = last?.role === "assistant" ? last.text : null;
    const turns = answer === null ? this.turns : this.turns.slice(0, -1);
    if (turns.at(-1)?.role !== "user") {
      throw new Error("the last message is a question of the user, or an answer after one");
    }
    return { asked: new Conversation(turns, this.files), answer };
  }

  /** Its messages as JSON that needs no other file. */
  async whole() {
    const addresses = await Promise.all(this.files.map(({ file }) => dataUrlOf(file)));
    const json = JSON.stringify(this.messages(), null, 2);
    return json.replace(/"upload:file(\d+)"/g, (_, index) => JSON.stringify(addresses[Number(index)]));
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

/**
 * The number of the picture that has a vision block. There are no videos.
 * @param {Report} report
 * @param {number} block
 */
function pictureOf(report, block) {
  return report.media.find((media) => media.frames.some((frame) => frame.block === block))?.pictureIndex ?? 0;
}

/**
 * The number of a file that a message names; a data URL becomes a file more.
 * @param {unknown} address
 * @param {Attachment[]} files
 * @param {string} name of the message
 */
async function fileAt(address, files, name) {
  const text = typeof address === "string" ? address : "";
  const upload = /^upload:file(\d+)$/.exec(text);
  if (upload !== null && Number(upload[1]) < files.length) {
    return Number(upload[1]);
  }
  const data = /^data:((?:image|video)\/[a-z0-9.+-]+);base64,([a-z0-9+/=\s]+)$/i.exec(text);
  if (data === null) {
    throw new Error(`${name}: a picture is upload:file0 and so on, as far as there are files, or a data URL`);
  }
  const bytes = Uint8Array.from(atob(data[2]), (character) => character.charCodeAt(0));
  const kind = data[1].split("/")[1];
  const one = await readFile(new File([bytes], `picture-${files.length + 1}.${kind}`, { type: data[1] }));
  if (typeof one === "string") {
    throw new Error(`${name}: its picture ${one}`);
  }
  return files.push(one) - 1;
}

/**
 * @param {Blob} file
 * @returns {Promise<string>}
 */
function dataUrlOf(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(new Error("a file could not be read"));
    reader.readAsDataURL(file);
  });
}
