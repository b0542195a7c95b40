// How tokens and numbers are put into words.

const RETURN_SIGN = "\u21B5";

/**
 * Token text for the conversation: line ends and control characters can be seen, spaces stay.
 * @param {string} text
 */
export function visibleText(text) {
  // eslint-disable-next-line no-control-regex -- they are what it looks for
  return text.replace(/\r\n|[\u0000-\u001F\u007F]/g, (character) => {
    if (character === "\n" || character === "\r\n") {
      return `${RETURN_SIGN}\n`;
    }
    return controlPicture(character);
  });
}

/**
 * Whether a text is the name of a special token: a marker, or a tag of a thought.
 * @param {string} text
 */
export function isSpecial(text) {
  return /^<[^<>\s]*[a-z][^<>\s]*>$/.test(text);
}

/**
 * Token text on one line.
 * @param {string} text
 */
export function oneLineText(text) {
  return visibleText(text).replaceAll("\n", "");
}

/**
 * Token text for a spoken label.
 * @param {string} text
 */
export function spokenText(text) {
  if (text === "") {
    return "rest of a character";
  }
  return text.trim() === "" ? (text.includes("\n") ? "line end" : "space") : oneLineText(text).trim();
}

/**
 * Three significant digits, without an exponent where that stays short.
 * @param {number} value
 */
export function formatNumber(value) {
  if (value === 0) {
    return "0";
  }
  const size = Math.abs(value);
  return size < 0.001 || size >= 100000 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}

/**
 * Both ends of a range with as many decimals as its width asks for.
 * @param {readonly [low: number, high: number]} range
 * @returns {[low: string, high: string]}
 */
export function formatRange([low, high]) {
  const width = high - low || Math.abs(high) || 1;
  const decimals = 2 - Math.floor(Math.log10(width));
  /** @param {number} value */
  const format = (value) =>
    decimals > 6 || decimals < -3 ? formatNumber(value) : value.toFixed(Math.max(0, decimals));
  return [format(low), format(high)];
}

/** @param {number} value */
export function formatPercent(value) {
  const percent = value * 100;
  if (percent > 0 && percent < 0.1) {
    return "<\u20090.1\u2009%";
  }
  return `${percent.toFixed(percent < 99.95 && percent > 0 ? 1 : 0)}\u2009%`;
}

/**
 * A number of bytes as people say it.
 * @param {number} bytes
 */
export function formatBytes(bytes) {
  return bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))}\u2009kB` : `${(bytes / 1e6).toFixed(1)}\u2009MB`;
}

/**
 * A place in a video, to a hundredth of a second.
 * @param {number} seconds
 */
export function formatSeconds(seconds) {
  return `${Number(seconds.toFixed(2))}\u2009s`;
}

/** @param {string} character */
function controlPicture(character) {
  const code = character.charCodeAt(0);
  return String.fromCharCode(code === 0x7f ? 0x2421 : 0x2400 + code);
}

// Words that stand for nothing in a picture, of which a language has few. Those of other languages have weak maps. The
// map of "and" may light what comes next, but nobody asks where "and" came from.
const FUNCTION_WORDS = new Set(
  (
    "a also an and any are as at be been being both but by can could did do does each for from had has have he " +
    "her here his how i if in into is it its may me might must my near next no nor not of on onto or our over " +
    "shall she should so some than that the their them then there these they this those to under very was we were " +
    "what when where which while who will with without would you your"
  ).split(" "),
);

/**
 * Whether a word is one that stands for nothing in a picture.
 * @param {string} word in lower case, without the blanks around it
 */
export function isFunctionWord(word) {
  return FUNCTION_WORDS.has(word);
}
