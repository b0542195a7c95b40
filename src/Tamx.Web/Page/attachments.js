// Pictures and videos that go with a question: taken, checked against the server's limits, shown as small pictures.

import { icon } from "./icons.js";
import { create } from "./report/dom.js";
import { formatBytes } from "./report/text.js";

/** @import { Attachment, FileFacts, FileRules } from "./types.js" */

const VIDEO_NAMES = /\.(mp4|m4v|mov|webm|mkv|avi|mpe?g|ogv|wmv|flv|ts|3gp)$/i;
const PICTURE_TYPES = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp"];

/** What the file dialog offers. */
export const ACCEPTED = [...PICTURE_TYPES, "video/*"].join(",");

/**
 * Builds the list.
 * @param {FileRules} rules
 * @param {() => void} changed is called whenever the list is another one
 */
export function buildAttachments(rules, changed) {
  /** @type {Attachment[]} */
  let files = [];
  const element = create("ul", { class: "attachments", "aria-label": "Pictures and videos", hidden: true });

  function show() {
    element.hidden = files.length === 0;
    element.replaceChildren(...files.map(itemOf));
    changed();
  }

  /** @param {Attachment} one */
  function itemOf(one) {
    const { name, size } = one.file;
    const remove = () => {
      URL.revokeObjectURL(one.address);
      files = files.filter((other) => other !== one);
      show();
    };
    const button = create("button", { type: "button", "aria-label": `Remove ${name}`, onclick: remove }, "\u00D7");
    return create("li", { class: one.kind, title: `${name}, ${formatBytes(size)}` }, one.thumbnail, button);
  }

  return {
    element,
    get files() {
      return files;
    },

    /**
     * Takes what can be taken.
     * @param {File[]} added
     * @returns {Promise<string[]>} why the rest cannot
     */
    async add(added) {
      const refusals = [];
      for (const file of added) {
        const one = await readFile(file);
        const refusal = typeof one === "string" ? one : refusalOf(one, files, rules);
        if (refusal !== null) {
          refusals.push(`${file.name}: ${refusal}`);
        } else if (typeof one !== "string") {
          files = [...files, one];
          show();
        }
      }
      return refusals;
    },

    clear() {
      files = [];
      show();
    },
  };
}

/**
 * Why a file cannot go with those that were taken; null where it can.
 * @param {FileFacts} added
 * @param {Pick<FileFacts, "file" | "kind">[]} taken
 * @param {FileRules} rules
 */
export function refusalOf({ file, kind, width, height }, taken, { limits, seesPictures, readsVideos }) {
  const used = taken.reduce((sum, one) => sum + one.file.size, 0);
  const pictures = taken.filter((one) => one.kind === "picture").length;
  const isPicture = kind === "picture";
  if (!seesPictures) {
    return "this server's model reads text only";
  }
  if (isPicture && pictures >= limits.maxPictures) {
    return `a question can have ${limits.maxPictures} pictures`;
  }
  if (isPicture && file.size > limits.maxPictureBytes) {
    return `has ${formatBytes(file.size)}; a picture can have ${formatBytes(limits.maxPictureBytes)}`;
  }
  if (isPicture && width * height > limits.maxPicturePixels) {
    const most = limits.maxPicturePixels / 1e6;
    return `has ${width} \u00D7 ${height} pixels; ${most} megapixels are the most`;
  }
  if (!isPicture && !readsVideos && !file.type.startsWith("image/")) {
    return "the server has no ffmpeg, so it reads no video files; an animated GIF or WebP can be read";
  }
  if (used + file.size > limits.maxBodyBytes) {
    return `all files together can have ${formatBytes(limits.maxBodyBytes)}`;
  }
  return null;
}

/**
 * What a file is and how large, or why that cannot be said. The server decides what it can read.
 * @param {File} file
 * @returns {Promise<Attachment | string>}
 */
export async function readFile(file) {
  const isVideo = file.type.startsWith("video/") || VIDEO_NAMES.test(file.name);
  if (!isVideo && !PICTURE_TYPES.includes(file.type)) {
    return "is no picture or video that can be read; JPEG, PNG, WebP, GIF, BMP and videos can";
  }
  const address = URL.createObjectURL(file);
  const kind = isVideo || (await isAnimation(file)) ? "video" : "picture";
  if (isVideo) {
    const thumbnail = create("video", { src: `${address}#t=0.1`, preload: "metadata", "aria-label": file.name });
    thumbnail.muted = true;
    /** @type {Attachment} */
    const one = { file, kind, address, thumbnail, width: 16, height: 9 };
    thumbnail.onloadedmetadata = () =>
      Object.assign(one, { width: thumbnail.videoWidth || 16, height: thumbnail.videoHeight || 9 });
    thumbnail.onerror = () =>
      thumbnail.replaceWith(create("span", { class: "unknown", role: "img", "aria-label": file.name }, icon("video")));
    return one;
  }
  const thumbnail = create("img", { src: address, alt: file.name });
  try {
    await thumbnail.decode();
  } catch {
    URL.revokeObjectURL(address);
    return "cannot be opened; it may be damaged";
  }
  return { file, kind, address, thumbnail, width: thumbnail.naturalWidth, height: thumbnail.naturalHeight };
}

/**
 * An animation is a video: a GIF with several frames' control blocks, a WebP with an animation chunk.
 * @param {Blob} file
 */
export async function isAnimation(file) {
  if (file.type === "image/webp") {
    return (await file.slice(0, 64).text()).includes("ANIM");
  }
  if (file.type !== "image/gif") {
    return false;
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  let frames = 0;
  for (let i = 0; i + 3 < bytes.length && frames < 2; i++) {
    frames += bytes[i] === 0x21 && bytes[i + 1] === 0xf9 && bytes[i + 2] === 4 && bytes[i + 7] === 0 ? 1 : 0;
  }
  return frames > 1;
}
