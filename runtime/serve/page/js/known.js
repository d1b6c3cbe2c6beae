// What the device knows, as the page shows it.

import { get, getOr } from './api.js';
import { tell } from './dom.js';

/** `device`, `classes`, `status` (null before the first learn), and what waits. */
export const known = { device: null, classes: [], status: null, waiting: { pictures: 0, held: null, waiting: [] }, revision: 0 };

const watchers = [];
/** Calls `see` after each change, and once the device is known. */
export const watch = (see) => watchers.push(see);
export const can = (what) => known.device?.can.includes(what) ?? false;
export const isTaught = () => known.classes.some((cls) => cls.samples > 0);

let running = null;
let again = false;

/** Asks for all of it; a call while one runs makes it run once more. */
export function refresh() {
  if (running) {
    again = true;
    return running;
  }
  running = ask().catch((error) => tell(error.message)).finally(() => {
    running = null;
    if (again) {
      again = false;
      refresh();
    }
  });
  return running;
}

async function ask() {
  const [device, classes, status, waiting] =
    await Promise.all([get('device'), get('classes'), getOr('status', null), get('waiting')]);
  Object.assign(known, { device, classes: classes.classes, status, waiting });
  for (const see of watchers) see();
}
