// Pictures and a video to begin with; the server has them.

import { create } from "./report/dom.js";

/** @type {[file: string, mediaType: string, question: string][]} */
const EXAMPLES = [
  ["scene.jpg", "image/jpeg", "Describe this image."],
  ["scene-2.jpg", "image/jpeg", "Describe this image."],
  ["scene-3.jpg", "image/jpeg", "Describe this image."],
  ["moving.gif", "image/gif", "Describe this video."],
];

/**
 * Builds the list.
 * @param {(file: File, question: string) => void} choose is told of the one that is chosen
 * @param {(error: unknown) => void} failed
 */
export function buildExamples(choose, failed) {
  const items = EXAMPLES.map(([name, type, question]) => {
    const address = `assets/example-${name}`;
    const open = async () => {
      try {
        const response = await fetch(address);
        choose(new File([await response.blob()], name, { type }), question);
      } catch (error) {
        failed(error);
      }
    };
    const button = create(
      "button",
      { type: "button", class: "example", title: `${name}: ${question}`, onclick: open },
      create("img", { src: address, role: "presentation", loading: "lazy" }),
      create("span", "", name),
    );
    return create("li", "", button);
  });
  return create(
    "section",
    { class: "examples", "aria-label": "Examples" },
    create("h2", "", "Or begin with one of these"),
    create("ul", "", ...items),
  );
}
