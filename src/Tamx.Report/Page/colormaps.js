// Colour maps as tables of 256 RGB triples. Viridis and magma (Smith and van der Walt 2015) and cividis (Nunez,
// Anderton and Renslow 2018) are interpolated between published colours at equal distances. Turbo (Mikhailov 2019) is
// its published polynomial, and jet MATLAB's three ramps. The map of differences lies between the blue, grey and red
// that Moreland (2009) chose.

const VIRIDIS = "440154 482576 414487 35608d 2a788e 21908c 22a884 43bf71 7ad151 bbdf27 fde725";
const MAGMA = "000004 140e36 3b0f70 641a80 8c2981 b73779 de4968 f7705c fe9f6d fecf92 fcfdbf";
const CIVIDIS = "00224e 123570 3b496c 575d6d 707173 8a8678 a59c74 c3b369 e1cc55 fee838";
const COOL_WARM = "3b4cc0 7b9ff9 c0d4f5 dddddd f2cab5 ee8468 b40426";
const TURBO = [
  [0.13572138, 4.6153926, -42.66032258, 132.13108234, -152.94239396, 59.28637943],
  [0.09140261, 2.19418839, 4.84296658, -14.18503333, 4.27729857, 2.82956604],
  [0.1066733, 12.64194608, -60.58204836, 110.36276771, -89.90310912, 27.34824973],
];

const TABLE_LENGTH = 256;

/**
 * The colour maps to choose from.
 * @type {Record<string, Uint8ClampedArray>}
 */
export const colormaps = {
  viridis: table(interpolated(VIRIDIS)),
  magma: table(interpolated(MAGMA)),
  cividis: table(interpolated(CIVIDIS)),
  turbo: table((x) => TURBO.map((factors) => 255 * factors.reduceRight((sum, factor) => sum * x + factor, 0))),
  jet: table((x) => [3, 2, 1].map((place) => 255 * (1.5 - Math.abs(4 * x - place)))),
};

/** For values on both sides of zero. */
export const differences = table(interpolated(COOL_WARM));

/**
 * A CSS gradient of a colour map, from low to high.
 * @param {Uint8ClampedArray} colours
 */
export function gradient(colours) {
  const stops = [];
  for (let i = 0; i < TABLE_LENGTH; i += 15) {
    stops.push(`rgb(${colours[3 * i]} ${colours[3 * i + 1]} ${colours[3 * i + 2]})`);
  }
  return `linear-gradient(to right, ${stops.join(", ")})`;
}

/**
 * @param {string} colours
 * @returns {(x: number) => number[]}
 */
function interpolated(colours) {
  const points = colours.split(" ").map((hex) => [0, 2, 4].map((start) => parseInt(hex.slice(start, start + 2), 16)));
  return (x) => {
    const place = x * (points.length - 1);
    const left = Math.min(Math.floor(place), points.length - 2);
    return points[left].map((value, channel) => value + (place - left) * (points[left + 1][channel] - value));
  };
}

/** @param {(x: number) => number[]} colourAt */
function table(colourAt) {
  const colours = new Uint8ClampedArray(3 * TABLE_LENGTH);
  for (let i = 0; i < TABLE_LENGTH; i++) {
    colours.set(colourAt(i / (TABLE_LENGTH - 1)), 3 * i);
  }
  return colours;
}
