// A class for each place of the picture, laid over it.

import { mask, predict } from './api.js';
import { showShares } from './answers.js';
import { find } from './dom.js';

/** No class stands there. */
const NONE = 255;

let classes = null;

/** The classes are asked for again: others may have been learned. */
export const forgetClasses = () => { classes = null; };

/** Answers a picture and shows its mask. */
export async function showMask(picture) {
  classes ??= (await predict(picture)).classes;
  const bitmap = await createImageBitmap(await mask(picture), { colorSpaceConversion: 'none' });
  const canvas = find('mask');
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.hidden = false;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height);
  const places = new Array(classes.length).fill(0);
  for (let at = 0; at < pixels.data.length; at += 4) {
    const cls = pixels.data[at];
    if (cls < classes.length) places[cls] += 1;
    pixels.data.set(cls === NONE ? [0, 0, 0, 0] : [...colour(cls), 255], at);
  }
  context.putImageData(pixels, 0, 0);
  const all = bitmap.width * bitmap.height;
  showShares(classes.map((name, cls) => ({ name, share: places[cls] / all })));
}

/** Colours that stand apart: turns of the golden angle. */
function colour(cls) {
  const hue = (cls * 137.508) / 60;
  const channel = (shift) => {
    const at = (shift + hue) % 6;
    return Math.round(255 * (0.25 + 0.75 * Math.max(0, Math.min(1, at, 4 - at))));
  };
  return [channel(5), channel(3), channel(1)];
}
