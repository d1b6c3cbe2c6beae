// Pictures for a class: from the camera while a button is held, or from files.

import { add } from './api.js';
import { shrink } from './camera.js';
import { count, make, tell } from './dom.js';
import { known } from './known.js';
import { camera } from './live.js';

/** A picture is taken so often while the button is held, and sent with those that came meanwhile. */
const EVERY = 150;
/** So many files are sent at once. */
const AT_ONCE = 24;

let numbered = 0;
/** Uploads go one after another. */
let sending = Promise.resolve();

/** A button that takes pictures of a class while it is held, by pointer or by key; `taking` is told how many so far. */
export function takeButton(cls, taking) {
  let holding = null;
  const made = make('button', {
    type: 'button', className: 'take first', 'aria-label': `Hold to take pictures of ${cls}`,
    onpointerdown: (event) => {
      if (event.button !== 0) return;
      made.setPointerCapture(event.pointerId);
      begin();
    },
    onpointerup: end, onpointercancel: end, onlostpointercapture: end, onblur: end,
    onkeydown: (event) => {
      if (event.key !== ' ' && event.key !== 'Enter') return;
      event.preventDefault();
      if (!event.repeat) begin();
    },
    onkeyup: (event) => {
      if (event.key === ' ' || event.key === 'Enter') end();
    },
    // A screen reader presses without pointer and key: then one is taken.
    onclick: (event) => {
      if (event.detail === 0 && !event.pointerType) {
        begin();
        end();
      }
    },
    oncontextmenu: (event) => event.preventDefault(),
  }, 'Hold to take pictures');

  function begin() {
    if (holding) return;
    holding = { taken: 0 };
    made.dataset.held = '';
    take(holding);
  }

  function end() {
    if (!holding) return;
    holding = null;
    delete made.dataset.held;
  }

  async function take(mine) {
    let batch = [];
    do {
      const begun = performance.now();
      const picture = await camera()?.picture().catch(() => null);
      if (picture) {
        batch.push({ name: name(), content: picture });
        mine.taken += 1;
        taking(mine.taken);
      } else {
        tell('There is no picture to take.');
        end();
      }
      // While some are on their way the next ones gather.
      if (batch.length >= 3) {
        send(cls, batch);
        batch = [];
      }
      await new Promise((done) => setTimeout(done, Math.max(0, EVERY - (performance.now() - begun))));
    } while (holding === mine);
    if (batch.length > 0) send(cls, batch);
    taking(0);
  }

  return made;
}

function name() {
  numbered += 1;
  const now = new Date().toISOString().replace(/[-:T]/g, '').slice(0, 14);
  return `camera-${now}-${numbered}.jpg`;
}

/** Adds chosen or dropped files to a class. They are sent as they are; only those that are too large are drawn smaller. */
export async function addFiles(cls, files) {
  const pictures = [];
  for (const file of files) pictures.push({ name: file.name, content: await fitting(file) });
  for (let at = 0; at < pictures.length;) {
    let [end, size] = [at, 0];
    const room = known.device.limits.body_bytes / 2;
    while (end < pictures.length && end < at + AT_ONCE && (end === at || size + pictures[end].content.size < room)) {
      size += pictures[end].content.size;
      end += 1;
    }
    await send(cls, pictures.slice(at, end));
    at = end;
  }
}

async function fitting(file) {
  const { body_bytes: bytes, pixels } = known.device.limits;
  if (!file.type.startsWith('image/')) return file;
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return file;
  const { width, height } = bitmap;
  const fits = file.size < bytes / 2 && width * height <= pixels;
  return fits ? file : shrink(bitmap, width, height, Math.floor(Math.sqrt(pixels / 4)));
}

/** Sends pictures; what was refused is told. */
function send(cls, pictures) {
  sending = sending.then(() => add(cls, pictures)).then(({ refused }) => {
    const [first] = refused;
    if (first) tell(`${count(refused.length, 'picture')} not taken: ${first.file}: ${first.error}`);
  }, (error) => tell(error.message));
  return sending;
}
