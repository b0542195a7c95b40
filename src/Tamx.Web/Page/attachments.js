// Pictures and videos that go with a question: taken, checked against the server's limits, shown as small pictures.

import { create } from "./report/dom.js";
import { formatBytes } from "./report/text.js";
import { icon } from "./icons.js";

const VIDEO_NAMES = /\.(mp4|m4v|mov|webm|mkv|avi|mpe?g|ogv|wmv|flv|ts|3gp)$/i;
const PICTURE_TYPES = ["image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp"];

/** What the file dialog offers. */
export const ACCEPTED = [...PICTURE_TYPES, "video/*"].join(",");

/**
 * Builds the list.
 * @param limits the server's
 * @param seesPictures, readsVideos what the model and the server can do
 * @param changed called whenever the list is another one
 * @returns {object} element; files: [{ file, kind, address, width, height }]; add(files); refusals: what was wrong with those not taken; clear()
 */
export function buildAttachments({ limits, seesPictures, readsVideos }, changed) {
  let files = [];
  const element = create("ul", { class: "attachments", "aria-label": "Pictures and videos", hidden: true });

  function show() {
    element.hidden = files.length === 0;
    element.replaceChildren(...files.map(itemOf));
    changed();
  }

  function itemOf(one) {
    const remove = create(
      "button",
      {
        type: "button",
        "aria-label": `Remove ${one.file.name}`,
        onclick: () => {
          URL.revokeObjectURL(one.address);
          files = files.filter((other) => other !== one);
          show();
        },
      },
      "\u00D7",
    );
    return create(
      "li",
      { class: one.kind, title: `${one.file.name}, ${formatBytes(one.file.size)}` },
      one.thumbnail,
      remove,
    );
  }

  return {
    element,
    get files() {
      return files;
    },

    /** Takes what can be taken; returns why the rest cannot. */
    async add(added) {
      const refusals = [];
      for (const file of added) {
        try {
          const one = await read(file);
          check(one);
          files = [...files, one];
          show();
        } catch (error) {
          refusals.push(`${file.name}: ${error.message}`);
        }
      }
      return refusals;
    },

    clear() {
      files = [];
      show();
    },
  };

  function check({ file, kind, width, height }) {
    const used = files.reduce((sum, one) => sum + one.file.size, 0);
    const pictures = files.filter((one) => one.kind === "picture").length;
    if (!seesPictures) {
      throw new Error("this server's model reads text only");
    }
    if (kind === "picture") {
      require(pictures < limits.maxPictures, `a question can have ${limits.maxPictures} pictures`);
      require(file.size <=
        limits.maxPictureBytes, `has ${formatBytes(file.size)}; a picture can have ${formatBytes(limits.maxPictureBytes)}`);
      require(!(
        width * height >
        limits.maxPicturePixels
      ), `has ${width} \u00D7 ${height} pixels; ${limits.maxPicturePixels / 1e6} megapixels are the most`);
    } else {
      require(readsVideos ||
        file.type.startsWith(
          "image/",
        ), "the server has no ffmpeg to read video files with; an animated GIF or WebP can be read");
    }
    require(used + file.size <= limits.maxBodyBytes, `all files together can have ${formatBytes(limits.maxBodyBytes)}`);
  }
}

function require(condition, message) {
  if (!condition) {
    throw new Error(message);
  }
}

// What a file is and how large; the server decides what it can read.
async function read(file) {
  const isVideo = file.type.startsWith("video/") || VIDEO_NAMES.test(file.name);
  if (!isVideo && !PICTURE_TYPES.includes(file.type)) {
    throw new Error("is no picture or video that can be read; JPEG, PNG, WebP, GIF and BMP can, and videos");
  }
  const address = URL.createObjectURL(file);
  const kind = isVideo || (await isAnimation(file)) ? "video" : "picture";
  if (isVideo) {
    const thumbnail = create("video", { src: `${address}#t=0.1`, preload: "metadata", "aria-label": file.name });
    thumbnail.muted = true;
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
    throw new Error("cannot be opened; it may be damaged");
  }
  return { file, kind, address, thumbnail, width: thumbnail.naturalWidth, height: thumbnail.naturalHeight };
}

// An animation is a video: a GIF with several frames' control blocks, a WebP with an animation chunk.
async function isAnimation(file) {
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
