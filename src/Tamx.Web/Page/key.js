// Asks for the API key where the server wants one.

import { ApiError, apiKey, getRuns } from "./api.js";
import { create } from "./report/dom.js";

/**
 * Shows the dialog until there is a key that the server takes.
 * @returns {Promise<void>}
 */
export function askForKey() {
  return new Promise((resolve) => {
    const input = create("input", {
      type: "password",
      name: "key",
      required: true,
      autocomplete: "current-password",
      spellcheck: "false",
    });
    const wrong = create("p", { class: "refusals", role: "alert", hidden: true });
    const element = create("dialog", { class: "key", "aria-label": "API key" });
    const submit = async (/** @type {Event} */ event) => {
      event.preventDefault();
      apiKey.set(input.value);
      try {
        await getRuns();
        element.close();
        element.remove();
        resolve();
      } catch (error) {
        const { status, message } = ApiError.of(error);
        wrong.textContent = status === 401 ? "That is not the key." : message;
        wrong.hidden = false;
        input.select();
      }
    };
    const form = create(
      "form",
      { class: "body", onsubmit: submit },
      create(
        "p",
        "note",
        "This server asks for an API key. It is the one that tamx serve was started with.",
      ),
      // A name that password managers can keep the key under.
      create("input", { type: "text", name: "username", value: "tamx", autocomplete: "username", hidden: true }),
      create("label", "option", create("span", "option-name", "Key"), input),
      wrong,
      create("div", "buttons", create("button", { type: "submit", class: "primary" }, "Continue")),
    );
    element.append(create("div", "heading", create("h2", "", "API key")), form);
    element.addEventListener("cancel", (event) => event.preventDefault());
    document.body.append(element);
    element.showModal();
  });
}
