// The conversation as JSON, in the shape that the API and the command line read: to edit, paste and save.

import { Conversation } from "./conversation.js";
import { create, dialogHeading } from "./report/dom.js";
import { save } from "./report/exports.js";

/**
 * Builds the dialog.
 * @param {() => Conversation} current the conversation with the question as it stands
 * @param {(conversation: Conversation, answer: string | null) => void} ask is told of a conversation, and of the answer
 *   at its end that is to be explained
 */
export function buildJson(current, ask) {
  /** @type {Conversation} */
  let shown = new Conversation();
  const area = create("textarea", {
    name: "json",
    rows: "18",
    spellcheck: "false",
    "aria-label": "Conversation as JSON",
  });
  const problem = create("p", { class: "refusals", role: "alert", hidden: true });
  /** @param {(conversation: Conversation) => unknown} action */
  const withParsed = async (action) => {
    try {
      problem.hidden = true;
      await action(await Conversation.parse(area.value, shown.files));
    } catch (error) {
      problem.textContent = error instanceof Error ? error.message : String(error);
      problem.hidden = false;
    }
  };
  /** @type {(name: string, kind: string, action: (conversation: Conversation) => unknown) => HTMLElement} */
  const button = (name, kind, action) =>
    create("button", { type: "button", class: kind, onclick: () => withParsed(action) }, name);
  const element = create("dialog", { class: "json", "aria-label": "Conversation as JSON" });
  element.append(
    dialogHeading("Conversation as JSON", () => element.close()),
    create(
      "div",
      "body",
      create(
        "p",
        "small",
        "Turns can be changed, added and pasted. upload:file0 is the first file here; a picture can also be a data " +
          "URL. A last turn of the assistant is explained instead of answered.",
      ),
      area,
      problem,
      create(
        "div",
        "buttons",
        button("Save", "quiet", async (conversation) =>
          save(new Blob([await conversation.whole()], { type: "application/json" }), "conversation.json"),
        ),
        button("Ask", "primary", (conversation) => {
          const { asked, answer } = conversation.split();
          element.close();
          ask(asked, answer);
        }),
      ),
    ),
  );
  element.addEventListener("click", (event) => event.target === element && element.close());
  return {
    element,
    open() {
      shown = current();
      area.value = JSON.stringify(shown.messages(), null, 2);
      problem.hidden = true;
      element.showModal();
      area.focus();
    },
  };
}
